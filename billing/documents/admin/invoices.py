"""Operators' pages of closed months, invoices, credit notes and statements.

All is read-only but for the steps of an invoice, which are acts.
"""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from billing.documents.admin.steps import STEPS, Step, steps_of
from billing.documents.words.money_back import without_credit_note
from billing.models import (
    BillingMonth,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceRefund,
    Statement,
)
from config.kit.admin import ReadOnly
from config.kit.errors import BusinessError
from config.kit.money import format_usd


class CreditNoteInline(ReadOnly, admin.TabularInline):
    model = CreditNote
    fields = ("number", "total_nanos", "reason", "issued_at", "issued_by")
    extra = 0


class InvoiceRefundInline(ReadOnly, admin.TabularInline):
    model = InvoiceRefund
    fields = ("gateway_id", "amount_nanos", "reason", "refunded_at", "failed_at")
    extra = 0


class InvoiceDisputeInline(ReadOnly, admin.TabularInline):
    model = Dispute
    fields = (
        "gateway_id",
        "amount_nanos",
        "status",
        "reason",
        "opened_at",
        "evidence_due_at",
        "closed_at",
    )
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
        "to_do",
        "due_on",
        "settled_at",
    )
    list_filter = ("status", "month_on")
    list_select_related = ("organization",)
    search_fields = ("number", "organization__slug", "gateway_id")
    date_hierarchy = "month_on"
    inlines = (CreditNoteInline, InvoiceRefundInline, InvoiceDisputeInline)
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
        "gateway_payment_id",
        "gateway_error",
        "reopened_at",
        "to_do",
        "steps",
    )
    readonly_fields = ("total", "to_do", "steps")

    @admin.display(description=gettext_lazy("Total"), ordering="total_nanos")
    def total(self, invoice: Invoice) -> str:
        return format_usd(invoice.total_nanos)

    @admin.display(description=gettext_lazy("To do"))
    def to_do(self, invoice: Invoice) -> str:
        """What the gateway says, and what went back without a document."""
        return " ".join(
            filter(None, [invoice.gateway_error, without_credit_note(invoice)])
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        """With what went back, in two queries."""
        invoices = super().get_queryset(request)
        return invoices.prefetch_related("refunds", "credit_notes")

    @admin.display(description=gettext_lazy("Steps"))
    def steps(self, invoice: Invoice) -> str:
        """Links to what may be done now."""
        names = steps_of(invoice)
        if not names:
            return _("There is nothing to do.")
        links = [(_step_url(invoice, name), STEPS[name].label) for name in names]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

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
        """One step with its form; an unknown one leads back to the invoice."""
        if step not in STEPS:
            return redirect("admin:billing_invoice_change", invoice_id)
        if not request.user.has_perm("billing.change_invoice"):
            raise PermissionDenied
        issued = Invoice.objects.issued().select_related("organization")
        invoice = get_object_or_404(issued, pk=invoice_id)
        form = STEPS[step].form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            sentence = _take(request, STEPS[step], invoice, form)
            if sentence:
                messages.info(request, sentence)
                return redirect("admin:billing_invoice_change", invoice_id)
        label = STEPS[step].label
        context = {
            **self.admin_site.each_context(request),
            "form": form,
            "invoice": invoice,
            "opts": self.model._meta,
            "title": f"{label}: {invoice}",
            "verb": label,
            "total": format_usd(invoice.total_nanos),
        }
        return render(
            request,
            "admin/billing/invoice/step.html",
            context,
            status=422 if form.errors else 200,
        )


def _step_url(invoice: Invoice, name: str) -> str:
    return reverse("admin:billing_invoice_step", args=[invoice.pk, name])


def _take(
    request: HttpRequest, step: Step, invoice: Invoice, form: forms.Form
) -> str | None:
    """Take a step; the sentence that says so, or None with its refusal on the form."""
    operator = operator_of(request)
    try:
        return step.take(
            invoice, form.cleaned_data, operator=operator, now=timezone.now()
        )
    except BusinessError as error:
        field = "text" if error.field == "reason" else error.field
        form.add_error(field if field in form.fields else None, error.message)
        return None


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
