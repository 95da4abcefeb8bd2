"""What operators may do with an issued invoice: mark it as paid, void it, credit a part.

Each step has a form. The acts decide; here they are chosen and put into sentences.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.tasks import send_soon
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.settling import mark_paid, void_invoice
from billing.documents.queries.documents import credited_nanos
from billing.models import Invoice
from config.kit.fields import AmountField, KeyField
from config.kit.money import format_usd
from config.kit.one_line import validate_line

Typed = dict[str, Any]


class PaidForm(forms.Form):
    """How the money came."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=300,
        validators=[validate_line],
        required=False,
        help_text=gettext_lazy(
            "For example, the bank's reference. Owners will see it on the invoice."
        ),
    )


class VoidForm(forms.Form):
    """Why nothing is owed."""

    text = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("Owners will see it on the invoice."),
    )


class CreditNoteForm(forms.Form):
    """How much is taken back before tax, and why."""

    key = KeyField()
    amount = AmountField(label=gettext_lazy("Amount before tax (USD)"))
    text = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("Owners will see it on the credit note."),
    )


def pay(invoice: Invoice, typed: Typed, *, operator: User, now: dt.datetime) -> str:
    """The money came."""
    paid = mark_paid(invoice, note=typed["text"], operator=operator, now=now)
    return _("%(number)s is now marked as paid.") % {"number": paid}


def void(invoice: Invoice, typed: Typed, *, operator: User, now: dt.datetime) -> str:
    """Nothing is owed any more."""
    voided = void_invoice(invoice, reason=typed["text"], operator=operator, now=now)
    return _("%(number)s is now void.") % {"number": voided}


def credit(invoice: Invoice, typed: Typed, *, operator: User, now: dt.datetime) -> str:
    """A part is taken back; owners are mailed."""
    note, mails = issue_credit_note(
        invoice,
        subtotal_nanos=typed["amount"],
        reason=typed["text"],
        operator=operator,
        key=typed["key"],
        now=now,
    )
    send_soon(mails)
    facts = {"number": note.number, "amount": format_usd(note.total_nanos)}
    if invoice.status == Invoice.Status.PAID:
        return (
            _(
                "Credit note %(number)s: %(amount)s. The invoice was already paid, "
                "so you need to return the money yourself."
            )
            % facts
        )
    return _("Credit note %(number)s: %(amount)s") % facts


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its label, its form, and the act, which answers the sentence to show.

    The act raises BusinessError, whose field `reason` is the form's `text`.
    """

    label: str | Promise
    form: type[forms.Form]
    take: Callable[..., str]


STEPS = {
    "paid": Step(gettext_lazy("Mark as paid"), PaidForm, pay),
    "void": Step(gettext_lazy("Void"), VoidForm, void),
    "credit": Step(gettext_lazy("Issue a credit note"), CreditNoteForm, credit),
}


def steps_of(invoice: Invoice) -> list[str]:
    """What may be done with an invoice now."""
    if invoice.status == Invoice.Status.OPEN:
        return ["paid", "void", "credit"]
    is_paid = invoice.status == Invoice.Status.PAID
    if is_paid and credited_nanos(invoice) < invoice.total_nanos:
        return ["credit"]
    return []
