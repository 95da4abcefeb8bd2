"""The ledger, to read. It only grows; credits and deductions are steps."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.operators.steps import Chosen, LeadsToSteps
from billing.ledger.words import entry_reason
from billing.models import EntryKind, LedgerEntry
from config.kit.admin import ReadOnly
from config.kit.columns import exact_number
from config.kit.large_tables import LargeTable


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LeadsToSteps, ReadOnly, LargeTable, admin.ModelAdmin):
    """Every entry, each with the way to the next one."""

    list_display = (
        "id",
        "created_at",
        "organization",
        "kind",
        "amount",
        "balance",
        "why",
        "actor",
    )
    list_filter = (
        "kind",
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("organization", "actor", "refund", "dispute")
    found_by = (
        "organization__slug",
        "membership__user__email",
        "payment__gateway_id",
    )
    sortable_by = ()

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, entry: LedgerEntry) -> str:
        """All nine places."""
        return exact_number(entry.amount_nanos)

    @admin.display(description=gettext_lazy("Balance after"), ordering="balance_nanos")
    def balance(self, entry: LedgerEntry) -> str:
        """All nine places."""
        return exact_number(entry.balance_nanos)

    @admin.display(description=gettext_lazy("Reason"), ordering="reason")
    def why(self, entry: LedgerEntry) -> str:
        """In the reader's language where it is no operator's own."""
        return entry_reason(entry)

    def steps_on(self, row: LedgerEntry) -> Iterator[Chosen]:
        """What is added to a ledger, is added by steps."""
        yield "credit", {}
        yield "deduct", {}
        if row.payment_id and row.kind in (EntryKind.PURCHASE, EntryKind.RELOAD):
            yield "refund", {"payment": row.payment_id}
