"""The operators' page of receipts of purchases: to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from billing.models import PurchaseReceipt
from config.kit.admin import ReadOnly
from config.kit.large_tables import LargeTable
from config.kit.money import format_usd


@admin.register(PurchaseReceipt)
class PurchaseReceiptAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    """What was paid, and the tax in it; nobody edits what was issued."""

    list_display = ("number", "organization", "issued_at", "total", "tax")
    list_filter = (("issued_at", admin.DateFieldListFilter),)
    list_select_related = ("organization",)
    found_by = (
        "number",
        "organization__slug",
    )

    @admin.display(description=gettext_lazy("Total"), ordering="total_nanos")
    def total(self, receipt: PurchaseReceipt) -> str:
        return format_usd(receipt.total_nanos)

    @admin.display(description=gettext_lazy("Tax"), ordering="tax_nanos")
    def tax(self, receipt: PurchaseReceipt) -> str:
        return format_usd(receipt.tax_nanos)
