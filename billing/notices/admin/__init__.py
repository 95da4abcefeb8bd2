"""Operators' pages of notices, to read."""

from billing.notices.admin import channels

__all__ = ["channels"]
