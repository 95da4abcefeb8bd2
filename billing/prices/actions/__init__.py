"""Prices come in: from the package, and from operators."""

from __future__ import annotations

from billing.prices.actions.corrections import correct_price, enter_factor, map_name
from billing.prices.actions.syncing import PriceChanges, sync_prices

__all__ = ["PriceChanges", "correct_price", "enter_factor", "map_name", "sync_prices"]
