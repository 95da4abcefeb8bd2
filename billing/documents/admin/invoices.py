"""Operators' pages of closed months, invoices, credit notes and statements, to read: what
is done with them is a step.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.admin.steps import step_url
from accounts.operators.steps import Chosen, LeadsToSteps
from billing.documents.admin.invoice_steps import CHANGE, steps_of
from billing.documents.words.money_back import without_credit_note
from billing.models import (
    BillingMonth,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceRefund,
    MonthReopening,
    Statement,
)
from config.kit.admin import ReadOnly
from config.kit.columns import dollars
from config.kit.filters import MonthFilter
from config.kit.large_tables import LargeTable

# What links of before call them.
STEP_NAMES = {"paid": "mark-paid", "void": "void", "credit": "credit-note"}


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
class InvoiceAdmin(LeadsToSteps, ReadOnly, LargeTable, admin.ModelAdmin):
    """Every invoice; an open one leads to the steps that settle it."""

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
    list_filter = ("status", ("month_on", MonthFilter))
    list_select_related = ("organization",)
    found_by = (
        "number",
        "organization__slug",
        "gateway_id",
    )
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
    )
    readonly_fields = ("total", "to_do")

    @admin.display(description=gettext_lazy("Total"), ordering="total_nanos")
    def total(self, invoice: Invoice) -> str:
        return dollars(invoice.total_nanos)

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

    def steps_on(self, row: Invoice) -> Iterator[Chosen]:
        """What may be done with it now."""
        for name in steps_of(row):
            yield name, {"invoice": row.pk}

    def get_urls(self) -> list[URLPattern]:
        """With the addresses that its steps had before they were a customer's."""
        view = self.admin_site.admin_view(self.step)
        view.access = "operators"  # type: ignore[attr-defined]
        return [
            path(
                "<int:invoice_id>/step/<slug:step>/", view, name="billing_invoice_step"
            ),
            *super().get_urls(),
        ]

    def step(self, request: HttpRequest, invoice_id: int, step: str) -> HttpResponse:
        """To the step, with the invoice chosen; an unknown one leads to the invoice."""
        if step not in STEP_NAMES:
            return redirect("admin:billing_invoice_change", invoice_id)
        if not operator_of(request).has_perm(CHANGE):
            raise PermissionDenied
        issued = Invoice.objects.issued().select_related("organization")
        invoice = get_object_or_404(issued, pk=invoice_id)
        url = step_url(STEP_NAMES[step], invoice.organization)
        return redirect(f"{url}?invoice={invoice.pk}")


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
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
    found_by = (
        "number",
        "organization__slug",
    )


@admin.register(Statement)
class StatementAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "month_on",
        "organization",
        "opening_nanos",
        "charges_nanos",
        "closing_nanos",
        "issued_at",
    )
    list_filter = (("month_on", MonthFilter),)
    list_select_related = ("organization",)
    found_by = ("organization__slug",)


@admin.register(MonthReopening)
class MonthReopeningAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "month_on",
        "organization",
        "edition",
        "closed_at",
        "reopened_at",
        "reopened_by",
        "reason",
    )
    list_filter = (("month_on", MonthFilter),)
    list_select_related = ("organization",)
    found_by = ("organization__slug",)


@admin.register(BillingMonth)
class BillingMonthAdmin(LeadsToSteps, ReadOnly, LargeTable, admin.ModelAdmin):
    """Months that are closed, or half-closed; open ones have no row yet."""

    list_display = (
        "month_on",
        "organization",
        "state",
        "zone",
        "frozen_at",
        "closed_at",
    )
    list_filter = ("state", ("month_on", MonthFilter))
    list_select_related = ("organization",)
    found_by = ("organization__slug",)

    def steps_on(self, row: BillingMonth) -> Iterator[Chosen]:
        """Go on with a close, or take it back while that can be done."""
        name = (
            "reopen-month" if row.state == BillingMonth.State.CLOSED else "close-month"
        )
        yield name, {"month": f"{row.month_on:%Y-%m}"}
