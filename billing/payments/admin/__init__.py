"""Operators' pages of payments, what gateways told, and the ledger."""

from __future__ import annotations

from billing.payments.admin import ledger, payments

__all__ = ["ledger", "payments"]
