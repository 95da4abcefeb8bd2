"""Reading reported events: the Anthropic Messages API's usage object, strictly
typed, unknown keys ignored.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from accounts.api_access import MemberRef
from billing.funding.schemas import SurfaceName
from billing.metering.actions.batch import Errors
from billing.metering.rules.events import ReportedEvent
from billing.prices.rules import Usage

# A thousand times the largest context; keeps every sum far inside 64 bits
MAX_TOKENS = 1_000_000_000
NO_MOMENT = "must be an RFC 3339 time with offset, such as 2026-11-23T19:28:00Z"


def _moment(value: Any) -> dt.datetime:
    """An RFC 3339 time with offset, as UTC."""
    if (
        not isinstance(value, str)
        or not 17 <= len(value) <= 40
        or value[10:11] not in ("T", "t", " ")
    ):
        raise ValueError(NO_MOMENT)
    try:
        moment = dt.datetime.fromisoformat(value.replace("z", "Z"))
    except ValueError:
        raise ValueError(NO_MOMENT) from None
    if moment.tzinfo is None:
        raise ValueError("has no offset; send UTC such as 2026-11-23T19:28:00Z")
    if not 1999 < moment.year < 9000:
        raise ValueError("must lie between the years 2000 and 8999")
    return moment.astimezone(dt.UTC)


def _or_zero(value: Any) -> Any:
    return 0 if value is None else value


Tokens = Annotated[
    int, BeforeValidator(_or_zero), Field(strict=True, ge=0, le=MAX_TOKENS)
]
LABEL = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=60)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class CacheCreation(_Lenient):
    ephemeral_5m_input_tokens: Tokens = 0
    ephemeral_1h_input_tokens: Tokens = 0


class ServerToolUse(_Lenient):
    web_search_requests: Tokens = 0


class MessagesUsage(_Lenient):
    """`usage` of the Messages API. `input_tokens` does not include cache tokens."""

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cache_creation_input_tokens: Tokens = 0
    cache_read_input_tokens: Tokens = 0
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerToolUse | None = None

    def priced(self) -> Usage:
        """As token classes.

        Cache writes the breakdown does not name are 5-minute ones, the API's default.
        """
        split = self.cache_creation or CacheCreation()
        tools = self.server_tool_use or ServerToolUse()
        one_hour = split.ephemeral_1h_input_tokens
        five_minutes = max(
            split.ephemeral_5m_input_tokens, self.cache_creation_input_tokens - one_hour
        )
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_write_5m_tokens=five_minutes,
            cache_write_1h_tokens=one_hour,
            cache_read_tokens=self.cache_read_input_tokens,
            web_searches=tools.web_search_requests,
        )


class EventIn(_Lenient):
    """One event of `POST /usage`."""

    id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
    member: MemberRef
    surface: SurfaceName
    model: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=120)]
    occurred_at: Annotated[dt.datetime, BeforeValidator(_moment)]
    usage: MessagesUsage
    authorization: Any = None  # a bad one is ignored, whatever it is (E4)
    labels: Annotated[dict[LABEL, LABEL], Field(max_length=10)] | None = None


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An event that is none: its id, if it has one, and what is wrong at which field."""

    id: str | None
    errors: Errors


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """A batch as read: the events in the order sent, and by their position in the batch
    those that could not be read.
    """

    events: list[ReportedEvent]
    unreadable: dict[int, UnreadableEvent]


def read_events(payload: list[Any]) -> ReadEvents:
    """Read each event on its own: one that can't be read stops no other."""
    events = []
    unreadable = {}
    for position, raw in enumerate(payload):
        try:
            events.append(_reported(EventIn.model_validate(raw)))
        except ValidationError as error:
            unreadable[position] = _unreadable(raw, error)
    return ReadEvents(events, unreadable)


def _reported(event: EventIn) -> ReportedEvent:
    authorization = event.authorization
    if not isinstance(authorization, str):
        authorization = None
    return ReportedEvent(
        id=event.id,
        member=str(event.member),
        surface=event.surface,
        model=event.model,
        occurred_at=event.occurred_at,
        usage=event.usage.priced(),
        authorization=authorization,
        labels=event.labels or {},
    )


def _unreadable(raw: Any, error: ValidationError) -> UnreadableEvent:
    given = raw.get("id") if isinstance(raw, dict) else None
    return UnreadableEvent(
        given if isinstance(given, str) else None,
        tuple(
            (detail["loc"], _sentence(detail["msg"]))
            for detail in error.errors(include_url=False)
        ),
    )


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
