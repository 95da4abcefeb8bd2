"""Windows, caps and counters, to look at only."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import (
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    SpendCap,
)
from config.kit.admin import ReadOnly
from config.kit.money import format_usd


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
