"""The price list as members read it: what each model costs now, its rates with their
dates, and what multiplies them (M2, M3a). Read-only.

Rates are nano-USD per million tokens, per thousand web searches; dates are UTC dates.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from billing.models import ModelPrice, PriceFactor, SeatAllowance, UsageDay
from billing.prices.queries.book import ORGANIZATION
from billing.prices.queries.holding import rows_in_force
from billing.prices.rules import FALLBACK, PriceBook, PricedModel, Rates


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as the list shows it: what it costs today, whether larger contexts cost
    more, and when its next rates start.

    `called` are the names under which an organization used it; `is_fallback` where
    none of the lists has a price for them (M4).
    """

    priced: PricedModel
    rates: Rates
    has_tiers: bool = False
    next_on: dt.date | None = None
    called: tuple[str, ...] = ()
    is_fallback: bool = False


def names_used(organization_id: int, *, since: dt.date) -> list[str]:
    """Under which names of models an organization used anything since a local day."""
    days = UsageDay.objects.filter(
        **{ORGANIZATION: organization_id}, day_on__gte=since
    ).order_by()
    return sorted(days.values_list("model", flat=True).distinct())


def models_used(
    names: Iterable[str], book: PriceBook, *, on: dt.date
) -> list[ListedModel]:
    """The models behind reported names, as they are priced on a UTC date."""
    called: dict[PricedModel, list[str]] = defaultdict(list)
    for name in names:
        called[book.priced_model(name)].append(name)
    models = [
        _listed(priced, book, on=on, called=tuple(of_model))
        for priced, of_model in called.items()
    ]
    return sorted(
        (one for one in models if one is not None),
        key=lambda one: (one.is_fallback, one.called or one.priced),
    )


def all_models(book: PriceBook, *, on: dt.date) -> list[ListedModel]:
    """Every model that has a price on a UTC date, by provider and name."""
    models = (
        _listed(priced, book, on=on)
        for priced in sorted(book.histories)
        if priced.model != FALLBACK
    )
    return [one for one in models if one is not None]


def models_called(models: Iterable[ListedModel], text: str) -> list[ListedModel]:
    """Those with every word of `text` in their path or in a name they are called by."""
    words = text.casefold().split()
    return [
        one
        for one in models
        if all(
            any(word in name.casefold() for name in (one.priced.path, *one.called))
            for word in words
        )
    ]


def _listed(
    priced: PricedModel, book: PriceBook, *, on: dt.date, called: tuple[str, ...] = ()
) -> ListedModel | None:
    """A model at its rates of a day; None for one whose rates start later."""
    if priced.model == FALLBACK:
        rates, _is_fallback = book.rates_for(priced, on=on, total_input=0)
        return ListedModel(priced, rates, called=called, is_fallback=True)
    history = book.histories[priced]
    rates_now = history.at(on, total_input=0)
    if rates_now is None:
        return None
    tiers = history.tiers[history.starts.index(rates_now.starts_on)]
    later = [start for start in history.starts if start > on]
    return ListedModel(
        priced,
        rates_now,
        has_tiers=len(tiers) > 1,
        next_on=min(later, default=None),
        called=called,
    )


@dataclass(frozen=True, slots=True)
class ModelRates:
    """The rates of one model, the newest start first and each start's context tiers in
    order, with the factors that may multiply them.
    """

    priced: PricedModel
    rows: list[ModelPrice]
    factors: list[PriceFactor]


def rates_of_model(priced: PricedModel) -> ModelRates:
    """Every rate in force of a model and the factors whose pattern it matches.

    Raises LookupError for a model without a price.
    """
    # PostgreSQL takes no NUL in a text, not even to look for it
    rows = [] if "\0" in priced.path else rows_in_force(priced)
    if not rows:
        raise LookupError(priced.path)
    rows.sort(key=lambda row: (-row.starts_on.toordinal(), row.context_above))
    factors = [
        factor
        for factor in PriceFactor.objects.in_force()
        if fnmatchcase(priced.path, factor.pattern)
    ]
    return ModelRates(priced, rows, factors)


def allowances_of_plan(plan: str) -> list[SeatAllowance]:
    """What the seats of a plan include: by seat tier, the shorter window first."""
    rows = SeatAllowance.objects.filter(plan=plan)
    return list(rows.order_by("-seat_tier", "length_seconds"))
