"""The tax that a price includes. Pure: whole nano-USD."""

from __future__ import annotations

from config.kit.money import NANOS_PER_CENT, half_even

# 100 %, in the thousandths of a percent of a tax rate.
WHOLE_RATE = 100_000


def tax_within(total_nanos: int, *, rate: int) -> int:
    """The tax in an amount that includes it, at `rate` thousandths of a percent, rounded
    half-even to cents.
    """
    cents = half_even(total_nanos * rate, (WHOLE_RATE + rate) * NANOS_PER_CENT)
    return cents * NANOS_PER_CENT
