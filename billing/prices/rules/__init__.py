"""What a request costs, and under which name and conditions. Pure."""

from __future__ import annotations

from billing.prices.rules.book import (
    FALLBACK,
    FIRST_PROVIDER,
    Charge,
    PriceBook,
    PricedModel,
    PriceHistory,
    Rates,
    cost_nanos,
)
from billing.prices.rules.factors import ONE, Applied, Factor, FactorBook
from billing.prices.rules.usage import (
    CONDITIONS,
    MESSAGE,
    TOKEN_CLASSES,
    Part,
    TokenClass,
    Usage,
    special_conditions,
)

__all__ = [
    "CONDITIONS",
    "FALLBACK",
    "FIRST_PROVIDER",
    "MESSAGE",
    "ONE",
    "TOKEN_CLASSES",
    "Applied",
    "Charge",
    "Factor",
    "FactorBook",
    "Part",
    "PriceBook",
    "PriceHistory",
    "PricedModel",
    "Rates",
    "TokenClass",
    "Usage",
    "cost_nanos",
    "special_conditions",
]
