"""The rooms' jobs, where Celery looks for them."""

from billing.documents.tasks import (
    catch_up_with_gateway,
    close_due_months,
    close_months,
    send_due_invoices,
    send_invoice,
    take_waiting_notices,
)
from billing.ledger.tasks import roll_up_charges
from billing.payments.tasks import (
    reload_due_balances,
    reload_if_due,
    settle_payment,
    settle_refund,
    settle_unknown,
)
from billing.prices.tasks import sync_model_prices

__all__ = [
    "catch_up_with_gateway",
    "close_due_months",
    "close_months",
    "reload_due_balances",
    "reload_if_due",
    "roll_up_charges",
    "send_due_invoices",
    "send_invoice",
    "settle_payment",
    "settle_refund",
    "settle_unknown",
    "sync_model_prices",
    "take_waiting_notices",
]
