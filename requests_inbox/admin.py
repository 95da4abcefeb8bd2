"""Operators' pages of requests and digests: all read-only; decisions are made by the
organization's own people.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.operators.navigation import (
    Group,
    OperatorPlace,
    register_operator_places,
)
from config.kit.admin import ReadOnly
from config.kit.large_tables import LargeTable, RecentValues
from requests_inbox.models import DigestOptOut, DigestRun, UsageRequest

register_operator_places(
    OperatorPlace(
        "requests_inbox_usagerequest_changelist",
        gettext_lazy("Requests"),
        "inbox",
        Group.CUSTOMERS,
        order=40,
        permission="requests_inbox.view_usagerequest",
    )
)


@admin.register(UsageRequest)
class UsageRequestAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "membership_person",
        "organization",
        "status",
        "reason",
        "created_at",
        "ended_at",
        "decider",
    )
    list_filter = (
        "status",
        ("reason", RecentValues),
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("organization", "membership__user", "decided_by")
    found_by = (
        "membership__user__email",
        "organization__slug",
    )

    @admin.display(
        description=gettext_lazy("Person"), ordering="membership__user__email"
    )
    def membership_person(self, request: UsageRequest) -> str:
        """Who asked."""
        return request.membership.user.email


@admin.register(DigestRun)
class DigestRunAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ("organization", "local_on", "prepared_at")
    list_select_related = ("organization",)
    found_by = ("organization__slug",)


@admin.register(DigestOptOut)
class DigestOptOutAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ("person", "organization", "at")
    list_select_related = ("membership__user", "membership__organization")
    found_by = (
        "membership__user__email",
        "membership__organization__slug",
    )

    @admin.display(description=gettext_lazy("Person"))
    def person(self, row: DigestOptOut) -> str:
        """Who wants none."""
        return row.membership.user.email

    @admin.display(description=gettext_lazy("Organization"))
    def organization(self, row: DigestOptOut) -> str:
        """Of which organization."""
        return row.membership.organization.name
