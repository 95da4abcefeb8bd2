"""Prices, factors and names come in from the `genai-prices` package and the settings
(M2, M3a, M4, M4a). History stays; every change is audited.

Money moves nowhere here; `metering.actions.repricing` books what a change means for events
already priced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from accounts.actions.audit import Actor, record_change
from billing.models import ModelAlias, ModelPrice, PriceFactor, PriceSource
from billing.models.prices import RATE_FIELDS, SINCE_ALWAYS
from billing.prices.actions.telling import (
    FactorChange,
    NameChange,
    RateChange,
    tell_of_factors,
    tell_of_names,
    tell_who_pays,
)
from billing.prices.actions.version import count_version_up, lock_price_list
from billing.prices.queries.listed import PriceKey, listed_prices
from billing.prices.queries.listing import is_listed
from billing.prices.queries.published import (
    SAME_PRICES,
    PublishedFactor,
    published_factors,
)
from billing.prices.rules import FALLBACK, PricedModel


@dataclass(slots=True)
class PriceChanges:
    """What a synchronisation did, row by row."""

    added: list[PriceKey] = field(default_factory=list)
    corrected: list[PriceKey] = field(default_factory=list)
    kept_by_operator: list[PriceKey] = field(default_factory=list)
    # What the package no longer has: of a model it has, superseded; of another, kept.
    retired: list[PriceKey] = field(default_factory=list)
    dropped: list[PriceKey] = field(default_factory=list)
    unchanged: int = 0
    rates: list[RateChange] = field(default_factory=list)
    factors: list[str] = field(default_factory=list)
    retired_factors: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    factor_changes: list[FactorChange] = field(default_factory=list)
    name_changes: list[NameChange] = field(default_factory=list)

    @property
    def is_any(self) -> bool:
        """Whether something changed."""
        return any(
            (
                self.added,
                self.corrected,
                self.retired,
                self.factors,
                self.retired_factors,
                self.names,
            )
        )


@transaction.atomic
def sync_prices(*, actor: Actor, now: dt.datetime) -> PriceChanges:
    """Bring the price list to what `genai-prices`, published factors and the fallback
    settings say; doing it again changes nothing.

    A changed rate supersedes its row and adds a new one, and one that is no longer listed
    for a model that still is has none; a row an operator entered is left as it is.
    """
    lock_price_list()
    changes = PriceChanges()
    _sync_rates(changes, now=now)
    _sync_factors(changes, now=now)
    _sync_names(changes, now=now)
    if changes.is_any:
        count_version_up()
        record_change(
            None,
            actor=actor,
            action="prices.sync",
            subject="genai-prices",
            now=now,
            to_value={
                "added": len(changes.added),
                "corrected": len(changes.corrected),
                "retired": len(changes.retired),
            },
        )
        tell_who_pays(changes.rates, action="prices.sync", actor=actor, now=now)
        tell_of_factors(changes.factor_changes, actor=actor, now=now)
        tell_of_names(changes.name_changes, actor=actor, now=now)
    return changes


def _sync_rates(changes: PriceChanges, *, now: dt.datetime) -> None:
    in_force = {
        (row.provider, row.model, row.starts_on, row.context_above): row
        for row in ModelPrice.objects.in_force()
    }
    entering = []
    listed = listed_prices()
    for key, rates, source in listed:
        row = in_force.get(key)
        before = {name: getattr(row, name) for name in RATE_FIELDS} if row else None
        if row is None:
            changes.added.append(key)
        elif before == rates:
            changes.unchanged += 1
            continue
        elif row.source == PriceSource.OPERATOR:
            changes.kept_by_operator.append(key)
            continue
        else:
            changes.corrected.append(key)
        changes.rates.append(RateChange(key, before, rates))
        entering.append(price_row(key, rates=rates, source=source, now=now))
    _retire(changes, in_force, {key: rates for key, rates, _source in listed})
    superseded = [in_force[key].pk for key in (*changes.corrected, *changes.retired)]
    ModelPrice.objects.filter(pk__in=superseded).update(superseded_at=now)
    ModelPrice.objects.bulk_create(entering, batch_size=500)


def _retire(
    changes: PriceChanges,
    in_force: dict[PriceKey, ModelPrice],
    listed: dict[PriceKey, dict[str, int]],
) -> None:
    """Prices in force that the package has no longer.

    Where it has the model, what it says now holds: a start date or a context tier was
    taken back. Where it has not, the last price stays: late events have one.
    """
    for key, row in in_force.items():
        if key in listed or row.source == PriceSource.OPERATOR:
            continue
        if row.model == FALLBACK or not is_listed(PricedModel(*key[:2])):
            changes.dropped.append(key)
            continue
        changes.retired.append(key)
        before = {name: getattr(row, name) for name in RATE_FIELDS}
        after = listed.get(_instead_of(key, listed))
        if after is not None and after != before:
            changes.rates.append(RateChange(key, before, after))


def _instead_of(key: PriceKey, listed: Iterable[PriceKey]) -> PriceKey:
    """The listed price that holds where there is none for `key`: of its model, else the
    provider's fallback.
    """
    provider, model, starts_on, context_above = key
    holding = [
        one
        for one in listed
        if one[:2] == (provider, model)
        and one[2] <= starts_on
        and one[3] <= context_above
    ]
    return max(holding, default=(provider, FALLBACK, SINCE_ALWAYS, 0))


def price_row(
    key: PriceKey, *, rates: dict[str, int], source: PriceSource, now: dt.datetime
) -> ModelPrice:
    """A price as a row, not yet written."""
    provider, model, starts_on, context_above = key
    return ModelPrice(
        provider=provider,
        model=model,
        starts_on=starts_on,
        context_above=context_above,
        source=source,
        created_at=now,
        **rates,
    )


def _sync_factors(changes: PriceChanges, *, now: dt.datetime) -> None:
    in_force = {
        (row.condition, row.value, row.pattern, row.starts_on): row
        for row in PriceFactor.objects.in_force()
    }
    entering = []
    factors = published_factors()
    for published in factors:
        row = in_force.get(published[:4])
        if row and (
            row.source == PriceSource.OPERATOR or row.millionths == published.millionths
        ):
            continue
        if row:
            PriceFactor.objects.filter(pk=row.pk).update(superseded_at=now)
        changes.factors.append(f"{published.condition}={published.value}")
        before = row.millionths if row else None
        changes.factor_changes.append(
            FactorChange(*published[:4], before, published.millionths)
        )
        entering.append(factor_row(published, source=PriceSource.PUBLISHED, now=now))
    PriceFactor.objects.bulk_create(entering)
    published_keys = {published[:4] for published in factors}
    retired = [row for key, row in in_force.items() if key not in published_keys]
    _retire_factors(changes, retired, now=now)


def _retire_factors(
    changes: PriceChanges, rows: Iterable[PriceFactor], *, now: dt.datetime
) -> None:
    """Factors that are published no longer, but for models that keep their last price."""
    for row in rows:
        provider, _slash, model = row.pattern.partition("/")
        is_dropped = "*" not in model and not is_listed(PricedModel(provider, model))
        if row.source == PriceSource.OPERATOR or is_dropped:
            continue
        PriceFactor.objects.filter(pk=row.pk).update(superseded_at=now)
        changes.retired_factors.append(f"{row.condition}={row.value} {row.pattern}")
        key = (row.condition, row.value, row.pattern, row.starts_on)
        changes.factor_changes.append(FactorChange(*key, row.millionths, None))


def factor_row(
    factor: PublishedFactor, *, source: PriceSource, now: dt.datetime
) -> PriceFactor:
    """A factor as a row, not yet written."""
    return PriceFactor(**factor._asdict(), source=source, created_at=now)


def _sync_names(changes: PriceChanges, *, now: dt.datetime) -> None:
    kept = set(ModelAlias.objects.values_list("name", flat=True))
    aliases = list(_published_names(kept, now=now))
    changes.names += [alias.name for alias in aliases]
    changes.name_changes += [
        NameChange(alias.name, None, f"{alias.provider}/{alias.model}")
        for alias in aliases
    ]
    ModelAlias.objects.bulk_create(aliases)


def _published_names(kept: set[str], *, now: dt.datetime) -> Iterable[ModelAlias]:
    for name, same in SAME_PRICES.items():
        if name not in kept:
            yield ModelAlias(
                name=name,
                provider=same.provider,
                model=same.model,
                source=PriceSource.PUBLISHED,
                created_at=now,
            )
