"""Events, adjustments, windows, caps and counters: to look at only, each with what is
behind its figures.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from billing.metering.actions.adjustments import adjust_event, check_adjustment
from billing.metering.receipts import receipt_of
from billing.models import (
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    SpendCap,
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.words import correction_reason_text
from config.kit.admin import NoDelete, ReadOnly
from config.kit.errors import BusinessError
from config.kit.fields import AmountField, KeyField
from config.kit.money import format_usd, to_decimal_text


class AdjustmentInline(ReadOnly, admin.TabularInline):
    model = UsageAdjustment
    fields = ("amount_nanos", "why", "price", "month_on", "created_at")
    readonly_fields = ("why",)
    extra = 0

    @admin.display(description=_("reason"))
    def why(self, adjustment: UsageAdjustment) -> str:
        return correction_reason_text(adjustment.reason)


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "event_id",
        "organization",
        "member",
        "surface",
        "model",
        "occurred_at",
        "cost",
        "funding",
        "funding_why",
        "estimated",
    )
    list_filter = ("estimated", "funding", "funding_why", "surface", "month_on")
    list_select_related = ("organization", "membership__user")
    search_fields = (
        "event_id",
        "membership__user__email",
        "organization__slug",
        "model",
    )
    date_hierarchy = "recorded_at"
    show_full_result_count = False
    inlines = (AdjustmentInline,)
    fields = (
        "event_id",
        "organization",
        "member",
        "surface",
        "model",
        "seat_tier",
        "occurred_at",
        "recorded_at",
        "month_on",
        "day_on",
        "priced",
        "exact_cost",
        "estimated",
        "funding",
        "funding_why",
        "refusal_reason",
        "windows",
        "labels",
    )
    readonly_fields = ("member", "priced", "exact_cost")

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, event: UsageEvent) -> str:
        return event.membership.user.email

    @admin.display(description=_("Cost"), ordering="cost_nanos")
    def cost(self, event: UsageEvent) -> str:
        return format_usd(event.cost_nanos)

    @admin.display(description=_("Exact cost in USD"))
    def exact_cost(self, event: UsageEvent) -> str:
        return to_decimal_text(event.cost_nanos)

    @admin.display(description=_("Tokens × rates"))
    def priced(self, event: UsageEvent) -> SafeString:
        lines = receipt_of(event).lines
        return format_html_join(
            "\n",
            "<div>{} {} × ${} / {}</div>",
            ((line.count, line.word, line.rate_usd, line.unit) for line in lines),
        )


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
class UsageAdjustmentAdmin(NoDelete, admin.ModelAdmin):
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

    def changeform_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """What the act refuses after all is told on a fresh form."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except BusinessError as error:
            messages.error(request, error.message)
            return redirect("admin:billing_usageadjustment_add")

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


@admin.register(SpendCap)
class SpendCapAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "organization",
        "level",
        "seat_tier",
        "member",
        "amount_nanos",
        "month_on",
        "month_amount_nanos",
    )
    list_filter = ("level", "seat_tier")
    list_select_related = ("organization", "membership__user")
    search_fields = ("organization__slug", "membership__user__email")

    @admin.display(description=_("Person"))
    def member(self, cap: SpendCap) -> str:
        return cap.membership.user.email if cap.membership else ""


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("organization", "extra_usage_enabled", "scope")
    list_filter = ("extra_usage_enabled", "scope")
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)


SUMS = ("included_nanos", "extra_nanos", "unbilled_nanos", "events")


@admin.register(OrganizationMonth)
class OrganizationMonthAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "organization",
        "month_on",
        "events",
        "included",
        "extra",
        "unbilled",
    )
    list_filter = ("month_on",)
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)
    ordering = ("-month_on", "organization")
    fields = ("organization", "month_on", *SUMS)

    @admin.display(description=_("Included"), ordering="included_nanos")
    def included(self, month: OrganizationMonth) -> str:
        return format_usd(month.included_nanos)

    @admin.display(description=_("Extra usage"), ordering="extra_nanos")
    def extra(self, month: OrganizationMonth) -> str:
        return format_usd(month.extra_nanos)

    @admin.display(description=_("Unbilled"), ordering="unbilled_nanos")
    def unbilled(self, month: OrganizationMonth) -> str:
        return format_usd(month.unbilled_nanos)


@admin.register(MemberMonth)
class MemberMonthAdmin(OrganizationMonthAdmin):
    list_display = ("member", "month_on", "events", "included", "extra", "unbilled")
    list_select_related = ("membership__user",)
    search_fields = ("membership__user__email", "membership__organization__slug")  # type: ignore[assignment]
    ordering = ("-month_on", "membership")
    fields = ("membership", "month_on", *SUMS)  # type: ignore[assignment]

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, month: MemberMonth) -> str:
        return month.membership.user.email


@admin.register(IncludedWindow)
class IncludedWindowAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "member",
        "name",
        "opened_at",
        "resets_at",
        "used",
        "exhausted_at",
        "is_latest",
    )
    list_filter = ("name", "is_latest")
    list_select_related = ("membership__user",)
    search_fields = ("membership__user__email", "membership__organization__slug")
    date_hierarchy = "opened_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncludedWindow]:
        """The newest first."""
        return super().get_queryset(request).order_by("-opened_at", "-pk")

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, window: IncludedWindow) -> str:
        return window.membership.user.email

    @admin.display(description=_("Used"), ordering="used_nanos")
    def used(self, window: IncludedWindow) -> str:
        return format_usd(window.used_nanos)
