"""Issuing invoices and what becomes of them: paid, void, credited (P3).

What was issued is never edited.

Amounts are nano-USD, whole cents on documents.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.documents.parties import buyer_of, details_of, seller
from billing.documents.rules import tax_nanos, whole_cents
from billing.models import CreditNote, Invoice, Statement
from billing.payments.actions.owner_mails import queue_for_owners
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_CENT, format_usd
from config.kit.months import local_day

INVOICE, STATEMENT, CREDIT_NOTE = (
    "billing.invoice",
    "billing.statement",
    "billing.credit_note",
)
WITHIN = dt.timedelta(days=14)
# Below its minimum charge Stripe takes no payment: it would call the invoice paid and
# debit the customer's balance there
# (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
LEAST_ONLINE = 50 * NANOS_PER_CENT


def next_number(
    locked: Organization, model: type[Invoice] | type[CreditNote], *, infix: str = ""
) -> tuple[int, str]:
    """The next sequence and number of an organization's series, gap-free: taken in the
    transaction that uses it.
    """
    last = (
        model._default_manager.filter(organization=locked).aggregate(
            last=Max("sequence")
        )["last"]
        or 0
    )
    return last + 1, f"{locked.slug.upper()}-{infix}{last + 1:04d}"


def issue_invoice(
    locked: Organization, invoice: Invoice, *, now: dt.datetime
) -> list[int]:
    """Number a draft, date it, copy who sells and buys, and queue its mails; their ids.

    Nothing to pay: paid at once.
    """
    invoice.sequence, invoice.number = next_number(locked, Invoice)
    invoice.issued_at = now
    invoice.due_on = local_day(now, invoice.zone) + dt.timedelta(
        days=details_of(locked).due_days
    )
    invoice.seller, invoice.buyer = seller(), buyer_of(locked)
    invoice.status = Invoice.Status.OPEN if invoice.total_nanos else Invoice.Status.PAID
    fields = ["sequence", "number", "issued_at", "due_on", "seller", "buyer", "status"]
    if not invoice.total_nanos:
        invoice.settled_at = now
        fields.append("settled_at")
    elif settings.PAYMENT_GATEWAY == "stripe" and invoice.total_nanos >= LEAST_ONLINE:
        invoice.gateway, invoice.gateway_next_try_at = "stripe", now
        fields += ["gateway", "gateway_next_try_at"]
    invoice.save(update_fields=fields)
    return _tell(
        locked, INVOICE, key=str(invoice.pk), facts={"invoice": invoice.pk}, now=now
    )


def tell_of_statement(
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


@transaction.atomic
def mark_paid(
    invoice: Invoice, *, note: str, operator: User | None, now: dt.datetime
) -> Invoice:
    """The money came.

    The same again changes nothing. Raises BusinessError `invoice_not_open` for a void
    one.
    """
    locked = lock_organization(invoice.organization_id)
    fresh = Invoice.objects.get(pk=invoice.pk)
    if fresh.status == Invoice.Status.PAID:
        return fresh
    _check_open(fresh)
    return _settle(
        locked, fresh, Invoice.Status.PAID, note=note, operator=operator, now=now
    )


@transaction.atomic
def void_invoice(
    invoice: Invoice, *, reason: str, operator: User, now: dt.datetime
) -> Invoice:
    """Nothing is owed any more; number and lines stay.

    Raises BusinessError `invoice_not_open`, `reason_missing`.
    """
    locked = lock_organization(invoice.organization_id)
    fresh = Invoice.objects.get(pk=invoice.pk)
    _check_open(fresh)
    check_reason(reason)
    _check_credit_stays(fresh)
    return _settle(
        locked, fresh, Invoice.Status.VOID, note=reason, operator=operator, now=now
    )


def _settle(
    locked: Organization,
    invoice: Invoice,
    status: Invoice.Status,
    *,
    note: str,
    operator: User | None,
    now: dt.datetime,
) -> Invoice:
    before = invoice.status
    invoice.status, invoice.settled_at, invoice.settled_by = status, now, operator
    # Paid there is known there; whatever else an operator decides is told to the gateway.
    invoice.gateway_next_try_at = now if invoice.gateway and operator else None
    invoice.settled_note = note.strip()[:300]
    invoice.save(
        update_fields=[
            "status",
            "settled_at",
            "settled_by",
            "settled_note",
            "gateway_next_try_at",
        ]
    )
    record_change(
        locked,
        actor=(
            Actor.person(operator)
            if operator
            else Actor(label=invoice.gateway or "gateway")
        ),
        action="invoice.status",
        subject=invoice.number,
        now=now,
        from_value=before,
        to_value=status.value,
    )
    return invoice


@transaction.atomic
def issue_credit_note(
    invoice: Invoice,
    *,
    subtotal_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> tuple[CreditNote, list[int]]:
    """Take back a part of an invoice, before tax, with its tax; the note and the mails
    that are due.

    `key` names the press of the button: the same again answers the first note.

    An open invoice that is credited whole is settled by it. Raises BusinessError
    `credit_amount` beyond what is left of it, `invoice_not_open` for a draft or void
    one, `reason_missing`.
    """
    locked = lock_organization(invoice.organization_id)
    known = (
        CreditNote.objects.filter(organization=locked, invoice=invoice, key=key).first()
        if key
        else None
    )
    if known is not None:
        return known, []
    fresh = Invoice.objects.get(pk=invoice.pk)
    if fresh.status not in (Invoice.Status.OPEN, Invoice.Status.PAID):
        _check_open(fresh)
    said = check_reason(reason)
    tax, is_whole = _check_credit(fresh, subtotal_nanos)
    sequence, number = next_number(locked, CreditNote, infix="CN-")
    note = CreditNote.objects.create(
        organization=locked,
        invoice=fresh,
        sequence=sequence,
        number=number,
        subtotal_nanos=subtotal_nanos,
        tax_nanos=tax,
        total_nanos=subtotal_nanos + tax,
        reason=said,
        issued_at=now,
        issued_by=operator,
        key=key or uuid.uuid4().hex,
    )
    record_change(
        locked,
        actor=Actor.person(operator),
        action="invoice.credit_note",
        subject=f"{note.number} ({fresh.number})",
        now=now,
        from_value=None,
        to_value=note.total_nanos,
    )
    if fresh.gateway:
        Invoice.objects.filter(pk=fresh.pk).update(gateway_next_try_at=now)
    mails = _tell(
        locked, CREDIT_NOTE, key=str(note.pk), facts={"credit_note": note.pk}, now=now
    )
    if is_whole and fresh.status == Invoice.Status.OPEN:
        _settle(
            locked,
            fresh,
            Invoice.Status.PAID,
            note=note.number,
            operator=operator,
            now=now,
        )
    return note, mails


def _check_credit(invoice: Invoice, subtotal_nanos: int) -> tuple[int, bool]:
    """The tax that goes with an amount before tax, and whether nothing of the invoice
    is left then.
    """
    given = invoice.credit_notes.aggregate(
        subtotal=Sum("subtotal_nanos"), tax=Sum("tax_nanos")
    )
    left, tax_left = (
        invoice.subtotal_nanos - (given["subtotal"] or 0),
        invoice.tax_nanos - (given["tax"] or 0),
    )
    if subtotal_nanos <= 0 or subtotal_nanos % NANOS_PER_CENT or subtotal_nanos > left:
        words = {
            "amount": format_usd(subtotal_nanos),
            "left": format_usd(left),
            "number": invoice.number,
        }
        raise BusinessError(
            _(
                "%(amount)s can't be credited: %(number)s has %(left)s left before "
                "tax. Enter an amount in whole cents up to that."
            )
            % words,
            code="credit_amount",
            status=422,
            field="amount",
        )
    # The last one takes what is left of the tax, so that all notes together are the
    # invoice, to the cent.
    if subtotal_nanos == left:
        return tax_left, True
    return min(tax_left, tax_nanos(subtotal_nanos, rate=invoice.tax_rate)), False


def _check_credit_stays(invoice: Invoice) -> None:
    """A void invoice hands on what it took over; not any more once a later one was made
    without it.
    """
    later = Invoice.objects.filter(
        organization_id=invoice.organization_id, month_on__gt=invoice.month_on
    )
    if whole_cents(invoice.carried_in_nanos) < 0 and later.exists():
        words = {
            "number": invoice.number,
            "credit": format_usd(-invoice.carried_in_nanos),
        }
        raise BusinessError(
            _(
                "%(number)s includes a carried-over credit of %(credit)s, which "
                "would be lost if you voided it. Issue a credit note instead."
            )
            % words,
            code="credit_would_be_lost",
        )


def _check_open(invoice: Invoice) -> None:
    if invoice.status != Invoice.Status.OPEN:
        words = {
            "number": invoice.number or invoice,
            "status": invoice.get_status_display(),
        }
        raise BusinessError(
            _("%(number)s is not open but %(status)s, so nothing was changed.") % words,
            code="invoice_not_open",
        )
