"""Operators' pages of closed months, invoices, credit notes, statements and terms.

Whatever has an act is done by it.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.models import User
from accounts.tasks import send_soon
from billing.documents.actions.details import set_terms
from billing.documents.actions.issuing import issue_credit_note, mark_paid, void_invoice
from billing.documents.queries.documents import credited_nanos
from billing.documents.words import rate_text
from billing.models import BillingDetails, BillingMonth, CreditNote, Invoice, Statement
from config.kit.admin import NoDelete, ReadOnly
from config.kit.errors import BusinessError
from config.kit.fields import AmountField, KeyField
from config.kit.money import format_usd


class PaidForm(forms.Form):
    """How the money came."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=300,
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
        help_text=gettext_lazy("Owners will see it on the invoice."),
    )


class CreditNoteForm(forms.Form):
    """How much is taken back before tax, and why."""

    key = KeyField()
    amount = AmountField(label=gettext_lazy("Amount before tax (USD)"))
    text = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Owners will see it on the credit note."),
    )


STEPS: dict[str, tuple[Any, type[forms.Form]]] = {
    "paid": (gettext_lazy("Mark as paid"), PaidForm),
    "void": (gettext_lazy("Void"), VoidForm),
    "credit": (gettext_lazy("Issue a credit note"), CreditNoteForm),
}


def take_step(
    invoice: Invoice, step: str, typed: dict[str, Any], *, operator: User
) -> str:
    """Do what an operator chose; the sentence that says so. Raises BusinessError."""
    now = timezone.now()
    if step == "paid":
        return _("%(number)s is now marked as paid.") % {
            "number": mark_paid(invoice, note=typed["text"], operator=operator, now=now)
        }
    if step == "void":
        return _("%(number)s is now void.") % {
            "number": void_invoice(
                invoice, reason=typed["text"], operator=operator, now=now
            )
        }
    note, mails = issue_credit_note(
        invoice,
        subtotal_nanos=typed["amount"],
        reason=typed["text"],
        operator=operator,
        key=typed["key"],
        now=now,
    )
    send_soon(mails)
    words = {"number": note.number, "amount": format_usd(note.total_nanos)}
    if invoice.status == Invoice.Status.PAID:
        return (
            _(
                "Credit note %(number)s: %(amount)s. The invoice was already paid, "
                "so you need to return the money yourself."
            )
            % words
        )
    return _("Credit note %(number)s: %(amount)s") % words


def steps_of(invoice: Invoice) -> list[str]:
    """What may be done with an invoice now."""
    if invoice.status == Invoice.Status.OPEN:
        return ["paid", "void", "credit"]
    return (
        ["credit"]
        if invoice.status == Invoice.Status.PAID
        and credited_nanos(invoice) < invoice.total_nanos
        else []
    )


