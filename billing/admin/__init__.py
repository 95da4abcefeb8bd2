"""Operators' pages of prices, allowances, usage and counters."""

from . import prices, usage

__all__ = ["prices", "usage"]
