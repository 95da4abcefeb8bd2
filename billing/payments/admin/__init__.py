"""Operators' pages of payments, what gateways told, and the ledger; and the steps on them."""

from __future__ import annotations

from billing.payments.admin import (
    credit_steps,
    finders,
    ledger,
    needs,
    payments,
    refund_steps,
)

__all__ = ["credit_steps", "finders", "ledger", "needs", "payments", "refund_steps"]
