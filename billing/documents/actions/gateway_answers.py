"""What the payment gateway says of our invoices: where they are paid, and that they were.

Writes rows only; `billing.documents.gateway_sync` asks, webhooks bring the rest.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from billing.documents.actions.settling import mark_paid
from billing.models import Invoice, PaymentCard
from billing.payments.gateways.base import Notice, SentInvoice
from config.kit.money import to_cents

log = structlog.get_logger(__name__)
# Longer than the gateway may take to answer all questions of one invoice.
CLAIM = dt.timedelta(minutes=5)
WAIT = dt.timedelta(minutes=15)


def invoice_key(invoice: Invoice) -> str:
    """What names our invoice at the gateway."""
    return f"invoice-{invoice.pk}-{invoice.number}"


def claim_invoice(invoice_id: int, *, now: dt.datetime) -> Invoice | None:
    """Take an invoice that is to be sent; None when it is as it should be, or in other
    hands.
    """
    won = (
        Invoice.objects.to_send(now)
        .filter(pk=invoice_id)
        .update(gateway_next_try_at=now + CLAIM)
    )
    return (
        Invoice.objects.select_related("organization").get(pk=invoice_id)
        if won
        else None
    )


@transaction.atomic
def keep_sent(invoice: Invoice, sent: SentInvoice, *, now: dt.datetime) -> None:
    """Keep where it is paid. Paid there is paid here.

    Races acts that change the invoice while the gateway is asked: they move the next
    try, and then it stays due.
    """
    Invoice.objects.filter(
        pk=invoice.pk, gateway_next_try_at=invoice.gateway_next_try_at
    ).update(gateway_next_try_at=None)
    Invoice.objects.filter(pk=invoice.pk).update(
        gateway_id=sent.gateway_id[:100], gateway_url=sent.url[:1000], gateway_error=""
    )
    if sent.is_paid:
        _take_payment(Invoice.objects.get(pk=invoice.pk), now=now)


def _take_payment(invoice: Invoice, *, now: dt.datetime) -> None:
    """Money came at the gateway: it pays an open invoice.

    For one that was paid another way, or is void, operators are told to give it back.
    """
    if invoice.status == Invoice.Status.OPEN:
        mark_paid(invoice, note="", operator=None, now=now)
    elif invoice.settled_by is not None:
        log.warning("invoice.paid_again", invoice=invoice.pk, status=invoice.status)
        Invoice.objects.filter(pk=invoice.pk).update(
            gateway_error="Also paid at Stripe: refund it there."
        )


def put_off_invoice(invoice: Invoice, *, error: str, now: dt.datetime) -> None:
    """It could not be sent: try again later, and show operators why."""
    Invoice.objects.filter(pk=invoice.pk).update(
        gateway_next_try_at=now + WAIT, gateway_error=error[:300]
    )


def take_paid_invoice(
    notice: Notice, *, gateway: str, livemode: bool, now: dt.datetime
) -> None:
    """A verified notice that an invoice was paid there.

    Ours is paid, if it is that very one; else it is only logged.
    """
    if not notice.invoice_key:
        return
    named = notice.invoice_key.split("-")
    found = Invoice.objects.filter(
        gateway=gateway,
        pk=int(named[1]) if len(named) > 2 and named[1].isdigit() else 0,
    )
    invoice = found.first()
    if invoice is None or notice.livemode != livemode or not _is_it(notice, invoice):
        log.warning("notice.ignored", id=notice.id, kind=notice.kind)
        return
    _take_payment(invoice, now=now)


def _is_it(notice: Notice, invoice: Invoice) -> bool:
    customer = PaymentCard.objects.filter(
        organization_id=invoice.organization_id, gateway=invoice.gateway
    ).first()
    ours = (
        invoice_key(invoice),
        to_cents(invoice.total_nanos),
        "usd",
        customer.customer_id if customer else "",
    )
    says = (
        notice.invoice_key,
        notice.amount_cents,
        notice.currency,
        notice.customer_id,
    )
    return ours == says and invoice.gateway_id in ("", notice.gateway_id)
