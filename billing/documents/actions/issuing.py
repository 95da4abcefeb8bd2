"""Issuing documents (P3): their numbers, their dates, who sells and buys, their mails.

Whoever calls holds the organization's lock. What was issued is never edited.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from accounts.models import Organization
from billing.models import CreditNote, EventType, Invoice, Series, Statement
from billing.notices.actions.publishing import publish
from billing.payments.actions.numbering import next_number
from billing.payments.actions.owner_mails import queue_for_owners
from billing.payments.parties import buyer_of, details_of, seller
from config.kit.money import NANOS_PER_CENT, to_decimal_text
from config.kit.months import local_day

# Kinds of mails; `documents.mails` writes them.
INVOICE = "billing.invoice"
STATEMENT = "billing.statement"
CREDIT_NOTE = "billing.credit_note"
WITHIN = dt.timedelta(days=14)
# Below its minimum charge Stripe takes no payment: it would call the invoice paid and
# debit the customer's balance there
# (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
LEAST_ONLINE = 50 * NANOS_PER_CENT


def issue_invoice(
    locked: Organization, invoice: Invoice, *, now: dt.datetime
) -> list[int]:
    """Issue a draft and queue its mails; the ids of those.

    Due days count from the day it is in the invoice's own zone. What comes to nothing
    is paid at once; what can be paid at Stripe is due to be sent there.
    """
    _number_and_date(locked, invoice, now=now)
    invoice.status = Invoice.Status.OPEN if invoice.total_nanos else Invoice.Status.PAID
    fields = ["sequence", "number", "issued_at", "due_on", "seller", "buyer", "status"]
    if not invoice.total_nanos:
        invoice.settled_at = now
        fields.append("settled_at")
    elif settings.PAYMENT_GATEWAY == "stripe" and invoice.total_nanos >= LEAST_ONLINE:
        invoice.gateway, invoice.gateway_next_try_at = "stripe", now
        fields += ["gateway", "gateway_next_try_at"]
    invoice.save(update_fields=fields)
    publish_invoice(locked, invoice, EventType.INVOICE_ISSUED, now=now)
    return _tell(
        locked, INVOICE, key=str(invoice.pk), facts={"invoice": invoice.pk}, now=now
    )


def publish_invoice(
    locked: Organization, invoice: Invoice, event_type: EventType, *, now: dt.datetime
) -> None:
    """Tell channels (N3) that an invoice was issued or paid, once each."""
    publish(
        locked,
        event_type,
        key=f"{event_type.value}:{invoice.pk}",
        data={
            "number": invoice.number,
            "month": f"{invoice.month_on:%Y-%m}",
            "total_usd": to_decimal_text(invoice.total_nanos),
            "due_on": invoice.due_on.isoformat() if invoice.due_on else None,
        },
        now=now,
    )


def _number_and_date(
    locked: Organization, invoice: Invoice, *, now: dt.datetime
) -> None:
    invoice.sequence, invoice.number = next_number(locked, Series.INVOICE)
    invoice.issued_at = now
    days_to_pay = dt.timedelta(days=details_of(locked).due_days)
    invoice.due_on = local_day(now, invoice.zone) + days_to_pay
    invoice.seller = seller()
    invoice.buyer = buyer_of(locked)


def queue_statement_mails(
    locked: Organization, statement: Statement, *, now: dt.datetime
) -> list[int]:
    """Queue the mails of a statement; their ids."""
    return _tell(
        locked,
        STATEMENT,
        key=str(statement.pk),
        facts={"statement": statement.pk},
        now=now,
    )


def queue_credit_note_mails(
    locked: Organization, note: CreditNote, *, now: dt.datetime
) -> list[int]:
    """Queue the mails of a credit note; their ids."""
    return _tell(
        locked, CREDIT_NOTE, key=str(note.pk), facts={"credit_note": note.pk}, now=now
    )


def _tell(
    locked: Organization,
    kind: str,
    *,
    key: str,
    facts: dict[str, object],
    now: dt.datetime,
) -> list[int]:
    """A mail to each owner and to the billing address, once each (P3)."""
    return queue_for_owners(
        locked,
        kind,
        key=key,
        facts=facts,
        now=now,
        within=WITHIN,
        and_billing_address=True,
    )
