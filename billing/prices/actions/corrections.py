"""What operators decide about prices: a rate, a factor (M2, M3a).

Each is a new row, kept in the audit; `sync_prices` leaves it alone from then on.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from billing.models import ModelPrice, PriceFactor, PriceSource
from billing.models.prices import MOST_MILLIONTHS
from billing.prices.actions.syncing import factor_row, price_row
from billing.prices.actions.telling import (
    FactorChange,
    RateChange,
    tell_of_factors,
    tell_who_pays,
)
from billing.prices.actions.version import count_version_up, lock_price_list
from billing.prices.audit import factor_value, price_values
from billing.prices.queries.holding import rates_of, rows_holding, rows_in_force
from billing.prices.queries.listed import PriceKey
from billing.prices.queries.published import PublishedFactor
from billing.prices.rules import PricedModel
from config.kit.errors import BusinessError


@transaction.atomic
def correct_price(
    key: PriceKey, *, rates: dict[str, int], actor: Actor, now: dt.datetime
) -> ModelPrice:
    """An operator's price for a provider's model, start date and context tier: a new
    row; the one in force is superseded. The tiers beside it go on at a new start.

    Rates are nano-USD per million tokens (per thousand searches).
    """
    lock_price_list()
    provider, model, starts_on, context_above = key
    holding = rows_holding(rows_in_force(PricedModel(provider, model)), starts_on)
    same = [rates_of(row) for row in holding if row.context_above == context_above]
    held = same[0] if same else None
    for row in holding:
        if row.starts_on != starts_on and row.context_above != context_above:
            beside = (provider, model, starts_on, row.context_above)
            _enter(_operators_row(beside, rates_of(row), now))
    price = _operators_row(key, rates, now)
    _enter(price)
    from_value, to_value = price_values(
        starts_on, context_above, before=held, after=rates
    )
    named = {"provider": provider, "model": model}
    record_change(
        None,
        actor=actor,
        action="prices.correct",
        subject=f"{provider}/{model or 'fallback'}",
        now=now,
        from_value=from_value and from_value | named,
        to_value=to_value | named,
    )
    change = RateChange(key, held, rates)
    tell_who_pays([change], action="prices.correct", actor=actor, now=now)
    return price


def _operators_row(
    key: PriceKey, rates: dict[str, int], now: dt.datetime
) -> ModelPrice:
    return price_row(key, rates=rates, source=PriceSource.OPERATOR, now=now)


@transaction.atomic
def enter_factor(
    factor: PublishedFactor, *, actor: Actor, now: dt.datetime
) -> PriceFactor:
    """An operator's factor: a new row; the one in force for the same condition, value,
    pattern and start is superseded.

    Raises BusinessError `factor_amount` for one that is not above 0: what is free has
    rates of 0, and a factor of 0 is a slip.
    """
    _refuse_out_of_bounds(factor.millionths)
    lock_price_list()
    row = factor_row(factor, source=PriceSource.OPERATOR, now=now)
    old = _enter(row)
    before = old["millionths"] if old else None
    condition, value, pattern, starts_on = factor[:4]
    named = {"condition": condition, "value": value, "pattern": pattern}
    record_change(
        None,
        actor=actor,
        action="prices.factor",
        subject=f"{condition}={value} {pattern}",
        now=now,
        from_value=before and factor_value(before, starts_on) | named,
        to_value=factor_value(factor.millionths, starts_on) | named,
    )
    tell_of_factors(
        [FactorChange(*factor[:4], before, factor.millionths)], actor=actor, now=now
    )
    return row


def _refuse_out_of_bounds(millionths: int) -> None:
    if not 0 < millionths <= MOST_MILLIONTHS:
        raise BusinessError(
            _("A factor is above 0 and at most 100: 1100000 millionths are × 1.1."),
            code="factor_amount",
            status=422,
            field="millionths",
        )


def _enter(row: ModelPrice | PriceFactor) -> dict[str, Any] | None:
    """Write an operator's row in the place of the one in force for the same, which is
    superseded and returned; None where there was none.
    """
    same = {name: getattr(row, name) for name in row.KEY}
    in_force = type(row).objects.in_force().filter(**same)
    old: dict[str, Any] | None = in_force.values().first()
    in_force.update(superseded_at=row.created_at)
    row.save()
    count_version_up()
    return old