class CreditNoteInline(ReadOnly, admin.TabularInline):
    model = CreditNote
    fields = ("number", "total_nanos", "reason", "issued_at", "issued_by")
    extra = 0


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, admin.ModelAdmin):
    """Every invoice; an open one can be marked as paid, voided or credited."""

    list_display = (
        "number",
        "organization",
        "month_on",
        "status",
        "total",
        "due_on",
        "settled_at",
        "gateway_error",
    )
    list_filter = ("status", "month_on")
    list_select_related = ("organization",)
    search_fields = ("number", "organization__slug", "gateway_id")
    date_hierarchy = "month_on"
    inlines = (CreditNoteInline,)
    fields = (
        "number",
        "organization",
        "month_on",
        "status",
        "total",
        "subtotal_nanos",
        "tax_label",
        "tax_rate",
        "tax_nanos",
        "exact_nanos",
        "carried_in_nanos",
        "carried_out_nanos",
        "carried_from",
        "starts_at",
        "ends_at",
        "zone",
        "issued_at",
        "due_on",
        "settled_at",
        "settled_by",
        "settled_note",
        "seller",
        "buyer",
        "gateway",
        "gateway_id",
        "gateway_url",
        "gateway_next_try_at",
        "gateway_error",
        "steps",
    )
    readonly_fields = ("total", "steps")

    @admin.display(description=gettext_lazy("Total"), ordering="total_nanos")
    def total(self, invoice: Invoice) -> str:
        """In USD."""
        return format_usd(invoice.total_nanos)

    @admin.display(description=gettext_lazy("Steps"))
    def steps(self, invoice: Invoice) -> str:
        """Links to what may be done now."""
        links = [
            (
                reverse("admin:billing_invoice_step", args=[invoice.pk, step]),
                STEPS[step][0],
            )
            for step in steps_of(invoice)
        ]
        return (
            format_html_join(" · ", '<a href="{}">{}</a>', links)
            if links
            else _("There is nothing to do.")
        )

    def get_urls(self) -> list[URLPattern]:
        """With the pages of steps."""
        view = self.admin_site.admin_view(self.step)
        view.access = "operators"  # type: ignore[attr-defined]
        return [
            path(
                "<int:invoice_id>/step/<slug:step>/", view, name="billing_invoice_step"
            ),
            *super().get_urls(),
        ]

    def step(self, request: HttpRequest, invoice_id: int, step: str) -> HttpResponse:
        """One step with its form."""
        if step not in STEPS:
            return redirect("admin:billing_invoice_change", invoice_id)
        if not request.user.has_perm("billing.change_invoice"):
            raise PermissionDenied
        invoice = get_object_or_404(
            Invoice.objects.issued().select_related("organization"), pk=invoice_id
        )
        title, form_class = STEPS[step]
        form = form_class(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                said = take_step(
                    invoice,
                    step,
                    form.cleaned_data,
                    operator=operator_of(request),
                )
            except BusinessError as error:
                field = {"reason": "text"}.get(error.field or "", error.field)
                form.add_error(field if field in form.fields else None, error.message)
            else:
                messages.info(request, said)
                return redirect("admin:billing_invoice_change", invoice_id)
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "invoice": invoice,
            "opts": self.model._meta,
            "title": f"{title}: {invoice}",
            "verb": title,
            "total": format_usd(invoice.total_nanos),
        }
        return render(
            request,
            "admin/billing/invoice/step.html",
            context,
            status=422 if form.errors else 200,
        )


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "number",
        "invoice",
        "organization",
        "total_nanos",
        "reason",
        "issued_at",
        "issued_by",
    )
    list_select_related = ("invoice", "organization", "issued_by")
    search_fields = ("number", "organization__slug")


@admin.register(Statement)
class StatementAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "month_on",
        "organization",
        "opening_nanos",
        "charges_nanos",
        "closing_nanos",
        "issued_at",
    )
    list_filter = ("month_on",)
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)


@admin.register(BillingMonth)
class BillingMonthAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "month_on",
        "organization",
        "state",
        "zone",
        "frozen_at",
        "closed_at",
    )
    list_filter = ("state", "month_on")
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)


class TermsForm(forms.ModelForm):
    """Tax as a percentage, and days to pay."""

    tax_percent = forms.DecimalField(
        label=gettext_lazy("Tax rate (percent)"),
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        initial=0,
    )

    class Meta:
        model = BillingDetails
        fields = ("organization", "tax_label", "due_days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["tax_percent"].initial = rate_text(
                self.instance.tax_rate
            ).removesuffix(" %")


@admin.register(BillingDetails)
class BillingDetailsAdmin(NoDelete, admin.ModelAdmin):
    """Tax and terms are the operators'; what is said about the buyer is the owners'."""

    form = TermsForm
    list_display = ("organization", "legal_name", "rate", "due_days")
    list_select_related = ("organization",)
    search_fields = ("organization__slug", "legal_name")
    fields = (
        "organization",
        "tax_label",
        "tax_percent",
        "due_days",
        "legal_name",
        "address",
        "tax_id",
        "reference",
    )

    @admin.display(description=gettext_lazy("Tax"), ordering="tax_rate")
    def rate(self, details: BillingDetails) -> str:
        """Name and rate."""
        return f"{details.tax_label} {rate_text(details.tax_rate)}".strip()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The buyer's side is read here; an organization is chosen once."""
        return (
            "legal_name",
            "address",
            "tax_id",
            "reference",
            *(("organization",) if obj else ()),
        )

    def save_model(
        self, request: HttpRequest, obj: BillingDetails, form: Any, change: bool
    ) -> None:
        """By the act, with its audit."""
        typed = form.cleaned_data
        set_terms(
            obj.organization,
            tax_rate=int(typed["tax_percent"] * 1_000),
            tax_label=typed["tax_label"],
            due_days=typed["due_days"],
            actor=Actor.person(operator_of(request)),
            now=timezone.now(),
        )
