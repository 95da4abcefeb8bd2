"""Reading reported events: what decides price and payer strictly, trifles as far as they
can be kept (E5a). The shapes of usage are in `shapes`.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from accounts.api_access import MemberRef
from billing.metering.actions.results import Errors
from billing.metering.api.odd_events import OddEvent, mended, odd_places
from billing.metering.api.shapes import (
    EXPECTED,
    MAX_MODEL,
    MAX_SEARCHES,
    MAX_TOKENS,
    ReadUsage,
    shape_of,
)
from billing.metering.rules.events import GATEWAY, SOURCES, ReportedEvent
from billing.models.surfaces import surface_name
from billing.prices.rules import TOKEN_CLASSES, Usage, special_conditions
from config.kit.strict_json import is_unsafe

MAX_LABELS, MAX_LABEL, MAX_PROVIDER, MAX_REQUEST_ID = 10, 60, 40, 200
NO_SURFACE = "must be a short name of a-z, 0-9, _ and -, such as claude_code"
NO_MOMENT = "must be an RFC 3339 time with offset, such as 2026-11-23T19:28:00Z"


# RFC 3339 allows a leap second, which Python doesn't know: the last moment before it.
_LEAP_SECOND = re.compile(r"(T\d\d:\d\d):60(\.\d+)?", re.IGNORECASE)


def _moment(value: Any) -> dt.datetime:
    """An RFC 3339 time with offset, as UTC."""
    if (
        not isinstance(value, str)
        or not 17 <= len(value) <= 40
        or value[10:11] not in ("T", "t", " ")
    ):
        raise ValueError(NO_MOMENT)
    if ":60" in value:
        value = _LEAP_SECOND.sub(r"\1:59.999999", value)
    try:
        moment = dt.datetime.fromisoformat(value.replace("z", "Z"))
    except ValueError:
        raise ValueError(NO_MOMENT) from None
    if moment.tzinfo is None:
        raise ValueError("has no offset; send UTC such as 2026-11-23T19:28:00Z")
    if not 1999 < moment.year < 9000:
        raise ValueError("must lie between the years 2000 and 8999")
    return moment.astimezone(dt.UTC)


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class EventIn(_Lenient):
    """One event of `POST /usage`."""

    id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
    member: MemberRef | None = None  # needless with a personal token (X3)
    surface: Annotated[str, StringConstraints(strict=True, min_length=1)]
    model: Annotated[str, StringConstraints(strict=True, min_length=1)]
    occurred_at: Annotated[dt.datetime, BeforeValidator(_moment)]
    usage: Any  # read by its shape
    authorization: Any = None  # a bad one is ignored, whatever it is (E4)
    labels: Any = None  # trifles: kept as far as they can be (E5a)
    provider: Any = None
    source: Any = None
    request_id: Any = None


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
        notes: list[str] = []
        try:
            if isinstance(raw, OddEvent):
                raw = _safe(raw, notes)
            events.append(_reported(EventIn.model_validate(raw), raw, notes))
        except ValidationError as error:
            unreadable[position] = _unreadable(raw, _errors_of(error))
        except Unreadable as error:
            unreadable[position] = _unreadable(raw, error.errors)
    return ReadEvents(events, unreadable)


class Unreadable(ValueError):
    """An event that can't be read or priced: what is wrong, at which of its keys."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(errors)
        self.errors = errors


def _safe(event: OddEvent, notes: list[str]) -> dict[str, Any]:
    """Raises Unreadable for an event that is odd in more than its labels."""
    safe = mended(event, notes)
    if places := odd_places(safe):
        raise Unreadable(places)
    return safe


def _reported(event: EventIn, raw: dict[str, Any], notes: list[str]) -> ReportedEvent:
    model = _cut(event.model, MAX_MODEL, "The model's name", notes)
    read = _read_usage(event.usage, model)
    authorization = event.authorization
    return ReportedEvent(
        id=event.id,
        member=str(event.member or ""),
        surface=_surface(event.surface, notes),
        model=model,
        occurred_at=event.occurred_at,
        usage=read.usage,
        authorization=authorization if isinstance(authorization, str) else None,
        labels=_labels(event.labels, notes) if event.labels else {},
        provider=_provider(event.provider, notes) if event.provider else "",
        parts=read.parts,
        conditions=special_conditions(event.usage),
        source=_source(event.source, notes) if event.source else GATEWAY,
        request_id=_request_id(event.request_id, notes) if event.request_id else "",
        notes=(*read.notes, *notes),
        sent=raw,
    )


