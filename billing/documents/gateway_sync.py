"""Tells the payment gateway what our invoices are, so that owners can pay them online.

A door: it reads the clock and asks the gateway, never inside a transaction.
`actions.gateway_answers` keeps what comes back.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import structlog
from django.utils import timezone

from billing.documents.actions.gateway_answers import (
    claim_invoice,
    invoice_key,
    keep_sent,
    retry_invoice_later,
)
from billing.documents.queries.documents import credited_nanos
from billing.models import Invoice
from billing.payments.cards import customer_of
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import (
    GatewayForgot,
    GatewayRefused,
    GatewayUnknown,
    InvoiceOrder,
)
from config.kit.money import to_cents

log = structlog.get_logger(__name__)


def sync_invoice(invoice_id: int) -> bool:
    """Tell the gateway what an invoice is now, if that is due; whether it was told.

    What the gateway refuses, or does not answer, is kept in the row and tried again.
    """
    invoice = claim_invoice(invoice_id, now=timezone.now())
    if invoice is None:
        return False
    try:
        sent = gateway_named(invoice.gateway).send_invoice(
            _order(invoice, now=timezone.now())
        )
    except (GatewayUnknown, GatewayRefused, GatewayForgot, LookupError) as error:
        log.warning("invoice.not_sent", invoice=invoice.pk, error=str(error))
        retry_invoice_later(invoice, error=str(error), now=timezone.now())
        return False
    keep_sent(invoice, sent, now=timezone.now())
    return True


def _order(invoice: Invoice, *, now: dt.datetime) -> InvoiceOrder:
    assert invoice.due_on is not None
    due_at = dt.datetime.combine(
        invoice.due_on, dt.time(23, 59), ZoneInfo(invoice.zone)
    )
    return InvoiceOrder(
        key=invoice_key(invoice),
        number=invoice.number,
        gateway_id=invoice.gateway_id,
        customer_id=customer_of(invoice.organization),
        description=f"Extra usage {invoice.month_on:%Y-%m}, invoice {invoice.number}",
        amount_cents=to_cents(invoice.total_nanos),
        credited_cents=to_cents(credited_nanos(invoice)),
        status=invoice.status,
        # it may be sent late, and no due date lies in the past
        due_at=max(due_at, now + dt.timedelta(days=1)),
    )
