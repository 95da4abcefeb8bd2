"""Operators' adjustments of events: to read, and to book one more."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from billing.metering.actions.adjustments import adjust_event, check_adjustment
from billing.models import (
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.words import correction_reason_text
from config.kit.admin import FreshFormAfterRefusal, NoDelete
from config.kit.errors import BusinessError
from config.kit.fields import AmountField, KeyField


class AdjustmentForm(forms.ModelForm):
    """An operator's decision about one event, which organization and event id find."""

    organization = forms.ModelChoiceField(
        label=_("Organization"), queryset=Organization.objects.all()
    )
    key = KeyField()
    event = forms.CharField(
        label=_("Event"), max_length=200, help_text=_("The ID the gateway sent.")
    )
    amount = AmountField(label=_("Amount (USD)"))
    takes = forms.BooleanField(
        label=_("Deduct it (charge less for the event)"), required=False
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Owners will see it on the bill."),
    )

    class Meta:
        model = UsageAdjustment
        fields = ("organization",)

    def clean(self) -> dict[str, Any] | None:
        """Ask the act whether it would refuse, so that the refusal is told at its field."""
        typed = super().clean() or {}
        if self.errors:
            return typed
        self.usage_event = UsageEvent.objects.filter(
            organization=typed["organization"], event_id=typed["event"]
        ).first()
        if self.usage_event is None:
            self.add_error(
                "event", gettext("This organization has no event with that ID.")
            )
            return typed
        try:
            check_adjustment(self.usage_event, **self._decision(typed))
        except BusinessError as error:
            self.add_error(
                error.field if error.field in self.fields else None, error.message
            )
        return typed

    usage_event: UsageEvent | None = None

    def _decision(self, typed: dict[str, Any]) -> dict[str, Any]:
        amount_nanos = typed["amount"]
        if typed["takes"]:
            amount_nanos = -amount_nanos
        return {
            "amount_nanos": amount_nanos,
            "reason": typed["reason"],
            "key": typed["key"],
        }

    def book(self, *, operator: User, now: dt.datetime) -> UsageAdjustment:
        """Book what was typed, as `operator`'s decision."""
        assert self.usage_event is not None
        return adjust_event(
            self.usage_event,
            **self._decision(self.cleaned_data),
            operator=operator,
            now=now,
        )


@admin.register(UsageAdjustment)
class UsageAdjustmentAdmin(NoDelete, FreshFormAfterRefusal, admin.ModelAdmin):
    """Corrections, to read; adding one charges an event more or less, on the open
    month's bill.
    """

    list_display = (
        "event",
        "organization",
        "amount_nanos",
        "source",
        "why",
        "actor",
        "month_on",
        "created_at",
    )
    list_filter = ("source",)
    list_select_related = ("event", "organization", "actor")
    search_fields = ("event__event_id", "organization__slug")
    date_hierarchy = "created_at"

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, adjustment: UsageAdjustment) -> str:
        return correction_reason_text(adjustment.reason)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: adjustments only grow."""
        return False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Adding is by a form of its own."""
        if obj:
            return super().get_form(request, obj, change, **kwargs)
        return AdjustmentForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's own when adding; else the row's, with the reason in words."""
        if obj is None:
            return ("key", "organization", "event", "amount", "takes", "reason")
        columns = [name for name in super().get_fields(request, obj) if name != "why"]
        columns[columns.index("reason")] = "why"
        return columns

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Words are no field of the form."""
        return ("why",) if obj else ()

    def save_model(
        self, request: HttpRequest, obj: UsageAdjustment, form: Any, change: bool
    ) -> None:
        """Book it by the act."""
        booked = form.book(operator=request.user, now=timezone.now())
        obj.pk, obj._state.adding = booked.pk, False
        obj.organization_id, obj.event_id = booked.organization_id, booked.event_id

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit says who booked what."""
        return None