def _read_usage(usage: Any, model: str) -> ReadUsage:
    """Raises Unreadable."""
    if not isinstance(usage, dict):
        raise Unreadable(((("usage",), "Input should be a valid dictionary"),))
    shape = shape_of(usage)
    if shape is None:
        raise Unreadable(((("usage",), EXPECTED),))
    try:
        # Without nulls: of two spellings of a count, the other one may be given.
        if None in usage.values():
            usage = {key: value for key, value in usage.items() if value is not None}
        read = shape.model_validate(usage).read(model)
    except ValidationError as error:
        errors = tuple((("usage", *loc), message) for loc, message in _errors_of(error))
        raise Unreadable(errors) from error
    if read.parts:
        _check_sums(read.usage)
    return read


def _check_sums(usage: Usage) -> None:
    """The limit of each count holds for the sum of the parts too (E5a)."""
    for token_class, count in zip(TOKEN_CLASSES, usage.as_tuple(), strict=True):
        most = MAX_TOKENS if token_class.is_token else MAX_SEARCHES
        if count > most:
            message = f"adds up to {count:,}; one request can have {most:,} at most"
            raise Unreadable(((("usage", token_class.field), message),))


def _surface(text: str, notes: list[str]) -> str:
    """A free short name (X4). Raises Unreadable where nothing of it can stay one."""
    name = surface_name(text)
    if not name:
        raise Unreadable(((("surface",), NO_SURFACE),))
    if name != text:
        notes.append(
            f"A surface is written in a-z, 0-9, _ and -; it was taken as “{name}”."
        )
    return name


def _source(value: Any, notes: list[str]) -> str:
    if value in SOURCES:
        return str(value)
    notes.append(f"The source is none of {', '.join(SOURCES)}; taken as {GATEWAY}.")
    return GATEWAY


def _request_id(value: Any, notes: list[str]) -> str:
    """Never cut: two that are alike in their beginning are two requests."""
    text = _printable(value) if isinstance(value, str) else ""
    if not text:
        notes.append("The request_id is no text; it was dropped.")
    if len(text) <= MAX_REQUEST_ID:
        return text
    notes.append(
        f"The request_id has more than {MAX_REQUEST_ID} characters; it was dropped."
    )
    return ""


def _provider(value: Any, notes: list[str]) -> str:
    if not isinstance(value, str):
        notes.append("The provider is no text; it was dropped.")
        return ""
    return _cut(_printable(value).lower(), MAX_PROVIDER, "The provider", notes)


def _labels(value: Any, notes: list[str]) -> dict[str, str]:
    """What of the labels can be kept: up to ten short texts by key (E5a).

    The shortest keys first, whatever order they came in: a retry keeps the same (E6).
    """
    if not isinstance(value, dict):
        notes.append("The labels are no object; they were dropped.")
        return {}
    labels: dict[str, str] = {}
    keys = value if len(value) == 1 else sorted(sorted(value), key=len)
    for key in keys:
        text = _label_text(value[key])
        name = _printable(key)
        short = name[:MAX_LABEL]
        if not text or not name:
            notes.append(f"The label “{short}” has no text; it was dropped.")
        elif short in labels:
            notes.append(f"Another label is kept as “{short}” too; one was dropped.")
        elif len(labels) == MAX_LABELS:
            notes.append(f"More than {MAX_LABELS} labels: “{short}” was dropped.")
        else:
            name = _cut(name, MAX_LABEL, "The key of a label", notes)
            labels[name] = _cut(text, MAX_LABEL, f"The label “{name}”", notes)
    return labels


def _label_text(value: Any) -> str:
    """A label's value as text: numbers and booleans as JSON writes them."""
    if isinstance(value, bool | int | float):
        return json.dumps(value) if math.isfinite(value) else ""
    return _printable(value) if isinstance(value, str) else ""


def _printable(text: str) -> str:
    """Without what no database and no page can show."""
    return text.replace("\0", "").strip()


def _cut(text: str, most: int, what: str, notes: list[str]) -> str:
    if len(text) <= most:
        return text
    notes.append(f"{what} has {len(text)} characters; it was cut to {most}.")
    return text[:most]


def _unreadable(raw: Any, errors: Errors) -> UnreadableEvent:
    given = raw.get("id") if isinstance(raw, dict) else None
    is_shown = isinstance(given, str) and not is_unsafe(given)
    return UnreadableEvent(given if is_shown else None, errors)


def _errors_of(error: ValidationError) -> Errors:
    return tuple(
        (detail["loc"], detail["msg"].removeprefix("Value error, "))
        for detail in error.errors(include_url=False)
    )
