"""Rates as people read them."""

from __future__ import annotations

from decimal import Decimal

from config.kit.money import NANOS_PER_USD


def rate_text(nanos: int) -> str:
    """A rate in USD as short decimal text: `5.00`, `0.375`."""
    usd = (Decimal(nanos) / NANOS_PER_USD).normalize()
    exponent = usd.as_tuple().exponent
    return f"{usd:.2f}" if isinstance(exponent, int) and exponent >= -2 else f"{usd:f}"
