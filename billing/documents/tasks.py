"""Jobs that close months and bring invoices to the payment gateway.

Doors, so they read the clock. Safe to run twice, at once and late. Their names are those
of messages in the broker.
"""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from billing.documents import closing, gateway_events, gateway_sync
from billing.documents.queries.months import organizations_to_close
from billing.models import Invoice
from config.kit.clock import ClockIsOff, database_now
from config.kit.jobs import SWEEP_LIMIT, enqueue_now


@shared_task
def close_months(organization_id: int) -> int:
    """Close what is due or half-closed in one organization; how many months.

    None on a host whose clock is off, which was logged: the next sweep comes again.
    """
    with suppress(ClockIsOff):
        return len(closing.close_due(organization_id))
    return 0


@shared_task
def close_due_months() -> int:
    """Enqueue every organization with a month to close, however late; how many.

    None on a host whose clock is off, which was logged.
    """
    try:
        organization_ids = organizations_to_close(now=database_now())
    except ClockIsOff:
        return 0
    for organization_id in organization_ids:
        enqueue_now(close_months, organization_id)
    return len(organization_ids)


@shared_task
def send_invoice(invoice_id: int) -> bool:
    """Bring the gateway's copy of an invoice to what ours is; whether it was told now."""
    return gateway_sync.sync_invoice(invoice_id)


@shared_task
def send_due_invoices() -> int:
    """Enqueue every invoice that the gateway does not know as it is; how many."""
    due = Invoice.objects.to_send(timezone.now())
    invoice_ids = list(due.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for invoice_id in invoice_ids:
        enqueue_now(send_invoice, invoice_id)
    return len(invoice_ids)


@shared_task
def take_waiting_notices() -> int:
    """Work off what the gateway told of money that went back before anybody here knew
    the payment; how many.
    """
    return gateway_events.take_waiting(now=timezone.now())


@shared_task
def catch_up_with_gateway() -> int:
    """Ask the gateway for news of money that went back and never arrived; how many."""
    return gateway_events.catch_up()
