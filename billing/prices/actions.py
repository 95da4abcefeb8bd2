"""Prices come in (M2, M4): from the `genai-prices` package and from operators.

History stays; every change is audited.

Money moves nowhere here; `metering.actions.repricing` books what a change means for events
already priced.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from genai_prices.types import ModelInfo, StartDateConstraint, TieredPrices
from genai_prices.types import ModelPrice as PackagePrice

from accounts.actions.audit import Actor, record_change, record_for_many
from billing.models import ModelPrice, PriceList, PriceSource
from billing.models.prices import RATE_FIELDS, SINCE_ALWAYS
from billing.prices.audit import price_values
from billing.prices.queries import anthropic, organizations_using
from config.kit.money import NANOS_PER_USD

PriceKey = tuple[str, dt.date, int]
# Rate field by the package's price keys. The first that has a price counts, as in the
# package itself: a class without a rate of its own is charged like the class that
# contains it; a search without one is free.
PACKAGE_KEYS = {
    "input_nanos": ("input_mtok",),
    "output_nanos": ("output_mtok",),
    "cache_write_5m_nanos": ("cache_write_mtok", "input_mtok"),
    "cache_write_1h_nanos": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "cache_read_nanos": ("cache_read_mtok", "input_mtok"),
    "web_search_nanos": ("web_searches_kcount",),
}


class RateChange(NamedTuple):
    """The rates of one row before (None: there was none) and after."""

    key: PriceKey
    before: dict[str, int] | None
    after: dict[str, int]


@dataclass(slots=True)
class PriceChanges:
    """What a synchronisation did, row by row."""

    added: list[PriceKey] = field(default_factory=list)
    corrected: list[PriceKey] = field(default_factory=list)
    kept_by_operator: list[PriceKey] = field(default_factory=list)
    unchanged: int = 0
    rates: list[RateChange] = field(default_factory=list)


@transaction.atomic
def sync_prices(*, actor: Actor, now: dt.datetime) -> PriceChanges:
    """Bring the price list to what `genai-prices` and the fallback settings say; doing
    it again changes nothing.

    A changed rate supersedes its row and adds a new one; a row an operator entered is
    left as it is.
    """
    _lock_price_list()
    in_force = {
        (row.model, row.starts_on, row.context_above): row
        for row in ModelPrice.objects.in_force()
    }
    changes = PriceChanges()
    fallback = (("", SINCE_ALWAYS, 0), fallback_rates(), PriceSource.FALLBACK)
    for key, rates, source in [*package_prices(), fallback]:
        _bring_up_to_date(
            in_force.get(key), key, rates=rates, source=source, changes=changes, now=now
        )
    if changes.added or changes.corrected:
        _count_version_up()
        record_change(
            None,
            actor=actor,
            action="prices.sync",
            subject="genai-prices",
            now=now,
            to_value={"added": len(changes.added), "corrected": len(changes.corrected)},
        )
        _tell_who_pays(changes.rates, action="prices.sync", actor=actor, now=now)
    return changes


def _tell_who_pays(
    changes: list[RateChange], *, action: str, actor: Actor, now: dt.datetime
) -> None:
    """Owners read which prices changed of models that their people used (C8); others
    are not bothered.
    """
    users = organizations_using({change.key[0] for change in changes})
    for (model, starts_on, context_above), before, after in changes:
        from_value, to_value = price_values(
            starts_on, context_above, before=before, after=after
        )
        record_for_many(
            users.get(model, ()),
            actor=actor,
            action=action,
            subject=model or "fallback",
            now=now,
            from_value=from_value,
            to_value=to_value,
        )


def _bring_up_to_date(
    row: ModelPrice | None,
    key: PriceKey,
    *,
    rates: dict[str, int],
    source: PriceSource,
    changes: PriceChanges,
    now: dt.datetime,
) -> None:
    before = {name: getattr(row, name) for name in RATE_FIELDS} if row else None
    if row is None:
        changes.added.append(key)
    elif before == rates:
        changes.unchanged += 1
        return
    elif row.source == PriceSource.OPERATOR:
        changes.kept_by_operator.append(key)
        return
    else:
        changes.corrected.append(key)
        ModelPrice.objects.filter(pk=row.pk).update(superseded_at=now)
    changes.rates.append(RateChange(key, before, rates))
    _enter(key, rates=rates, source=source, now=now)


def package_prices() -> list[tuple[PriceKey, dict[str, int], PriceSource]]:
    """Every Anthropic rate of the installed `genai-prices`: by model, start date and
    context tier.
    """
    return [
        ((model.id, starts_on, start), _rates(price, start), PriceSource.PACKAGE)
        for model in anthropic().models
        for starts_on, price in _dated(model)
        for start in _tier_starts(price)
    ]


def _dated(model: ModelInfo) -> list[tuple[dt.date, PackagePrice]]:
    if isinstance(model.prices, PackagePrice):
        return [(SINCE_ALWAYS, model.prices)]
    dated = []
    for conditional in model.prices:
        constraint = conditional.constraint
        if constraint is not None and not isinstance(constraint, StartDateConstraint):
            raise NotImplementedError(
                f"{model.id} is priced by {type(constraint).__name__}, which is not supported."
            )
        dated.append(
            (constraint.start_date if constraint else SINCE_ALWAYS, conditional.prices)
        )
    return dated


def _tier_starts(price: PackagePrice) -> list[int]:
    tiered = [
        value for value in vars(price).values() if isinstance(value, TieredPrices)
    ]
    return [0, *sorted({tier.start for value in tiered for tier in value.tiers})]


def _rates(price: PackagePrice, start: int) -> dict[str, int]:
    return {
        name: _nanos(_first_price(price, keys), start)
        for name, keys in PACKAGE_KEYS.items()
    }


def _first_price(price: PackagePrice, keys: tuple[str, ...]) -> Decimal | TieredPrices:
    prices = (getattr(price, key) for key in keys)
    return next((value for value in prices if value is not None), Decimal(0))


def _nanos(price: Decimal | TieredPrices, start: int) -> int:
    if isinstance(price, TieredPrices):
        holding = [tier.price for tier in price.tiers if start and tier.start <= start]
        price = holding[-1] if holding else price.base
    return _whole_nanos(price * NANOS_PER_USD)


def _whole_nanos(nanos: Decimal) -> int:
    if nanos != nanos.to_integral_value():
        raise ValueError(f"The rate of {nanos} nano-USD is finer than a nano-dollar.")
    return int(nanos)


def fallback_rates() -> dict[str, int]:
    """Rates of a model nobody has a price for (M4), from the settings.

    Cache writes, cache reads and searches follow Anthropic's published multipliers of
    the input rate (1.25 for five minutes, 2 for an hour, 0.1 for reads) and $10 per
    thousand searches.
    """
    usd_in = Decimal(settings.FALLBACK_INPUT_USD_PER_MTOK)
    usd_out = Decimal(settings.FALLBACK_OUTPUT_USD_PER_MTOK)
    per_input = {
        "input_nanos": "1",
        "cache_write_5m_nanos": "1.25",
        "cache_write_1h_nanos": "2",
        "cache_read_nanos": "0.1",
    }
    rates = {
        name: _whole_nanos(usd_in * Decimal(times) * NANOS_PER_USD)
        for name, times in per_input.items()
    }
    return {
        **rates,
        "output_nanos": _whole_nanos(usd_out * NANOS_PER_USD),
        "web_search_nanos": 10 * NANOS_PER_USD,
    }


@transaction.atomic
def correct_price(
    key: PriceKey, *, rates: dict[str, int], actor: Actor, now: dt.datetime
) -> ModelPrice:
    """An operator's price for a model, start date and context tier: a new row; the one
    in force is superseded.

    `sync_prices` leaves it alone from then on. Rates are nano-USD per million tokens
    (per thousand searches).
    """
    _lock_price_list()
    model, starts_on, context_above = key
    in_force = ModelPrice.objects.in_force().filter(
        model=model, starts_on=starts_on, context_above=context_above
    )
    old_rates: dict[str, Any] | None = in_force.values(*RATE_FIELDS).first()
    in_force.update(superseded_at=now)
    price = _enter(key, rates=rates, source=PriceSource.OPERATOR, now=now)
    _count_version_up()
    subject = f"{model or 'fallback'} from {starts_on} above {context_above} tokens"
    record_change(
        None,
        actor=actor,
        action="prices.correct",
        subject=subject,
        now=now,
        from_value=old_rates,
        to_value=rates,
    )
    change = RateChange(key, old_rates, rates)
    _tell_who_pays([change], action="prices.correct", actor=actor, now=now)
    return price


def _lock_price_list() -> None:
    """Let one change of prices at a time in: the nightly job races with operators."""
    PriceList.objects.select_for_update().get_or_create(pk=1)


def _count_version_up() -> None:
    """Count the version up: each process reads the prices again at its next event."""
    PriceList.objects.filter(pk=1).update(version=F("version") + 1)


def _enter(
    key: PriceKey, *, rates: dict[str, int], source: PriceSource, now: dt.datetime
) -> ModelPrice:
    model, starts_on, context_above = key
    return ModelPrice.objects.create(
        model=model,
        starts_on=starts_on,
        context_above=context_above,
        source=source,
        created_at=now,
        **rates,
    )
