"""The events of a batch as rows of `UsageEvent`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from billing.metering.rules.events import GATEWAY
from billing.metering.rules.funded import PricedEvent
from billing.metering.rules.pricing import kept_factors
from billing.metering.rules.tally import DayKey
from billing.models import UsageEvent
from config.kit.sql import is_postgresql, rows_json, rowset, time_as_text

# The types of PostgreSQL by Django's field, for the rows read out of the parameter.
TYPES = {
    "BigIntegerField": "bigint",
    "BooleanField": "boolean",
    "CharField": "text",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "ForeignKey": "bigint",
    "JSONField": "jsonb",
}


class EventRow(NamedTuple):
    """One event ready to be written: priced, and placed in its day and billing month."""

    priced: PricedEvent
    key: DayKey
    month_on: dt.date
    prepaid: bool


# What few events have: their columns are sent only with those, the others have defaults.
SELDOM = {
    "provider",
    "factors",
    "is_split",
    "source",
    "request_id",
    "unattributed_id",
}


def event_statement(
    rows: list[EventRow],
    *,
    names: dict[str, int],
    organization_id: int,
    key_id: int | None,
    recorded_at: dt.datetime,
) -> tuple[str, list[str]]:
    """The statement that inserts the events in the order sent, as the key reported them,
    with its parameter; `names` are the ids of those that nobody has (X2).
    """
    is_plain = all(_is_plain(row) for row in rows)
    as_text = time_as_text(is_postgresql())
    shared = {
        "organization_id": organization_id,
        "api_key_id": key_id,
        "recorded_at": as_text(recorded_at),
    }
    values = [_values(row, shared, as_text) for row in rows]
    if not is_plain:
        values = [
            {**value, **_seldom(row, names)}
            for value, row in zip(values, rows, strict=True)
        ]
    return _insert_events(is_postgresql(), is_plain), [rows_json(values)]


def _is_plain(row: EventRow) -> bool:
    event = row.priced.event
    return not (
        event.parts
        or event.conditions
        or event.provider
        or event.request_id
        or event.source != GATEWAY
        or row.priced.sent_as
    )


def _seldom(row: EventRow, names: dict[str, int]) -> dict[str, Any]:
    return {
        "unattributed_id": names.get(row.priced.sent_as),
        "provider": row.priced.event.provider,
        "factors": kept_factors(row.priced.charge.factors),
        "is_split": bool(row.priced.event.parts),
        "source": row.priced.event.source,
        "request_id": row.priced.event.request_id,
    }


@lru_cache(maxsize=4)
def _insert_events(postgresql: bool, is_plain: bool) -> str:
    columns = {
        field.attname: TYPES[field.get_internal_type()]
        for field in UsageEvent._meta.concrete_fields
        if not field.primary_key and not (is_plain and field.attname in SELDOM)
    }
    names = ", ".join(columns)
    return (
        f"INSERT INTO billing_usageevent ({names}) SELECT {names} FROM"
        f" {rowset(columns)}"
    )


def _values(
    row: EventRow, shared: dict[str, Any], as_text: Callable[[dt.datetime], str]
) -> dict[str, Any]:
    """Every column but the id and the seldom ones: what is missing here, NOT NULL
    refuses. `shared` are those that the whole batch has alike.

    Written out, since a full batch has a thousand of them.
    """
    priced = row.priced
    event = priced.event
    usage = event.usage
    charge = priced.charge
    funded = priced.funded
    return {
        **shared,
        "membership_id": row.key.membership_id,
        "event_id": event.id,
        "content_digest": priced.digest,
        "surface": event.surface,
        "model": event.model,
        "seat_tier": row.key.seat_tier,
        "occurred_at": as_text(event.occurred_at),
        "month_on": row.month_on.isoformat(),
        "day_on": row.key.day_on.isoformat(),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_write_5m_tokens": usage.cache_write_5m_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "web_searches": usage.web_searches,
        "cost_nanos": charge.cost_nanos,
        "price_id": charge.price_id,
        "estimated": charge.estimated,
        "funding": funded.funding,
        "prepaid": row.prepaid,
        "funding_why": funded.why,
        "promise": priced.promise_number,
        "refusal_reason": funded.refusal_reason,
        "windows": priced.windows,
        "labels": event.labels,
    }
