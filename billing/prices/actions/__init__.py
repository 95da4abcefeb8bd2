"""Prices come in: from the package, and from operators."""

from __future__ import annotations

from billing.prices.actions.allowances import end_allowance, set_allowance
from billing.prices.actions.corrections import correct_price, enter_factor
from billing.prices.actions.first import enter_first_rows
from billing.prices.actions.names import end_name, map_name
from billing.prices.actions.syncing import PriceChanges, sync_prices

__all__ = [
    "PriceChanges",
    "correct_price",
    "end_allowance",
    "end_name",
    "enter_factor",
    "enter_first_rows",
    "map_name",
    "set_allowance",
    "sync_prices",
]
