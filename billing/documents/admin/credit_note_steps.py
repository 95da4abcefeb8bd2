"""The step that takes back an invoice, or a part of it, by a credit note. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.admin.steps import KeyedForm, Preview, Typed, register
from accounts.models import Organization
from accounts.panels import Effect
from accounts.tasks import send_soon
from billing.documents.actions.credit_notes import (
    check_credit_note,
    credited_by_form,
    issue_credit_note,
    left_to_credit,
)
from billing.documents.actions.foreseeing import mails_of_a_document
from billing.documents.admin.invoice_steps import (
    CREDIT_NOTE,
    InvoiceForm,
    InvoiceStep,
)
from billing.documents.queries.documents import owed_nanos
from billing.models import Invoice
from config.kit.fields import AmountField
from config.kit.money import format_usd


class CreditNoteForm(KeyedForm, InvoiceForm):
    """How much is taken back before tax."""

    statuses = (Invoice.Status.OPEN, Invoice.Status.PAID)
    amount = AmountField(
        label=gettext_lazy("Amount before tax"),
        unit=gettext_lazy("USD"),
        required=False,
        help_text=gettext_lazy("Empty: all that is left of the invoice."),
    )


class CreditNoteStep(InvoiceStep):
    name, icon, order = CREDIT_NOTE, "receipt-2", 60
    label, short = gettext_lazy("Issue a credit note"), gettext_lazy("Credit note")
    form = CreditNoteForm
    foot = gettext_lazy(
        "Owners get it by mail, with the reason. It has a number of its own and can't be "
        "taken back."
    )

    def why_not(self, organization: Organization) -> str:
        """None is open or paid."""
        invoices = Invoice.objects.filter(organization=organization)
        creditable = invoices.filter(status__in=CreditNoteForm.statuses)
        return "" if creditable.exists() else _("There is no invoice to credit.")

    def done_before(self, organization: Organization, typed: Typed) -> str:
        """Issued by this form."""
        note = credited_by_form(
            typed["invoice"], key=typed["key"], subtotal_nanos=typed["amount"]
        )
        if note is None:
            return ""
        return _("%(number)s over %(amount)s was issued already by this form.") % {
            "number": note.number,
            "amount": format_usd(note.total_nanos),
        }

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """What is taken back with its tax, what is owed after it, and who is told."""
        invoice = typed["invoice"]
        subtotal = _amount(invoice, typed)
        left = check_credit_note(invoice, subtotal_nanos=subtotal)
        tax = left.tax_of(subtotal, rate=invoice.tax_rate)
        title = _("%(amount)s of %(number)s would be taken back.") % {
            "amount": format_usd(subtotal + tax),
            "number": invoice.number,
        }
        effects = [
            Effect(_("Before tax"), format_usd(subtotal)),
            Effect(_("Tax"), format_usd(tax)),
            Effect(
                _("Left of the invoice before tax"),
                format_usd(left.subtotal_nanos),
                format_usd(left.subtotal_nanos - subtotal),
            ),
            *_owed_effects(
                invoice, subtotal + tax, is_last=subtotal == left.subtotal_nanos
            ),
            _mails_effect(organization),
            *self.effects(organization, typed, now),
        ]
        return Preview(title, effects, button=_("Issue the credit note"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act; owners are mailed."""
        note, mails = issue_credit_note(
            typed["invoice"],
            subtotal_nanos=_amount(typed["invoice"], typed),
            reason=actor.reason,
            operator=operator_of(request),
            key=typed["key"],
            now=now,
        )
        send_soon(mails)
        return _("Credit note %(number)s: %(amount)s") % {
            "number": note.number,
            "amount": format_usd(note.total_nanos),
        }


def _amount(invoice: Invoice, typed: Typed) -> int:
    """As typed, else all that is left."""
    amount: int | None = typed["amount"]
    return left_to_credit(invoice).subtotal_nanos if amount is None else amount


def _owed_effects(invoice: Invoice, nanos: int, *, is_last: bool) -> list[Effect]:
    """What is owed of an open one; of one that is paid, that the money is another matter."""
    if invoice.status == Invoice.Status.PAID:
        sentence = _(
            "It is paid already, and no money goes back by this: return %(amount)s "
            "yourself."
        )
        return [Effect(sentence % {"amount": format_usd(nanos)}, is_warning=True)]
    owed = owed_nanos(invoice)
    after = 0 if is_last else max(0, owed - nanos)
    effects = [Effect(_("Owed"), format_usd(owed), format_usd(after))]
    if not after:
        effects.append(Effect(_("Nothing is left to pay, so it counts as settled.")))
    return effects


def _mails_effect(organization: Organization) -> Effect:
    mails = mails_of_a_document(organization)
    sentence = ngettext(
        "%(mails)d mail tells of it.", "%(mails)d mails tell of it.", mails
    )
    return Effect(sentence % {"mails": mails})


register(CreditNoteStep())
