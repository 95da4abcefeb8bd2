"""What an installation starts with: the packaged prices, factors and names, and what seats
include until an operator enters the contract's amounts.

The same rows as migrations write; nothing is audited, since nobody changed anything.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from billing.models import (
    ModelAlias,
    ModelPrice,
    PriceFactor,
    PriceList,
    PriceSource,
    SeatAllowance,
    WindowName,
)
from billing.prices.actions.syncing import factor_row, price_row
from billing.prices.queries.listed import listed_prices
from billing.prices.queries.published import SAME_PRICES, published_factors
from config.kit.money import NANOS_PER_USD

HOUR = 3600
LENGTHS = {WindowName.SESSION: 5 * HOUR, WindowName.WEEK: 7 * 24 * HOUR}
# What a session and a week include, in whole USD at API rates.
ALLOWANCES = {
    ("team", "standard"): (1, 8),
    ("team", "premium"): (6, 48),
    ("enterprise_seat", "standard"): (1, 8),
    ("enterprise_seat", "premium"): (6, 48),
}


@transaction.atomic
def enter_first_rows(*, now: dt.datetime) -> bool:
    """Write them where there is no price list; whether there was none."""
    if PriceList.objects.exists():
        return False
    PriceList.objects.create(pk=1, version=1)
    SeatAllowance.objects.bulk_create(
        SeatAllowance(
            plan=plan,
            seat_tier=tier,
            name=name,
            length_seconds=LENGTHS[name],
            amount_nanos=amount * NANOS_PER_USD,
        )
        for (plan, tier), amounts in ALLOWANCES.items()
        for name, amount in zip(LENGTHS, amounts, strict=True)
    )
    _enter_prices(now=now)
    return True


def _enter_prices(*, now: dt.datetime) -> None:
    ModelPrice.objects.bulk_create(
        [
            price_row(key, rates=rates, source=source, now=now)
            for key, rates, source in listed_prices()
        ],
        batch_size=500,
    )
    PriceFactor.objects.bulk_create(
        factor_row(factor, source=PriceSource.PUBLISHED, now=now)
        for factor in published_factors()
    )
    ModelAlias.objects.bulk_create(
        ModelAlias(
            name=name, **same._asdict(), source=PriceSource.PUBLISHED, created_at=now
        )
        for name, same in SAME_PRICES.items()
    )
