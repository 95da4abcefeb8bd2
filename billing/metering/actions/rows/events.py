"""The events of a batch as rows of `UsageEvent`."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any, NamedTuple

from billing.metering.rules.events import ReportedEvent
from billing.metering.rules.funded import Funded
from billing.metering.rules.tally import DayKey
from billing.models import UsageEvent
from billing.prices.rules import Charge
from config.kit.sql import db_time, is_postgresql, rows_json, rowset

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
    """One event ready to be written; `windows` are those it counts in, by name, with
    the ISO time each opened at.
    """

    event: ReportedEvent
    digest: str
    key: DayKey
    month_on: dt.date
    recorded_at: dt.datetime
    charge: Charge
    funded: Funded
    windows: dict[str, str]
    prepaid: bool


def event_statement(
    rows: list[EventRow], *, organization_id: int
) -> tuple[str, list[str]]:
    """The statement that inserts the events, with its parameter."""
    values = [_values(row, organization_id) for row in rows]
    return _insert_events(is_postgresql()), [rows_json(values)]


@lru_cache(maxsize=2)
def _insert_events(postgresql: bool) -> str:
    columns = {
        field.attname: TYPES[field.get_internal_type()]
        for field in UsageEvent._meta.concrete_fields
        if not field.primary_key
    }
    names = ", ".join(columns)
    return (
        f"INSERT INTO billing_usageevent ({names}) SELECT {names} FROM"
        f" {rowset(columns)}"
    )


def _values(row: EventRow, organization_id: int) -> dict[str, Any]:
    """Every column but the id: what is missing here, NOT NULL refuses."""
    event = row.event
    return {
        "organization_id": organization_id,
        "membership_id": row.key.membership_id,
        "event_id": event.id,
        "content_digest": row.digest,
        "surface": event.surface,
        "model": event.model,
        "seat_tier": row.key.seat_tier,
        "occurred_at": db_time(event.occurred_at),
        "recorded_at": db_time(row.recorded_at),
        "month_on": row.month_on.isoformat(),
        "day_on": row.key.day_on.isoformat(),
        **event.usage.by_field(),
        "cost_nanos": row.charge.cost_nanos,
        "price_id": row.charge.price_id,
        "estimated": row.charge.estimated,
        "funding": row.funded.funding,
        "prepaid": row.prepaid,
        "funding_why": row.funded.why,
        "refusal_reason": row.funded.refusal_reason,
        "windows": row.windows,
        "labels": event.labels,
    }
