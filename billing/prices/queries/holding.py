"""Which rates hold on a day. Read-only."""

from __future__ import annotations

import datetime as dt

from billing.models import ModelPrice
from billing.models.prices import RATE_FIELDS
from billing.prices.rules import PricedModel


def rows_in_force(priced: PricedModel) -> list[ModelPrice]:
    """All rates of a model that no correction superseded, by start and context tier."""
    rows = ModelPrice.objects.in_force().filter(
        provider=priced.provider, model=priced.model
    )
    return list(rows.order_by("starts_on", "context_above"))


def rows_holding(rows: list[ModelPrice], on: dt.date) -> list[ModelPrice]:
    """Of a model's rows those that hold on a UTC date: all context tiers of the latest
    start; none before the first.
    """
    latest = max((row.starts_on for row in rows if row.starts_on <= on), default=None)
    return [row for row in rows if row.starts_on == latest]


def rates_of(row: ModelPrice) -> dict[str, int]:
    """A row's rates by field, in nano-USD."""
    return {name: getattr(row, name) for name in RATE_FIELDS}
