"""Factors and names that providers publish and no price list has (M3a, M4a).

Sources: https://platform.claude.com/docs/en/about-claude/pricing (batch, fast mode, data
residency, models of limited availability) and the variants of `genai-prices`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from genai_prices.types import (
    ModelInfo,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
)
from genai_prices.types import ModelPrice as PackagePrice

from billing.models.prices import SINCE_ALWAYS
from billing.prices.queries.package import providers
from billing.prices.rules import ONE, PricedModel

PRICING = "https://platform.claude.com/docs/en/about-claude/pricing"
PACKAGE = "genai-prices"


class PublishedFactor(NamedTuple):
    """A factor with where it comes from."""

    condition: str
    value: str
    pattern: str
    starts_on: dt.date
    millionths: int
    reference: str


# Inference in the US only costs 1.1 times from Claude Opus 4.6 on, batches half; fast
# mode of the models before Opus 4.8 cost six times.
US_MODELS = (
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-sonnet-4-6",
    "claude-opus-5*",
    "claude-sonnet-5*",
    "claude-haiku-5*",
    "claude-fable-5*",
    "claude-mythos-5*",
)
# Batches of Claude cost half at other clouds too.
BATCHES = {
    "google/claude-*": "https://cloud.google.com/vertex-ai/generative-ai/pricing",
    "aws/*anthropic.claude-*": "https://aws.amazon.com/bedrock/pricing/",
}
SIX_TIMES = ("claude-opus-4-6", "claude-opus-4-7")
# The same prices as another model, by the same page.
SAME_PRICES = {
    "claude-mythos-5": PricedModel("anthropic", "claude-fable-5"),
    "claude-mythos-5-1": PricedModel("anthropic", "claude-fable-5-1"),
}


def published_factors() -> list[PublishedFactor]:
    """All of them, each condition, value, pattern and start once."""
    own = [
        _anthropic("service_tier", "batch", "claude-*", "0.5"),
        *(
            PublishedFactor(
                "service_tier", "batch", pattern, SINCE_ALWAYS, ONE // 2, page
            )
            for pattern, page in BATCHES.items()
        ),
        *(_anthropic("inference_geo", "us", name, "1.1") for name in US_MODELS),
        *(_anthropic("speed", "fast", name, "6") for name in SIX_TIMES),
    ]
    by_key = {one[:4]: one for one in (*_variants(), *own)}
    return list(by_key.values())


def _anthropic(condition: str, value: str, name: str, times: str) -> PublishedFactor:
    millionths = int(Decimal(times) * ONE)
    return PublishedFactor(
        condition, value, f"anthropic/{name}", SINCE_ALWAYS, millionths, PRICING
    )


def _variants() -> Iterator[PublishedFactor]:
    """The package's variants that multiply every token class alike."""
    for provider in providers():
        for model in provider.models:
            for variant in model.price_variants or ():
                condition = _condition_of(variant)
                times = _times(model, variant)
                if condition is None or times is None:
                    continue
                yield PublishedFactor(
                    *condition,
                    f"{provider.id}/{model.id}",
                    _starts_on(variant),
                    int(times * ONE),
                    PACKAGE,
                )


def _condition_of(variant: PriceVariant) -> tuple[str, str] | None:
    """What a usage object says for it: a batch is told by `service_tier` there."""
    match list(variant.when.items()):
        case [("processing", "batch")]:
            return "service_tier", "batch"
        case [("speed" | "service_tier" as name, value)] if value != "default":
            return name, value
    return None


def _starts_on(variant: PriceVariant) -> dt.date:
    constraint = variant.constraint
    if isinstance(constraint, StartDateConstraint):
        return constraint.start_date
    return SINCE_ALWAYS


def _times(model: ModelInfo, variant: PriceVariant) -> Decimal | None:
    """What multiplies the standard rates to the variant's; None where that is not one
    number for all token classes.
    """
    standard = model.prices
    if not isinstance(standard, PackagePrice):
        standard = standard[-1].prices
    times = set()
    for name, price in vars(variant.prices).items():
        before = getattr(standard, name)
        if price is None or not name.endswith("_mtok"):
            continue
        if before is None or not _base(before):
            return None
        times.add(_base(price) / _base(before))
    if len(times) != 1:
        return None
    one = times.pop()
    return one if one * ONE == int(one * ONE) else None


def _base(price: Decimal | TieredPrices) -> Decimal:
    return price.base if isinstance(price, TieredPrices) else price
