"""The operators' page of receipts of purchases: to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from billing.models import PurchaseReceipt
from config.kit.admin import ReadOnly
from config.kit.money import format_usd


@admin.register(PurchaseReceipt)
class PurchaseReceiptAdmin(ReadOnly, admin.ModelAdmin):
    """What was paid, and the tax in it; nobody edits what was issued."""

    list_display = ("number", "organization", "issued_at", "total", "tax")
    list_select_related = ("organization",)
    search_fields = ("number", "organization__slug")
    date_hierarchy = "issued_at"

    @admin.display(description=gettext_lazy("Total"), ordering="total_nanos")
    def total(self, receipt: PurchaseReceipt) -> str:
        return format_usd(receipt.total_nanos)

    @admin.display(description=gettext_lazy("Tax"), ordering="tax_nanos")
    def tax(self, receipt: PurchaseReceipt) -> str:
        return format_usd(receipt.tax_nanos)
