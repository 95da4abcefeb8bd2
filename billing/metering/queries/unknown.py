"""What operators have to tell the price list: models without a price, conditions without
a factor. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, NamedTuple

from django.db.models import Count, F, Max, Min, QuerySet, Sum

from billing.metering.queries.counted import counted_parts
from billing.models import UsageEvent, UsagePart
from billing.prices.rules import FALLBACK, PriceBook
from billing.prices.rules.names import canonical


class UnknownModelRow(NamedTuple):
    """A reported name that is charged at a fallback rate: how often, in how many
    organizations, how much, and when.
    """

    model: str
    provider: str
    events: int
    organizations: int
    cost_nanos: int
    first_at: dt.datetime
    last_at: dt.datetime


class MissingFactor(NamedTuple):
    """A condition that no factor is known for, at a model."""

    condition: str
    value: str
    model: str
    events: int


def unknown_models(book: PriceBook) -> list[UnknownModelRow]:
    """The names that have no price today, the dearest first."""
    events, parts = _at_fallbacks()
    rows = [*_grouped(events, prefix=""), *_grouped(parts, prefix="event__")]
    rows += _counted(book)
    merged: dict[tuple[str, str], UnknownModelRow] = {}
    for row in rows:
        if book.priced_model(row.model, row.provider).model != FALLBACK:
            continue
        before = merged.get((row.model, row.provider))
        merged[row.model, row.provider] = _together(before, row) if before else row
    return sorted(merged.values(), key=lambda row: (-row.cost_nanos, row.model))


def _at_fallbacks() -> tuple[QuerySet[UsageEvent], QuerySet[UsagePart]]:
    """Plain events, and parts, that were priced at a fallback, an operator's too."""
    estimated = {"estimated": True, "price__model": FALLBACK}
    return (
        UsageEvent.objects.filter(**estimated, is_split=False),
        UsagePart.objects.filter(**estimated),
    )


def spellings_in_use(name: str) -> set[str]:
    """The reported names that mean the same model as `name`, and are charged at a
    fallback: what is said of one holds for all.
    """
    plain = canonical(name)
    at_fallbacks = {
        model
        for rows in _at_fallbacks()
        for model in rows.order_by().values_list("model", flat=True).distinct()
    }
    # Of a price that is known nothing is left to book: more spellings do no harm.
    at_fallbacks |= {part.model for part in counted_parts()}
    return {name} | {model for model in at_fallbacks if canonical(model) == plain}


def _grouped(rows: QuerySet[Any], *, prefix: str) -> list[UnknownModelRow]:
    grouped = rows.values("model", told=F(f"{prefix}provider")).annotate(
        number=Count("pk"),
        organizations=Count(f"{prefix}organization", distinct=True),
        cost=Sum("cost_nanos"),
        first=Min(f"{prefix}occurred_at"),
        last=Max(f"{prefix}occurred_at"),
    )
    columns = ("model", "told", "number", "organizations", "cost", "first", "last")
    return [UnknownModelRow(*row) for row in grouped.order_by().values_list(*columns)]


def _counted(book: PriceBook) -> list[UnknownModelRow]:
    """Models that only a gateway's correction names, a row for each event."""
    return [
        UnknownModelRow(
            model=part.model,
            provider=part.provider,
            events=1,
            organizations=1,
            cost_nanos=part.cost_nanos(book),
            first_at=part.event.occurred_at,
            last_at=part.event.occurred_at,
        )
        for part in counted_parts()
        if book.priced_model(part.model, part.provider).model == FALLBACK
    ]


def _together(one: UnknownModelRow, other: UnknownModelRow) -> UnknownModelRow:
    return UnknownModelRow(
        one.model,
        one.provider,
        one.events + other.events,
        max(one.organizations, other.organizations),
        one.cost_nanos + other.cost_nanos,
        min(one.first_at, other.first_at),
        max(one.last_at, other.last_at),
    )


def missing_factors(book: PriceBook) -> list[MissingFactor]:
    """Conditions that were counted as 1 and that no factor is known for today either,
    the most used first.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    events = UsageEvent.objects.filter(estimated=True, is_split=False)
    for rows in (events, UsagePart.objects.filter(estimated=True)):
        kept = rows.filter(factors__isnull=False).values_list("model", "factors")
        for model, factors in kept.iterator(chunk_size=2_000):
            for condition, (value, millionths) in (factors or {}).items():
                if millionths is None:
                    found[condition, value, model] += 1
    missing = [
        MissingFactor(*key, count)
        for key, count in found.most_common()
        if not _has_factor(book, *key)
    ]
    return missing[:200]


def _has_factor(book: PriceBook, condition: str, value: str, model: str) -> bool:
    path = book.priced_model(model).path
    [factor] = book.factors.applied({condition: value}, model=path, on=dt.date.max)
    return factor.millionths is not None
