"""Operators' pages of prices, factors, names and what seats include."""

from __future__ import annotations

from billing.prices.admin import allowances, factors, prices

__all__ = ["allowances", "factors", "prices"]
