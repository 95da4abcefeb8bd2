"""Spans and events by OpenTelemetry's GenAI conventions.

Their names still move, so older and newer ones are read. A call may be told by several
spans: of those inside one another the outermost counts, since it has what its attempts
used together; those of agents and tools repeat what their calls used, and count never.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from billing.metering.intake.events import count_of, reported
from billing.metering.intake.otlp import Record

_USAGE = "gen_ai.usage."
# The names that the usage's shape knows, and all under which they are told.
COUNTS = {
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    "cache_read.input_tokens": (
        "cache_read.input_tokens",
        "cache_read_input_tokens",
        "input_tokens.cached",
    ),
    "cache_creation.input_tokens": (
        "cache_creation.input_tokens",
        "cache_creation_input_tokens",
        "cache_write.input_tokens",
        "cache_write_input_tokens",
        "input_tokens.cache_write",
    ),
}
OPERATION = "gen_ai.operation.name"
REPEATING = frozenset(
    {"create_agent", "execute_tool", "invoke_agent", "invoke_workflow"}
)
ONLY_AGENT = "A span of an agent or a tool has usage and its calls are not told; only calls count."
SURFACE = "api"
SpanKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Calls:
    """The spans that are calls, each once, and what is wrong with some others."""

    records: list[Record]
    complaints: list[str] = field(default_factory=list)


def usage_of(record: Record) -> dict[str, Any]:
    """What the record says was used; empty where it says nothing."""
    usage = {}
    for name, spellings in COUNTS.items():
        for spelling in spellings:
            value = record.attributes.get(_USAGE + spelling)
            if value is not None:
                usage[_USAGE + name] = count_of(value)
                break
    return usage


class _Above(NamedTuple):
    """What others need to know of a span that may be above them."""

    parent_id: str
    is_call: bool


def calls_in(spans: Iterable[Record]) -> Calls:
    """Which of an export's spans count. Of those without usage only ids are kept."""
    by_key: dict[SpanKey, _Above] = {}
    told: list[Record] = []
    for span in spans:
        has_usage = bool(usage_of(span))
        if has_usage:
            told.append(span)
        if span.span_id:
            is_call = has_usage and not _repeats(span)
            key = (span.trace_id, span.span_id)
            by_key[key] = _Above(span.parent_id, is_call)
    calls = [span for span in told if not _repeats(span)]
    traces = {span.trace_id for span in calls}
    inside = _Inside(by_key)
    return Calls(
        [span for span in calls if not inside.is_inside_call(span)],
        [ONLY_AGENT for span in told if _repeats(span) and span.trace_id not in traces],
    )


def event_of(record: Record, *, own: str, now: dt.datetime) -> dict[str, Any]:
    """The call as a reported event, once by the provider's id of it."""
    request_id = record.text("request_id", "gen_ai.response.id")
    event = reported(
        record,
        own=own,
        now=now,
        id=request_id or _span(record),
        request_id=request_id,
        model=record.text("gen_ai.response.model", "gen_ai.request.model"),
        surface=record.text("service.name") or SURFACE,
        usage=usage_of(record),
    )
    provider = record.text("gen_ai.provider.name", "gen_ai.system")
    return {**event, "provider": PROVIDERS.get(provider, provider)}


# Names of the conventions that price lists don't know.
PROVIDERS = {
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "gcp.gen_ai": "google",
}


def _span(record: Record) -> str:
    return f"{record.trace_id}:{record.span_id}" if record.span_id else ""


def _repeats(span: Record) -> bool:
    return span.text(OPERATION) in REPEATING


class _Inside:
    """Which spans are inside of a call's; each is looked at once."""

    def __init__(self, by_key: dict[SpanKey, _Above]) -> None:
        self.by_key = by_key
        # By span: whether it is a call, or inside of one.
        self.known: dict[SpanKey, bool] = {}

    def is_inside_call(self, span: Record) -> bool:
        """Whether a call is above it in its export."""
        if span.parent_id == span.span_id:
            return False
        key = (span.trace_id, span.parent_id)
        path: list[SpanKey] = []
        found = False
        while key in self.by_key:
            if key in self.known:
                found = self.known[key]
                break
            above = self.by_key[key]
            self.known[key] = False  # spans in a ring are above one another
            path.append(key)
            if above.is_call:
                found = True
                break
            key = (span.trace_id, above.parent_id)
        self.known.update(dict.fromkeys(path, found))
        return found
