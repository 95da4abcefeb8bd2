"""Jobs of closing months and sending invoices: doors, so they read the clock.

Safe to run twice, at once and late.
"""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from billing.documents import closing, online_payment
from billing.documents.queries.months import organizations_to_close
from billing.models import Invoice
from config.kit.jobs import SWEEP_LIMIT


@shared_task
def close_months(organization_id: int) -> int:
    """Close the months of one organization that are due, and what was left half-closed;
    how many.
    """
    return len(closing.close_due(organization_id))


@shared_task
def close_due_months() -> int:
    """Enqueue every organization with a month to close, also one that was missed long ago;
    how many.
    """
    found = organizations_to_close(now=timezone.now())
    for organization_id in found:
        close_months.delay(organization_id)
    return len(found)


@shared_task
def send_invoice(invoice_id: int) -> bool:
    """Bring the gateway's invoice to what ours is; whether it was done now."""
    return online_payment.send_later(invoice_id)


@shared_task
def send_due_invoices() -> int:
    """Enqueue every invoice that the gateway does not know as it is; how many."""
    found = list(
        Invoice.objects.to_send(timezone.now()).values_list("pk", flat=True)[
            :SWEEP_LIMIT
        ]
    )
    for invoice_id in found:
        send_invoice.delay(invoice_id)
    return len(found)
