"""Amounts as whole nano-USD. Nothing here is a float."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

NANOS = 1_000_000_000
MOST = 10**18  # nano-USD; no cap and no balance is larger


def nanos_of(text: object) -> int | None:
    """Nano-USD of a decimal text of USD; None for null and for what is no amount."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        nanos = Decimal(text) * NANOS
    except InvalidOperation:
        return None
    if not nanos.is_finite() or abs(nanos) > MOST:
        return None
    return int(nanos)


def usd(nanos: int) -> str:
    """An amount of at least 0 for a sentence: `$0.0042`, `$12.30`."""
    dollars, rest = divmod(max(0, nanos), NANOS)
    digits = f"{rest:09d}".rstrip("0")
    return f"${dollars}.{digits[:4].ljust(2, '0')}"
