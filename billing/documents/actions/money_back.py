"""Money of an invoice's payment that went back at the gateway: kept beside the invoice,
which stays as it was issued (P3).

A refund is somebody's decision, and a credit note is its document; until there is one,
operators are told. What a bank takes back for good was decided by nobody here, so the
invoice is open again. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.audit import record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.models import Dispute, Invoice, InvoiceRefund
from billing.payments.actions.disputes import (
    STRIPE,
    DisputeChange,
    keep_dispute,
    record_dispute,
)
from billing.payments.actions.owner_mails import queue_for_all
from billing.payments.gateways.money_back import (
    DisputeTold,
    MoneyBack,
    RefundedSoFar,
    RefundTold,
    moment_told,
)
from billing.payments.rules.refunded import (
    Kept,
    Unnamed,
    parts_accounted_for,
    unexplained_nanos,
)
from config.kit.money import NANOS_PER_CENT

# The kind of mail; `documents.mails` writes it.
MONEY_BACK = "billing.money_back"


@transaction.atomic
def take_invoice_money_back(
    invoice_id: int, told: MoneyBack, *, now: dt.datetime
) -> list[int]:
    """Keep what the gateway tells of the money that paid an invoice; the mails (ids).

    The same again, in any order and at once, changes nothing: all queue for the
    organization's lock, and rows are found by the gateway's ID.
    """
    organization_id = Invoice.objects.values_list("organization_id", flat=True).get(
        pk=invoice_id
    )
    locked = lock_organization(organization_id)
    invoice = Invoice.objects.get(pk=invoice_id)
    if isinstance(told, DisputeTold):
        return _take_dispute(locked, invoice, told, now=now)
    if isinstance(told, RefundTold):
        return _take_refund(locked, invoice, told, now=now)
    return _take_refunded_so_far(locked, invoice, told, now=now)


def _take_refund(
    locked: Organization, invoice: Invoice, told: RefundTold, *, now: dt.datetime
) -> list[int]:
    refund = invoice.refunds.filter(gateway_id=told.refund_id).first()
    is_to_tell = False
    if refund is None:
        refund, is_to_tell = _new_by_id(invoice, told, now=now)
    if told.is_failed and refund.failed_at is None:
        refund.failed_at, refund.failure = moment_told(told.told_at), told.failure
        refund.save(update_fields=["failed_at", "failure"])
        is_to_tell = True
    return _tell_refund(locked, refund, now=now) if is_to_tell else []


def _new_by_id(
    invoice: Invoice, told: RefundTold, *, now: dt.datetime
) -> tuple[InvoiceRefund, bool]:
    """The row of a refund whose ID is new, taken out of what was kept without an ID; and
    whether people are to be told of it. One that failed unseen is no news.
    """
    amount_nanos = told.amount_cents * NANOS_PER_CENT
    failed_at = moment_told(told.told_at) if told.is_failed else None
    taken_nanos = _absorb_unnamed(invoice, amount_nanos, failed_at=failed_at)
    refund = _row(
        invoice,
        amount_nanos,
        told=told,
        failed_at=None if taken_nanos else failed_at,
        now=now,
    )
    return refund, taken_nanos < amount_nanos and not told.is_failed


def _row(
    invoice: Invoice,
    amount_nanos: int,
    *,
    told: RefundTold | None = None,
    failed_at: dt.datetime | None = None,
    now: dt.datetime,
) -> InvoiceRefund:
    return InvoiceRefund.objects.create(
        invoice=invoice,
        gateway_id=told.refund_id if told else "",
        amount_nanos=amount_nanos,
        reason=told.reason if told else "",
        refunded_at=now,
        failed_at=failed_at,
        failure=told.failure if told and failed_at else "",
    )


def _absorb_unnamed(
    invoice: Invoice, amount_nanos: int, *, failed_at: dt.datetime | None
) -> int:
    """Take an amount out of what was kept without an ID; how much of it was there, and
    so has been told.
    """
    unnamed = {refund.pk: refund for refund in invoice.refunds.unnamed()}
    taken = parts_accounted_for(
        [
            Unnamed(one.pk, one.amount_nanos, one.refunded_at)
            for one in unnamed.values()
        ],
        amount_nanos,
        failed_at=failed_at,
    )
    for refund_id, nanos in taken.items():
        refund = unnamed[refund_id]
        refund.amount_nanos -= nanos
        if refund.amount_nanos:
            refund.save(update_fields=["amount_nanos"])
        else:
            refund.delete()
    return sum(taken.values())


def _take_refunded_so_far(
    locked: Organization, invoice: Invoice, told: RefundedSoFar, *, now: dt.datetime
) -> list[int]:
    """What goes beyond the refunds that are known; one that failed after this was told
    is in the sum too.
    """
    told_at = moment_told(told.told_at)
    missing_nanos = unexplained_nanos(
        told.amount_cents * NANOS_PER_CENT,
        [Kept(one.amount_nanos, one.failed_at) for one in invoice.refunds.all()],
        told_at=told_at,
    )
    if not missing_nanos:
        return []
    # Of one without an ID, when it was told: what failed before that is not in it.
    return _tell_refund(locked, _row(invoice, missing_nanos, now=told_at), now=now)


def _tell_refund(
    locked: Organization, refund: InvoiceRefund, *, now: dt.datetime
) -> list[int]:
    has_failed = refund.failed_at is not None
    invoice = refund.invoice
    # What was paid twice and is given back needs nobody any more.
    is_over = invoice.settled_by_id is not None or invoice.status == Invoice.Status.VOID
    if is_over and not has_failed:
        Invoice.objects.filter(pk=invoice.pk).update(gateway_error="")
    record_change(
        locked,
        actor=STRIPE,
        action="invoice.refund",
        subject=invoice.number,
        now=now,
        from_value=refund.amount_nanos if has_failed else None,
        to_value=0 if has_failed else refund.amount_nanos,
    )
    step = "refund_failed" if has_failed else "refunded"
    facts = {
        "invoice": invoice.pk,
        "step": step,
        "amount_nanos": refund.amount_nanos,
        "reason": refund.reason,
    }
    key = f"refund:{refund.pk}:{step}"
    return _queue(locked, key=key, facts=facts, now=now)


def _take_dispute(
    locked: Organization, invoice: Invoice, told: DisputeTold, *, now: dt.datetime
) -> list[int]:
    change = keep_dispute(
        locked, told, gateway=invoice.gateway, invoice=invoice, now=now
    )
    if not change.is_news:
        return []
    record_dispute(
        locked, change, action="invoice.dispute", subject=invoice.number, now=now
    )
    _follow(locked, invoice, change.dispute, now=now)
    return _tell_dispute(locked, invoice, change, now=now)


def _follow(
    locked: Organization, invoice: Invoice, dispute: Dispute, *, now: dt.datetime
) -> None:
    """Lost for good, the invoice is to be paid again; given back after all, it is paid."""
    is_lost = dispute.status == Dispute.Status.LOST and dispute.is_out
    was_paid_there = (
        invoice.status == Invoice.Status.PAID and invoice.settled_by_id is None
    )
    if is_lost and was_paid_there:
        _set_status(locked, invoice, Invoice.Status.OPEN, reopened_at=now, now=now)
    is_back = dispute.withdrawn_at is not None and not dispute.is_out
    if not is_back or invoice.reopened_at is None:
        return
    if invoice.status == Invoice.Status.OPEN:
        _set_status(locked, invoice, Invoice.Status.PAID, reopened_at=None, now=now)
    else:
        Invoice.objects.filter(pk=invoice.pk).update(
            gateway_error="Also paid at Stripe: refund it there."
        )


def _set_status(
    locked: Organization,
    invoice: Invoice,
    status: Invoice.Status,
    *,
    reopened_at: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """The day it was paid stays: credit notes since then are about what went back."""
    before = invoice.status
    invoice.status, invoice.reopened_at = status, reopened_at
    invoice.save(update_fields=["status", "reopened_at"])
    record_change(
        locked,
        actor=STRIPE,
        action="invoice.status",
        subject=invoice.number,
        now=now,
        from_value=before,
        to_value=status.value,
    )


def _tell_dispute(
    locked: Organization, invoice: Invoice, change: DisputeChange, *, now: dt.datetime
) -> list[int]:
    if not change.to_tell:
        return []
    facts = {
        "invoice": invoice.pk,
        "dispute": change.dispute.pk,
        "step": change.to_tell,
        "amount_nanos": change.dispute.amount_nanos,
    }
    key = f"dispute:{change.dispute.pk}:{change.to_tell}"
    return _queue(locked, key=key, facts=facts, now=now)


def _queue(
    locked: Organization, *, key: str, facts: dict[str, object], now: dt.datetime
) -> list[int]:
    return queue_for_all(
        locked, MONEY_BACK, key=key, facts=facts, now=now, and_billing_address=True
    )
