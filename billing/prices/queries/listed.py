"""Every rate of the installed `genai-prices` that a price row can hold, and the fallback
rates of each provider (M2, M4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from django.conf import settings
from genai_prices.types import ModelInfo, StartDateConstraint, TieredPrices
from genai_prices.types import ModelPrice as PackagePrice

from billing.models import PriceSource
from billing.models.prices import FIRST_PROVIDER, RATE_FIELDS, SINCE_ALWAYS
from billing.prices.queries.package import all_prices, is_free, providers
from billing.prices.rules import FALLBACK
from config.kit.money import NANOS_PER_USD

# Provider, model, start date, context tier.
PriceKey = tuple[str, str, dt.date, int]
PriceRow = tuple[PriceKey, dict[str, int], PriceSource]
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
# What every request costs beside its tokens, which no row can hold.
NOT_HELD = "requests_kcount"


def listed_prices() -> list[PriceRow]:
    """What the price list has to hold: the package's rates, and a fallback for each
    provider.
    """
    rows = package_prices()
    return [*rows, *_fallbacks(rows)]


def package_prices() -> list[PriceRow]:
    """Every rate by provider, model, start date and context tier.

    What its maker's list says is free of charge costs nothing. Left out are models whose
    price a row can't hold: by request, by the hour of the day, or by something else than
    tokens. They count as unknown, so that nobody is charged wrong in silence.
    """
    return [
        (
            (provider.id, model.id, starts_on, start),
            _rates(price, start),
            PriceSource.PACKAGE,
        )
        for provider in providers()
        for model in provider.models
        for starts_on, price in _dated(model)
        for start in _tier_starts(price)
    ]


@lru_cache(maxsize=1)
def _unheld_prices() -> list[PriceRow]:
    """The token rates of models that are left out: a fallback is not below them either."""
    return [
        (
            (provider.id, model.id, SINCE_ALWAYS, start),
            _rates(price, start),
            PriceSource.PACKAGE,
        )
        for provider in providers()
        for model in provider.models
        if not _dated(model)
        for price in all_prices(model)
        if price.input_mtok is not None or price.output_mtok is not None
        for start in _tier_starts(price)
    ]


def _dated(model: ModelInfo) -> list[tuple[dt.date, PackagePrice]]:
    """The model's prices by the UTC date they start; none where they can't be held."""
    if is_free(model):
        return [(SINCE_ALWAYS, PackagePrice())]
    if isinstance(model.prices, PackagePrice):
        dated = [(SINCE_ALWAYS, model.prices)]
    else:
        dated = []
        for number, conditional in enumerate(model.prices):
            # Before the first start, the package takes the first price.
            start = _starts_on(conditional.constraint) if number else SINCE_ALWAYS
            if start is None or (dated and start <= dated[-1][0]):
                return []
            dated.append((start, conditional.prices))
    return dated if all(_is_by_token(price) for _start, price in dated) else []


def _starts_on(constraint: object) -> dt.date | None:
    if constraint is None:
        return SINCE_ALWAYS
    return (
        constraint.start_date if isinstance(constraint, StartDateConstraint) else None
    )


def _is_by_token(price: PackagePrice) -> bool:
    has_tokens = price.input_mtok is not None or price.output_mtok is not None
    return has_tokens and getattr(price, NOT_HELD) is None


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
    # Some lists have rates that went through a float: 0.18000000000000002.
    return round(price * NANOS_PER_USD)


def _fallbacks(rows: list[PriceRow]) -> Iterator[PriceRow]:
    """The fallback of each provider: the settings', else its dearest rates today."""
    for provider in providers():
        rates = fallback_rates(provider.id, rows=rows)
        if any(rates.values()):
            yield (
                (provider.id, FALLBACK, SINCE_ALWAYS, 0),
                rates,
                PriceSource.FALLBACK,
            )


def dearest_rates(provider: str, *, rows: list[PriceRow]) -> dict[str, int]:
    """The highest rate of each token class among a provider's models, at what they cost
    from their last start on.
    """
    latest: dict[str, dt.date] = {}
    of_provider = [row for row in (*rows, *_unheld_prices()) if row[0][0] == provider]
    for (_provider, model, starts_on, _above), _rates_of_row, _source in of_provider:
        latest[model] = max(starts_on, latest.get(model, starts_on))
    current = [
        rates
        for (_provider, model, starts_on, _above), rates, _source in of_provider
        if starts_on == latest[model]
    ]
    dearest = {
        name: max((rates[name] for rates in current), default=0) for name in RATE_FIELDS
    }
    # Of old models that know no cache, a read costs what input does; a new one has one.
    reads = [
        rates["cache_read_nanos"]
        for rates in current
        if rates["cache_read_nanos"] < rates["input_nanos"]
    ]
    return {**dearest, "cache_read_nanos": max(reads, default=dearest["input_nanos"])}


def fallback_rates(
    provider: str = FIRST_PROVIDER, *, rows: list[PriceRow] | None = None
) -> dict[str, int]:
    """Rates of a model nobody has a price for (M4): the settings' where they are set,
    else the dearest among the provider's models.

    By the settings, cache writes, cache reads and searches follow Anthropic's published
    multipliers of the input rate (1.25 for five minutes, 2 for an hour, 0.1 for reads)
    and $10 per thousand searches.
    """
    usd_in = settings.FALLBACK_INPUT_USD_PER_MTOK
    usd_out = settings.FALLBACK_OUTPUT_USD_PER_MTOK
    if not usd_in or not usd_out:
        return dearest_rates(provider, rows=package_prices() if rows is None else rows)
    per_input = {
        "input_nanos": "1",
        "cache_write_5m_nanos": "1.25",
        "cache_write_1h_nanos": "2",
        "cache_read_nanos": "0.1",
    }
    rates = {
        name: _whole_nanos(Decimal(usd_in) * Decimal(times) * NANOS_PER_USD)
        for name, times in per_input.items()
    }
    return {
        **rates,
        "output_nanos": _whole_nanos(Decimal(usd_out) * NANOS_PER_USD),
        "web_search_nanos": 10 * NANOS_PER_USD,
    }


def _whole_nanos(nanos: Decimal) -> int:
    if nanos != nanos.to_integral_value():
        raise ValueError(f"The rate of {nanos} nano-USD is finer than a nano-dollar.")
    return int(nanos)


def undercharging_fallbacks() -> list[str]:
    """The providers whose fallback rates, set by hand, are below what one of their models
    costs: there an unknown model may be charged too little.
    """
    rows = package_prices()
    names: list[str] = []
    for provider in providers():
        dearest = dearest_rates(provider.id, rows=rows)
        rates = fallback_rates(provider.id, rows=rows)
        if any(rates[name] < dearest[name] for name in ("input_nanos", "output_nanos")):
            names.append(provider.id)
    return names
