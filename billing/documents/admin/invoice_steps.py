"""The steps that settle an issued invoice: mark it as paid, or void it. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.admin.steps import (
    Preview,
    ReasonForm,
    Step,
    Typed,
    register,
)
from accounts.admin.steps.choices import RowChoice, asked_for
from accounts.models import Organization
from accounts.panels import Effect
from billing.documents.actions.settling import (
    mark_paid,
    refuse_losing_a_carried_credit,
    refuse_unless_open,
    void_invoice,
)
from billing.documents.queries.documents import credited_nanos, owed_nanos
from billing.documents.words.documents import named_rate_text
from billing.models import Invoice
from config.kit.dates import dated_day_text, month_text
from config.kit.money import format_usd

CHANGE = "billing.change_invoice"
# The step of its own module.
CREDIT_NOTE = "credit-note"


class InvoiceForm(ReasonForm):
    """Which invoice, of those that are open."""

    statuses: ClassVar[tuple[str, ...]] = (Invoice.Status.OPEN,)
    invoice = RowChoice(Invoice, label=gettext_lazy("Invoice"))

    def prepare(self) -> None:
        """The customer's, newest first."""
        issued = Invoice.objects.issued().filter(organization=self.organization)
        issued = issued.prefetch_related("credit_notes", "refunds", "disputes")
        self.fields["invoice"].offer(  # type: ignore[attr-defined]
            issued,
            issued.filter(status__in=self.statuses),
            asked=asked_for(self, "invoice"),
            label=invoice_label,
        )


class InvoiceStep(Step):
    """One step on one invoice."""

    group, permission, form = "money", CHANGE, InvoiceForm

    def why_not(self, organization: Organization) -> str:
        """None is open."""
        invoices = Invoice.objects.filter(organization=organization)
        is_open = invoices.filter(status=Invoice.Status.OPEN).exists()
        return "" if is_open else _("No invoice is open.")

    def amounts(self, invoice: Invoice) -> list[Effect]:
        """What it says: net, tax and total."""
        return [
            Effect(_("Month"), month_text(invoice.month_on)),
            Effect(_("Before tax"), format_usd(invoice.subtotal_nanos)),
            Effect(
                named_rate_text(invoice.tax_label or _("Tax"), invoice.tax_rate),
                format_usd(invoice.tax_nanos),
            ),
            Effect(_("Total"), format_usd(invoice.total_nanos)),
        ]


class PaidStep(InvoiceStep):
    name, icon, order = "mark-paid", "circle-check", 50
    label = gettext_lazy("Mark an invoice as paid")
    short = gettext_lazy("Mark as paid")
    foot = gettext_lazy(
        "For money that came outside the gateway. The reason stands on the invoice: write "
        "the bank's reference. It can't be taken back."
    )

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """What is owed from then on, here and at the gateway."""
        invoice = typed["invoice"]
        refuse_unless_open(invoice)
        title = _("%(number)s would be paid.") % {"number": invoice.number}
        effects = [
            *self.amounts(invoice),
            Effect(_("Owed"), format_usd(owed_nanos(invoice)), format_usd(0)),
        ]
        if invoice.gateway:
            sentence = _("Its payment page at the gateway is closed.")
            effects.append(Effect(sentence))
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Mark as paid"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        paid = mark_paid(
            typed["invoice"], note=actor.reason, operator=operator_of(request), now=now
        )
        return _("%(number)s is now marked as paid.") % {"number": paid}


class VoidStep(InvoiceStep):
    name, icon, order, is_danger = "void", "circle-x", 70, True
    label, short = gettext_lazy("Void an invoice"), gettext_lazy("Void")
    foot = gettext_lazy(
        "Number and lines stay. It can't be taken back; to take back a part, issue a "
        "credit note."
    )

    def preview(
        self, organization: Organization, typed: Typed, now: dt.datetime
    ) -> Preview:
        """That nothing is owed, and that no other document bills the month."""
        invoice = typed["invoice"]
        refuse_unless_open(invoice)
        refuse_losing_a_carried_credit(invoice)
        title = _("Nothing of %(number)s would be owed any more.") % {
            "number": invoice.number
        }
        sentence = _("No other document bills %(usage)s of usage in %(month)s then.")
        facts = {
            "usage": format_usd(invoice.subtotal_nanos),
            "month": month_text(invoice.month_on),
        }
        effects = [
            *self.amounts(invoice),
            Effect(_("Owed"), format_usd(owed_nanos(invoice)), format_usd(0)),
            Effect(sentence % facts, is_warning=True),
        ]
        if invoice.gateway:
            effects.append(Effect(_("It is voided at the gateway too.")))
        effects += self.effects(organization, typed, now)
        return Preview(title, effects, button=_("Void"))

    def take(
        self,
        organization: Organization,
        typed: Typed,
        *,
        actor: Actor,
        now: dt.datetime,
        request: HttpRequest,
    ) -> str:
        """By the act."""
        voided = void_invoice(
            typed["invoice"],
            reason=actor.reason,
            operator=operator_of(request),
            now=now,
        )
        return _("%(number)s is now void.") % {"number": voided}


def invoice_label(invoice: Invoice) -> str:
    """Number, month, total and how it stands."""
    parts = [
        invoice.number,
        month_text(invoice.month_on),
        format_usd(invoice.total_nanos),
        str(invoice.get_status_display()),
    ]
    if invoice.status == Invoice.Status.OPEN and invoice.due_on:
        parts.append(_("due %(day)s") % {"day": dated_day_text(invoice.due_on)})
    return " · ".join(parts)


def steps_of(invoice: Invoice) -> list[str]:
    """The steps that may be taken on an invoice now."""
    if invoice.status == Invoice.Status.OPEN:
        return [PaidStep.name, CREDIT_NOTE, VoidStep.name]
    is_paid = invoice.status == Invoice.Status.PAID
    if is_paid and credited_nanos(invoice) < invoice.total_nanos:
        return [CREDIT_NOTE]
    return []


register(PaidStep(), VoidStep())
