"""The ledger, and what operators add to it: credits and corrections."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.models import Organization, Settlement
from billing.ledger.actions import check_balance_has_room
from billing.ledger.words import entry_reason
from billing.models import (
    BillingAccount,
    LedgerEntry,
)
from billing.payments.actions.credits import post_credit
from config.kit.admin import FreshFormAfterRefusal, NoDelete
from config.kit.fields import AmountField, KeyField, refusals_on
from config.kit.money import to_decimal_text
from config.kit.one_line import validate_line


class CreditForm(forms.ModelForm):
    """A credit, or a correction downwards, of one balance."""

    key = KeyField()
    organization = forms.ModelChoiceField(
        label=gettext_lazy("Organization"),
        queryset=Organization.objects.filter(settlement=Settlement.PREPAID),
    )
    amount = AmountField(label=gettext_lazy("Amount (USD)"))
    takes = forms.BooleanField(
        label=gettext_lazy("Deduct it (an adjustment instead of a credit)"),
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        validators=[validate_line],
        help_text=gettext_lazy("Owners will see it in the ledger."),
    )

    class Meta:
        model = LedgerEntry
        fields = ("organization",)

    def clean(self) -> dict[str, Any] | None:
        """What the act would refuse is told at the field."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["amount"]:
            self.add_error("amount", _("Enter an amount other than zero."))
        elif not self.errors:
            self._check_room(cleaned)
        return cleaned

    def _check_room(self, cleaned: dict[str, Any]) -> None:
        account = BillingAccount.objects.filter(
            organization=cleaned["organization"]
        ).first()
        amount_nanos = -cleaned["amount"] if cleaned["takes"] else cleaned["amount"]
        with refusals_on(self):
            check_balance_has_room(account or BillingAccount(), amount_nanos)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(NoDelete, FreshFormAfterRefusal, admin.ModelAdmin):
    """The ledger, to read; adding one gives a credit or takes an adjustment, with a reason."""

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
    list_filter = ("kind",)
    list_select_related = ("organization", "actor", "refund", "dispute")
    search_fields = ("organization__slug", "reason")
    date_hierarchy = "created_at"
    show_full_result_count = False

    @admin.display(description=gettext_lazy("Amount"), ordering="amount_nanos")
    def amount(self, entry: LedgerEntry) -> str:
        """All nine places."""
        return to_decimal_text(entry.amount_nanos)

    @admin.display(description=gettext_lazy("Balance after"))
    def balance(self, entry: LedgerEntry) -> str:
        """All nine places."""
        return to_decimal_text(entry.balance_nanos)

    @admin.display(description=gettext_lazy("Reason"), ordering="reason")
    def why(self, entry: LedgerEntry) -> str:
        """In the reader's language where it is no operator's own."""
        return entry_reason(entry)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the ledger only grows."""
        return False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Adding is by the form of credits."""
        return super().get_form(request, obj, change, **kwargs) if obj else CreditForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's own when adding."""
        return (
            super().get_fields(request, obj)
            if obj
            else ("organization", "amount", "takes", "reason", "key")
        )

    def save_model(
        self, request: HttpRequest, obj: LedgerEntry, form: Any, change: bool
    ) -> None:
        """Book it by the act, so that usage until now is rolled up before it."""
        typed = form.cleaned_data
        entry = post_credit(
            typed["organization"],
            amount_nanos=-typed["amount"] if typed["takes"] else typed["amount"],
            reason=typed["reason"],
            operator=operator_of(request),
            key=typed["key"],
            now=timezone.now(),
        )
        obj.pk, obj._state.adding = entry.pk, False
        obj.organization_id = entry.organization_id

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The ledger itself says who booked what."""
        return None
