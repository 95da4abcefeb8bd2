"""What the payment gateway says of our invoices: where they are paid, and that they were.

Writes rows only; `billing.documents.gateway_sync` asks, webhooks bring the rest.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from billing.documents.actions.settling import mark_paid
from billing.models import Invoice, PaymentCard
from billing.payments.gateways.base import GatewayEvent, SentInvoice
from config.kit.money import to_cents

log = structlog.get_logger(__name__)


def invoice_key(invoice: Invoice) -> str:
    """What names our invoice at the gateway."""
    return f"invoice-{invoice.pk}-{invoice.number}"


def claim_invoice(invoice_id: int, *, now: dt.datetime) -> Invoice | None:
    """Take an invoice that is to be sent; None when it is as it should be, or in other
    hands.
    """
    return Invoice.objects.select_related("organization").claim(invoice_id, now=now)


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
    if sent.payment_id:
        keep_payment(sent.gateway_id, sent.payment_id, gateway=invoice.gateway)
    if sent.is_paid:
        _take_payment(Invoice.objects.get(pk=invoice.pk), now=now)


def _take_payment(invoice: Invoice, *, now: dt.datetime) -> None:
    """Money came at the gateway: it pays an open invoice.

    For one that was paid another way, or is void, operators are told to give it back.
    One that is open again was paid by money that is known to be gone.
    """
    if invoice.reopened_at is not None:
        return
    if invoice.status == Invoice.Status.OPEN:
        mark_paid(invoice, note="", operator=None, now=now)
    elif invoice.settled_by is not None or invoice.status == Invoice.Status.VOID:
        log.warning("invoice.paid_again", invoice=invoice.pk, status=invoice.status)
        Invoice.objects.filter(pk=invoice.pk).update(
            gateway_error="Also paid at Stripe: refund it there."
        )


def keep_payment(invoice_id: str, payment_id: str, *, gateway: str) -> None:
    """Keep which payment paid the gateway's invoice, by which it tells that money went
    back; nothing where that invoice is none of ours.
    """
    if not invoice_id or not payment_id:
        return
    Invoice.objects.filter(gateway=gateway, gateway_id=invoice_id).update(
        gateway_payment_id=payment_id[:100]
    )


def retry_invoice_later(invoice: Invoice, *, error: str, now: dt.datetime) -> None:
    """It could not be sent: try again in 15 minutes, and show operators why."""
    Invoice.objects.retry_later(invoice, now=now, gateway_error=error[:300])


def take_paid_invoice(
    event: GatewayEvent, *, gateway: str, livemode: bool, now: dt.datetime
) -> None:
    """A verified event that an invoice was paid there: ours is paid, if it is that
    very one; else it is only logged.
    """
    if not event.invoice_key:
        return
    invoice = _invoice_of(event, gateway)
    is_it = invoice is not None and _is_about(event, invoice)
    if invoice is None or not is_it or event.livemode != livemode:
        log.warning("gateway_event.ignored", id=event.id, kind=event.kind)
        return
    _take_payment(invoice, now=now)
    keep_payment(event.gateway_id, event.payment_id, gateway=gateway)
    # Stripe's newer versions do not say here which payment it was: ask.
    unknown = Invoice.objects.filter(pk=invoice.pk, gateway_payment_id="")
    unknown.update(gateway_next_try_at=now)


def _invoice_of(event: GatewayEvent, gateway: str) -> Invoice | None:
    """Our invoice by the id in its key (see `invoice_key`); None for a key of others."""
    parts = event.invoice_key.split("-")
    if len(parts) < 3 or not parts[1].isdigit():
        return None
    return Invoice.objects.filter(gateway=gateway, pk=int(parts[1])).first()


def _is_about(event: GatewayEvent, invoice: Invoice) -> bool:
    """Whether key, amount, currency, customer and id are those of this invoice."""
    customer = PaymentCard.objects.filter(
        organization_id=invoice.organization_id, gateway=invoice.gateway
    ).first()
    expected = (
        invoice_key(invoice),
        to_cents(invoice.total_nanos),
        "usd",
        customer.customer_id if customer else "",
    )
    told = (
        event.invoice_key,
        event.amount_cents,
        event.currency,
        event.customer_id,
    )
    return told == expected and invoice.gateway_id in ("", event.gateway_id)
