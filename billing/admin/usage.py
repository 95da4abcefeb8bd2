"""Events, adjustments, windows, caps and counters: to look at only, each with what is behind its figures."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from billing.models import (
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    SpendCap,
    UsageAdjustment,
    UsageEvent,
)
from billing.receipts import receipt_of
from config.kit.admin import ReadOnly
from config.kit.money import format_usd, to_decimal_text


class AdjustmentInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = UsageAdjustment
    fields = ("amount_nanos", "reason", "price", "month_on", "created_at")
    extra = 0


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "event_id",
        "organization",
        "person",
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
    search_fields = ("event_id", "membership__user__email", "organization__slug", "model")
    date_hierarchy = "recorded_at"
    show_full_result_count = False
    inlines = (AdjustmentInline,)
    fields = (
        "event_id", "organization", "person", "surface", "model", "seat_tier", "occurred_at", "recorded_at", "month_on", "day_on",
        "priced", "exact_cost", "estimated", "funding", "funding_why", "refusal_reason", "windows", "labels",
    )  # fmt: skip
    readonly_fields = ("person", "priced", "exact_cost")

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def person(self, event: UsageEvent) -> str:
        """Who sent it."""
        return event.membership.user.email

    @admin.display(description=_("Cost"), ordering="cost_nanos")
    def cost(self, event: UsageEvent) -> str:
        """To the cent."""
        return format_usd(event.cost_nanos)

    @admin.display(description=_("Exact cost in USD"))
    def exact_cost(self, event: UsageEvent) -> str:
        """To the nano-dollar."""
        return to_decimal_text(event.cost_nanos)

    @admin.display(description=_("Tokens × rates"))
    def priced(self, event: UsageEvent) -> SafeString:
        """How it was priced."""
        lines = receipt_of(event).lines
        return format_html_join(
            "\n", "<div>{} {} × ${} / {}</div>", ((line.count, line.word, line.rate_usd, line.unit) for line in lines)
        )


@admin.register(UsageAdjustment)
class UsageAdjustmentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("event", "organization", "amount_nanos", "reason", "month_on", "created_at")
    list_select_related = ("event", "organization")
    search_fields = ("event__event_id", "organization__slug")
    date_hierarchy = "created_at"


@admin.register(SpendCap)
class SpendCapAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("organization", "level", "seat_tier", "person", "amount_nanos", "month_on", "month_amount_nanos")
    list_filter = ("level", "seat_tier")
    list_select_related = ("organization", "membership__user")
    search_fields = ("organization__slug", "membership__user__email")

    @admin.display(description=_("Person"))
    def person(self, cap: SpendCap) -> str:
        """Whose cap it is."""
        return cap.membership.user.email if cap.membership else ""


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("organization", "extra_usage_enabled", "scope")
    list_filter = ("extra_usage_enabled", "scope")
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)


@admin.register(OrganizationMonth)
class OrganizationMonthAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("organization", "month_on", "events", "included", "extra", "unbilled")
    list_filter = ("month_on",)
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)
    ordering = ("-month_on", "organization")

    @admin.display(description=_("Included"), ordering="included_nanos")
    def included(self, month: OrganizationMonth) -> str:
        """Included usage."""
        return format_usd(month.included_nanos)

    @admin.display(description=_("Extra usage"), ordering="extra_nanos")
    def extra(self, month: OrganizationMonth) -> str:
        """Extra usage."""
        return format_usd(month.extra_nanos)

    @admin.display(description=_("Unbilled"), ordering="unbilled_nanos")
    def unbilled(self, month: OrganizationMonth) -> str:
        """What nobody pays."""
        return format_usd(month.unbilled_nanos)


@admin.register(MemberMonth)
class MemberMonthAdmin(OrganizationMonthAdmin):
    list_display = ("person", "month_on", "events", "included", "extra", "unbilled")  # type: ignore[assignment]
    list_select_related = ("membership__user",)
    search_fields = ("membership__user__email", "membership__organization__slug")  # type: ignore[assignment]
    ordering = ("-month_on", "membership")

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def person(self, month: MemberMonth) -> str:
        """Whose month it is."""
        return month.membership.user.email


@admin.register(IncludedWindow)
class IncludedWindowAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("person", "name", "opened_at", "resets_at", "used", "exhausted_at", "is_latest")
    list_filter = ("name", "is_latest")
    list_select_related = ("membership__user",)
    search_fields = ("membership__user__email", "membership__organization__slug")
    date_hierarchy = "opened_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncludedWindow]:
        """The newest first."""
        return super().get_queryset(request).order_by("-opened_at", "-pk")

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def person(self, window: IncludedWindow) -> str:
        """Whose window it is."""
        return window.membership.user.email

    @admin.display(description=_("Used"), ordering="used_nanos")
    def used(self, window: IncludedWindow) -> str:
        """What was used of it."""
        return format_usd(window.used_nanos)
