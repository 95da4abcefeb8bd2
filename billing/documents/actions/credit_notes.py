"""Taking back a part of an invoice, or all of it, by a credit note (P3).

Amounts are nano-USD, whole cents on documents.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.documents.actions.issuing import queue_credit_note_mails
from billing.documents.actions.settling import refuse_unless_open, settle_invoice
from billing.documents.queries.documents import owed_nanos
from billing.documents.rules import Creditable
from billing.models import CreditNote, Invoice, Series
from billing.payments.actions.numbering import next_number
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_CENT, format_usd


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
    """Take back an amount before tax, with its tax; the note and the ids of its mails.

    `key` names the press of the button: the same again answers the first note. An open
    invoice that is credited whole is settled by it. Raises BusinessError
    `credit_amount` beyond what is left of the invoice, `invoice_not_open` for a draft or
    void one, `reason_missing`.
    """
    locked = lock_organization(invoice.organization_id)
    issued_before = _issued_by_key(invoice, key)
    if issued_before is not None:
        return issued_before, []
    current = Invoice.objects.get(pk=invoice.pk)
    left = check_credit_note(current, subtotal_nanos=subtotal_nanos)
    reason = check_reason(reason)
    note = CreditNote(
        organization=locked,
        invoice=current,
        subtotal_nanos=subtotal_nanos,
        tax_nanos=left.tax_of(subtotal_nanos, rate=current.tax_rate),
        reason=reason,
        issued_at=now,
        issued_by=operator,
        key=key or uuid.uuid4().hex,
    )
    _number_and_save(locked, note)
    mails = queue_credit_note_mails(locked, note, now=now)
    is_whole = subtotal_nanos == left.subtotal_nanos or _is_nothing_owed(note)
    _bring_to_invoice(locked, note, is_whole=is_whole)
    return note, mails


def check_credit_note(invoice: Invoice, *, subtotal_nanos: int) -> Creditable:
    """Raise what `issue_credit_note` would raise for this amount, and write nothing; what
    is left of the invoice before it.
    """
    if invoice.status != Invoice.Status.PAID:
        refuse_unless_open(invoice)
    left = left_to_credit(invoice)
    _refuse_amount(invoice, subtotal_nanos, left=left)
    return left


def credited_by_form(
    invoice: Invoice, *, key: str, subtotal_nanos: int | None
) -> CreditNote | None:
    """The note that a showing of the form issued; None where it issued none. Raises
    BusinessError `already_credited` where that took back another amount; no amount:
    whatever it was.
    """
    note = _issued_by_key(invoice, key)
    if note is None or subtotal_nanos in (None, note.subtotal_nanos):
        return note
    raise BusinessError(
        _(
            "This form was already used to issue %(number)s over %(amount)s, so nothing "
            "was issued this time. Open it again to issue another one."
        )
        % {"number": note.number, "amount": format_usd(note.total_nanos)},
        code="already_credited",
    )


def _is_nothing_owed(note: CreditNote) -> bool:
    """Of an invoice that is open again, the note may take all that went back."""
    return note.invoice.reopened_at is not None and not owed_nanos(note.invoice)


def _issued_by_key(invoice: Invoice, key: str) -> CreditNote | None:
    if not key:
        return None
    return CreditNote.objects.filter(
        organization_id=invoice.organization_id, invoice=invoice, key=key
    ).first()


def left_to_credit(invoice: Invoice) -> Creditable:
    """What of an invoice no credit note took back yet."""
    credited = invoice.credit_notes.aggregate(
        subtotal=Sum("subtotal_nanos"), tax=Sum("tax_nanos")
    )
    return Creditable(
        subtotal_nanos=invoice.subtotal_nanos - (credited["subtotal"] or 0),
        tax_nanos=invoice.tax_nanos - (credited["tax"] or 0),
    )


def _refuse_amount(invoice: Invoice, subtotal_nanos: int, *, left: Creditable) -> None:
    is_whole_cents = subtotal_nanos % NANOS_PER_CENT == 0
    if is_whole_cents and 0 < subtotal_nanos <= left.subtotal_nanos:
        return
    raise BusinessError(
        _(
            "%(amount)s can't be credited: %(number)s has %(left)s left before "
            "tax. Enter an amount in whole cents up to that."
        )
        % {
            "amount": format_usd(subtotal_nanos),
            "left": format_usd(left.subtotal_nanos),
            "number": invoice.number,
        },
        code="credit_amount",
        status=422,
        field="amount",
    )


def _number_and_save(locked: Organization, note: CreditNote) -> None:
    note.sequence, note.number = next_number(locked, Series.CREDIT_NOTE)
    note.total_nanos = note.subtotal_nanos + note.tax_nanos
    note.save(force_insert=True)
    record_change(
        locked,
        actor=Actor.person(note.issued_by, reason=note.reason),
        action="invoice.credit_note",
        subject=f"{note.number} ({note.invoice.number})",
        now=note.issued_at,
        from_value=None,
        to_value=note.total_nanos,
    )


def _bring_to_invoice(
    locked: Organization, note: CreditNote, *, is_whole: bool
) -> None:
    """Let the gateway hear of the note; one that takes the rest settles an open invoice."""
    invoice = note.invoice
    if invoice.gateway:
        Invoice.objects.filter(pk=invoice.pk).update(gateway_next_try_at=note.issued_at)
    if is_whole and invoice.status == Invoice.Status.OPEN:
        settle_invoice(
            locked,
            invoice,
            Invoice.Status.PAID,
            note=note.number,
            operator=note.issued_by,
            now=note.issued_at,
        )
