"""Operators' steps on a customer's extra usage."""

from billing.caps.admin import switch_steps

__all__ = ["switch_steps"]
