"""Jobs of the billing app: doors of their own, so they read the clock. Safe to run twice, at once and late."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.actions.audit import Actor
from billing import closing, invoice_sending, paying
from billing.actions.ledger import roll_up_days
from billing.actions.prices import sync_prices
from billing.models import Invoice, Payment, PendingCharge, Refund
from billing.queries.months import organizations_to_close
from billing.queries.reloads import balances_to_tend
from config.kit.sweeps import each

log = structlog.get_logger(__name__)
SWEPT = 1_000


@shared_task
def sync_model_prices() -> tuple[int, int]:
    """Take over the rates of the installed price package and the settings; how many rows were added and corrected."""
    changes = sync_prices(actor=Actor(label="nightly price job"), now=timezone.now())
    return len(changes.added), len(changes.corrected)


@shared_task
def tend_balance(organization_id: int) -> int | None:
    """Look after one prepaid balance: the reload that is due, and what owners have to know. The payment's id."""
    payment = paying.tend(organization_id, now=timezone.now())
    return payment.pk if payment else None


@shared_task
def tend_balances() -> int:
    """Poke the balances that have reached their threshold, whoever should have noticed before; how many."""
    found = list(balances_to_tend())  # all of them: who stays below the threshold for ever must not hide the rest
    for organization_id in found:
        tend_balance.delay(organization_id)
    return len(found)


@shared_task
def settle_payment(payment_id: int) -> str | None:
    """Ask what became of one payment; its status, None when there was nothing to ask."""
    payment = paying.settle_later(payment_id)
    if payment is None:
        return None
    tend_balance.delay(payment.organization_id)
    return payment.status


@shared_task
def settle_refund(refund_id: int) -> str | None:
    """Ask what became of one refund; its status, None when there was nothing to ask."""
    refund = paying.refund_later(refund_id)
    return refund.status if refund else None


@shared_task
def settle_unknown() -> int:
    """Poke every payment and refund whose outcome is not known and that nobody is asking about; how many."""
    now = timezone.now()
    payments = list(Payment.objects.due(now).order_by("next_check_at").values_list("pk", flat=True)[:SWEPT])
    refunds = list(Refund.objects.due(now).order_by("next_check_at").values_list("pk", flat=True)[:SWEPT])
    for payment_id in payments:
        settle_payment.delay(payment_id)
    for refund_id in refunds:
        settle_refund.delay(refund_id)
    return len(payments) + len(refunds)


@shared_task
def roll_up_charges() -> int:
    """Move the usage of local days that are over into the ledgers; how many entries."""
    organizations = list(PendingCharge.objects.values_list("organization_id", flat=True).distinct())
    return sum(each(organizations, lambda pk: roll_up_days(pk, now=timezone.now()), failed="billing.roll_up_failed"))


@shared_task
def close_months(organization_id: int) -> int:
    """Close the months of one organization that are due, and what was left half-closed; how many."""
    return len(closing.close_due(organization_id))


@shared_task
def close_due_months() -> int:
    """Poke every organization with a month to close, also one that was missed long ago; how many."""
    found = organizations_to_close(now=timezone.now())
    for organization_id in found:
        close_months.delay(organization_id)
    return len(found)


@shared_task
def send_invoice(invoice_id: int) -> bool:
    """Bring the gateway's invoice to what ours is; whether it was done now."""
    return invoice_sending.send_later(invoice_id)


@shared_task
def send_due_invoices() -> int:
    """Poke every invoice that the gateway does not know as it is; how many."""
    found = list(Invoice.objects.to_send(timezone.now()).values_list("pk", flat=True)[:SWEPT])
    for invoice_id in found:
        send_invoice.delay(invoice_id)
    return len(found)
