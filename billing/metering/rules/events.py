"""A reported event, and what makes two with one id the same (E6). Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field

from billing.prices.rules import Part, Usage


@dataclass(slots=True, frozen=True)
class ReportedEvent:
    """One event as a gateway sends it. `member` is an e-mail address or membership id.

    `usage` is the sum of its `parts`; without parts it is the only one (M3).
    `conditions` are those that may change the price (M3a). `notes` say what of the
    report was taken otherwise than sent, cut or dropped (E5a).
    """

    id: str
    member: str
    surface: str
    model: str
    occurred_at: dt.datetime
    usage: Usage
    authorization: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    provider: str = ""
    parts: tuple[Part, ...] = ()
    conditions: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
    # Only where there is some: of events recorded before, the digest stays the same.
    if event.provider or event.parts or event.conditions:
        content += [
            event.provider,
            [(part.kind, part.model, part.usage.as_tuple()) for part in event.parts],
            sorted(event.conditions.items()),
        ]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()
