"""The rooms' jobs, where Celery looks for them, and the one that is about all rooms."""

from __future__ import annotations

import structlog
from celery import shared_task

from billing import books
from billing.documents.tasks import (
    catch_up_with_gateway,
    close_due_months,
    close_months,
    send_due_invoices,
    send_invoice,
    take_waiting_notices,
)
from billing.ledger.tasks import roll_up_charges
from billing.metering.tasks import reprice_customer, tell_of_repricing
from billing.notices.tasks import (
    send_delivery,
    send_due_deliveries,
    tell_notice,
    tell_notices,
    tell_of_organization,
)
from billing.payments.tasks import (
    reload_due_balances,
    reload_if_due,
    settle_payment,
    settle_refund,
    settle_unknown,
)
from billing.prices.tasks import sync_model_prices
from billing.reports.tasks import mail_reports
from config.kit.waits import UNBOUNDED, wait_as

log = structlog.get_logger(__name__)
NAMED = 20  # differences that the log names


@shared_task(
    time_limit=7_000
)  # seconds: below the time after which Redis sends it again
def audit_books() -> int:
    """Prove the books as `manage.py audit_books` does; how many differences there are.

    Reads only, a statement at a time, so that it holds up nobody.
    """
    count = 0
    wait_as(UNBOUNDED)
    try:
        for difference in books.differences():
            count += 1
            if count <= NAMED:
                log.error("books.differ", difference=str(difference))
    finally:
        wait_as("")
    if count:
        log.error("books.not_clean", differences=count)
    return count


__all__ = [
    "audit_books",
    "catch_up_with_gateway",
    "close_due_months",
    "close_months",
    "mail_reports",
    "reload_due_balances",
    "reload_if_due",
    "reprice_customer",
    "roll_up_charges",
    "send_delivery",
    "send_due_deliveries",
    "send_due_invoices",
    "send_invoice",
    "settle_payment",
    "settle_refund",
    "settle_unknown",
    "sync_model_prices",
    "take_waiting_notices",
    "tell_notice",
    "tell_notices",
    "tell_of_organization",
    "tell_of_repricing",
]
