"""Reading one reported event: the Anthropic Messages API's usage object, strictly
typed, unknown keys ignored.
"""

from __future__ import annotations

import datetime as dt
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
from billing.metering.actions.recording import EventResult
from billing.metering.rules.recording import ReportedEvent
from billing.prices.rules import Usage

# a thousand times the largest context; keeps every sum far inside 64 bits
MAX_TOKENS = 1_000_000_000


def _moment(value: Any) -> dt.datetime:
    """An RFC 3339 time with offset, as UTC."""
    if (
        not isinstance(value, str)
        or not 17 <= len(value) <= 40
        or value[10:11] not in ("T", "t", " ")
    ):
        raise ValueError(
            "must be an RFC 3339 time with offset, such as 2026-11-23T19:28:00Z"
        )
    try:
        moment = dt.datetime.fromisoformat(value.replace("z", "Z"))
    except ValueError:
        raise ValueError(
            "must be an RFC 3339 time with offset, such as 2026-11-23T19:28:00Z"
        ) from None
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
            web_searches=self.server_tool_use.web_search_requests
            if self.server_tool_use
            else 0,
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


def parse_event(raw: Any) -> ReportedEvent | EventResult:
    """The event, or its `invalid` result with what is wrong at which field."""
    try:
        event = EventIn.model_validate(raw)
    except ValidationError as error:
        given = raw.get("id") if isinstance(raw, dict) else None
        errors = tuple(
            (detail["loc"], _sentence(detail["msg"]))
            for detail in error.errors(include_url=False)
        )
        return EventResult(
            given if isinstance(given, str) else None, "invalid", errors=errors
        )
    return ReportedEvent(
        id=event.id,
        member=str(event.member),
        surface=event.surface,
        model=event.model,
        occurred_at=event.occurred_at,
        usage=event.usage.priced(),
        authorization=event.authorization
        if isinstance(event.authorization, str)
        else None,
        labels=event.labels or {},
    )


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
