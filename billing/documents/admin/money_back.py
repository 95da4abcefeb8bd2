"""Operators' pages of money that went back at the gateway: disputes, and refunds of
invoices. All is read: the gateway tells it.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from billing.models import Dispute, InvoiceRefund
from config.kit.admin import ReadOnly
from config.kit.large_tables import LargeTable, RecentValues
from config.kit.money import format_usd


@admin.register(Dispute)
class DisputeAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    """Every dispute, of purchases and of invoices."""

    list_display = (
        "opened_at",
        "organization",
        "amount",
        "status",
        "is_inquiry",
        "reason",
        "evidence_due_at",
        "payment",
        "invoice",
        "gateway_id",
    )
    list_filter = (
        "status",
        "is_inquiry",
        ("reason", RecentValues),
        ("opened_at", admin.DateFieldListFilter),
    )
    list_select_related = ("organization", "payment", "invoice")
    found_by = (
        "organization__slug",
        "gateway_id",
        "payment__gateway_id",
    )

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, dispute: Dispute) -> str:
        """In USD."""
        return format_usd(dispute.amount_nanos)


@admin.register(InvoiceRefund)
class InvoiceRefundAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    """What of invoices' payments was refunded at the gateway."""

    list_display = (
        "refunded_at",
        "invoice",
        "amount",
        "reason",
        "failed_at",
        "gateway_id",
    )
    list_select_related = ("invoice",)
    found_by = (
        "invoice__number",
        "gateway_id",
    )

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, refund: InvoiceRefund) -> str:
        """In USD."""
        return format_usd(refund.amount_nanos)
