"""Operators' pages of prices, allowances, usage, counters, money and documents."""

from . import balance, documents, prices, usage

__all__ = ["balance", "documents", "prices", "usage"]
