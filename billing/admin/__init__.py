"""Operators' pages of prices, allowances, usage, counters and money."""

from . import balance, prices, usage

__all__ = ["balance", "prices", "usage"]
