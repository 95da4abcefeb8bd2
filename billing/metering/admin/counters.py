"""Windows, caps and counters, to look at only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import (
    BillingAccount,
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    SpendCap,
)
from config.kit.admin import ReadOnly
from config.kit.columns import dollars
from config.kit.filters import MonthFilter
from config.kit.large_tables import LargeTable, RecentValues


@admin.register(SpendCap)
class SpendCapAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
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
    found_by = (
        "organization__slug",
        "membership__user__email",
    )

    @admin.display(description=_("Person"))
    def member(self, cap: SpendCap) -> str:
        return cap.membership.user.email if cap.membership else ""


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ("organization", "extra_usage_enabled", "scope")
    list_filter = ("extra_usage_enabled", "scope")
    list_select_related = ("organization",)
    found_by = ("organization__slug",)


SUMS = ("included_nanos", "extra_nanos", "unbilled_nanos", "events")


@admin.register(OrganizationMonth)
class OrganizationMonthAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "organization",
        "month_on",
        "events",
        "included",
        "extra",
        "unbilled",
    )
    list_filter = (("month_on", MonthFilter),)
    list_select_related = ("organization",)
    found_by = ("organization__slug",)
    fields = ("organization", "month_on", *SUMS)

    @admin.display(description=_("Included"), ordering="included_nanos")
    def included(self, month: OrganizationMonth) -> str:
        return dollars(month.included_nanos)

    @admin.display(description=_("Extra usage"), ordering="extra_nanos")
    def extra(self, month: OrganizationMonth) -> str:
        return dollars(month.extra_nanos)

    @admin.display(description=_("Unbilled"), ordering="unbilled_nanos")
    def unbilled(self, month: OrganizationMonth) -> str:
        return dollars(month.unbilled_nanos)


@admin.register(MemberMonth)
class MemberMonthAdmin(OrganizationMonthAdmin):
    list_display = ("member", "month_on", "events", "included", "extra", "unbilled")
    list_select_related = ("membership__user",)
    found_by = ("membership__user__email",)
    fields = ("membership", "month_on", *SUMS)  # type: ignore[assignment]

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, month: MemberMonth) -> str:
        return month.membership.user.email


@admin.register(IncludedWindow)
class IncludedWindowAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "member",
        "name",
        "opened_at",
        "resets_at",
        "used",
        "exhausted_at",
        "is_latest",
    )
    list_filter = (
        ("name", RecentValues),
        "is_latest",
        ("opened_at", admin.DateFieldListFilter),
    )
    list_select_related = ("membership__user",)
    found_by = ("membership__user__email",)
    sortable_by = ()

    @admin.display(description=_("Person"), ordering="membership__user__email")
    def member(self, window: IncludedWindow) -> str:
        return window.membership.user.email

    @admin.display(description=_("Used"), ordering="used_nanos")
    def used(self, window: IncludedWindow) -> str:
        return dollars(window.used_nanos)
