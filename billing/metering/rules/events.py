"""A reported event, and what makes two with one id the same (E6). Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from billing.prices.rules import Part, Usage

# Where a report comes from (X4); a gateway's word holds against those of all others.
GATEWAY, TELEMETRY, IMPORT = SOURCES = ("gateway", "telemetry", "import")


@dataclass(slots=True, frozen=True)
class ReportedEvent:
    """One event as a gateway sends it. `member` is an e-mail address, membership id or
    external id; empty for whoever's personal token sends it.

    `usage` is the sum of its `parts`; without parts it is the only one (M3). `source`
    is where the report came from, `request_id` what the provider calls the request (X4).
    `conditions` are those that may change the price (M3a). `notes` say what of the
    report was taken otherwise than sent, cut or dropped (E5a). `sent` is the report
    as it came, by which what an earlier version recorded of it is known again (E6).
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
    source: str = GATEWAY
    request_id: str = ""
    notes: tuple[str, ...] = ()
    sent: dict[str, Any] | None = field(default=None, compare=False, repr=False)


def content_digest(event: ReportedEvent, *, membership_id: int | str) -> str:
    """What makes two events with one id the same (E6).

    The authorization is not content: a retry may carry a newer one. For somebody
    unknown, the name that was sent stands for the membership (X2).
    """
    content = _common(event, membership_id, event.usage, event.labels)
    if event.parts or event.conditions:
        content += [
            event.provider,
            [(part.kind, part.model, part.usage.as_tuple()) for part in event.parts],
            sorted(event.conditions.items()),
        ]
    else:
        content += (event.provider, (), ())
    return _digest(content)


def earlier_digests(event: ReportedEvent, *, membership_id: int) -> Iterator[str]:
    """The digests by which earlier versions know the same report, the newest first: a
    retry that is sent once more after an upgrade is a duplicate (E6).

    None of them is that of an event recorded since.
    """
    # Until providers, parts and conditions were always told; and until there were any.
    if not (event.provider or event.parts or event.conditions):
        yield _digest(_common(event, membership_id, event.usage, event.labels))
    if event.sent is None:
        return
    usage = _usage_as_once(_object(event.sent.get("usage")))
    labels = _object(event.sent.get("labels"))
    yield _digest(_common(event, membership_id, usage, labels))


def _common(
    event: ReportedEvent,
    membership_id: int | str,
    usage: Usage,
    labels: dict[str, str],
) -> list[Any]:
    return [
        membership_id,
        event.surface,
        event.model,
        event.occurred_at.timestamp(),
        event.occurred_at.microsecond,
        *usage.as_tuple(),
        sorted(labels.items()),
    ]


def _digest(content: list[Any]) -> str:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()


def _usage_as_once(sent: dict[str, Any]) -> Usage:
    """A usage as versions before parts read it: the top level of the Messages API alone,
    writes without a lifetime as five-minute ones.
    """
    split = _object(sent.get("cache_creation"))
    one_hour = _count(split, "ephemeral_1h_input_tokens")
    five_minutes = _count(split, "ephemeral_5m_input_tokens")
    written = _count(sent, "cache_creation_input_tokens")
    return Usage(
        _count(sent, "input_tokens"),
        _count(sent, "output_tokens"),
        max(five_minutes, written - one_hour),
        one_hour,
        _count(sent, "cache_read_input_tokens"),
        _count(_object(sent.get("server_tool_use")), "web_search_requests"),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(counts: dict[str, Any], key: str) -> int:
    value = counts.get(key)
    return value if isinstance(value, int) else 0
