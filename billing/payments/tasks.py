"""Jobs of balances and payments: doors, so they read the clock.

Safe to run twice, at once and late.
"""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.models import Payment, Refund
from billing.payments import processing
from billing.payments.actions import short_balances
from billing.payments.queries.reloads import balances_at_threshold, balances_in_use
from config.kit.jobs import SWEEP_LIMIT, enqueue_now


@shared_task
def reload_if_due(organization_id: int) -> int | None:
    """Look after one prepaid balance: the reload that is due, and what owners have to
    know. The payment's id.
    """
    payment = processing.reload_if_due(organization_id, now=timezone.now())
    return payment.pk if payment else None


@shared_task
def reload_due_balances() -> int:
    """Enqueue the balances that have reached their threshold, whoever should have noticed
    before; how many.
    """
    # all of them: who stays below the threshold for ever must not hide the rest
    found = list(balances_at_threshold())
    for organization_id in found:
        enqueue_now(reload_if_due, organization_id)
    return len(found)


@shared_task
def note_short_balance(organization_id: int) -> bool:
    """Note where one balance would not last the month; whether it would not."""
    return short_balances.note_short_balance(organization_id, now=timezone.now())


@shared_task
def note_short_balances() -> int:
    """Enqueue every balance that is in use and that nothing reloads; how many."""
    found = list(balances_in_use())
    for organization_id in found:
        enqueue_now(note_short_balance, organization_id)
    return len(found)


@shared_task
def settle_payment(payment_id: int) -> str | None:
    """Ask what became of one payment; its status, None when there was nothing to ask."""
    payment = processing.settle_due(payment_id)
    if payment is None:
        return None
    enqueue_now(reload_if_due, payment.organization_id)
    return payment.status


@shared_task
def settle_refund(refund_id: int) -> str | None:
    """Ask what became of one refund; its status, None when there was nothing to ask."""
    refund = processing.settle_due_refund(refund_id)
    return refund.status if refund else None


@shared_task
def settle_unknown() -> int:
    """Enqueue every payment and refund whose outcome is not known and that nobody is
    asking about; how many.
    """
    now = timezone.now()
    payments = list(
        Payment.objects.due(now)
        .order_by("next_check_at")
        .values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    refunds = list(
        Refund.objects.due(now)
        .order_by("next_check_at")
        .values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    for payment_id in payments:
        enqueue_now(settle_payment, payment_id)
    for refund_id in refunds:
        enqueue_now(settle_refund, refund_id)
    return len(payments) + len(refunds)
