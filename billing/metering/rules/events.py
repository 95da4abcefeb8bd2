"""A reported event, and what makes two with one id the same (E6). Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field

from billing.prices.rules import Usage


@dataclass(slots=True, frozen=True)
class ReportedEvent:
    """One event as a gateway sends it. `member` is an e-mail address or membership id."""

    id: str
    member: str
    surface: str
    model: str
    occurred_at: dt.datetime
    usage: Usage
    authorization: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


def content_digest(event: ReportedEvent, *, membership_id: int) -> str:
    """What makes two events with one id the same (E6).

    The authorization is not content: a retry may carry a newer one.
    """
    content = [
        membership_id,
        event.surface,
        event.model,
        event.occurred_at.timestamp(),
        event.occurred_at.microsecond,
        *event.usage.as_tuple(),
        sorted(event.labels.items()),
    ]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
