"""Claude Code's telemetry: a log record for each request that came to its end."""

from __future__ import annotations

import datetime as dt
from typing import Any

from billing.metering.intake.events import count_of, reported
from billing.metering.intake.otlp import Record

SURFACE = "claude_code"
NAMES = frozenset({"claude_code.api_request", "api_request"})
COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_creation_tokens": "cache_creation_input_tokens",
}
LIFETIMES = {
    "cache_creation_5m_tokens": "ephemeral_5m_input_tokens",
    "cache_creation_1h_tokens": "ephemeral_1h_input_tokens",
}
USUAL_SPEEDS = ("", "normal", "standard")


def is_request(record: Record) -> bool:
    """Whether it tells of a request; other records of Claude Code tell of no usage."""
    return not NAMES.isdisjoint(record.names)


def event_of(record: Record, *, own: str, now: dt.datetime) -> dict[str, Any]:
    """The request as a reported event, once by the provider's id of it."""
    request_id = record.text("request_id")
    return reported(
        record,
        own=own,
        now=now,
        id=request_id or _place(record),
        request_id=request_id,
        model=record.text("model"),
        surface=SURFACE,
        usage=_usage(record),
    )


def _place(record: Record) -> str:
    """Its place in its session, for a provider that gave the request no id."""
    session, sequence = record.text("session.id"), record.first("event.sequence")
    return f"{session}:{sequence}" if session and sequence is not None else ""


def _usage(record: Record) -> dict[str, Any]:
    told = record.attributes
    usage: dict[str, Any] = {
        theirs: count_of(told[ours]) for ours, theirs in COUNTS.items() if ours in told
    }
    lifetimes = {
        theirs: count_of(told[ours])
        for ours, theirs in LIFETIMES.items()
        if ours in told
    }
    if lifetimes:
        usage["cache_creation"] = lifetimes
    speed = record.text("speed").lower()
    if speed not in USUAL_SPEEDS:
        usage["speed"] = speed
    return usage
