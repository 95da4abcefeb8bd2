"""Operators' pages of requests and digests: all read-only; decisions are made by the
organization's own people.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from config.kit.admin import ReadOnly
from requests_inbox.models import DigestOptOut, DigestRun, UsageRequest


@admin.register(UsageRequest)
class UsageRequestAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "membership_person",
        "organization",
        "status",
        "reason",
        "created_at",
        "ended_at",
        "decider",
    )
    list_filter = ("status", "reason")
    list_select_related = ("organization", "membership__user", "decided_by")
    search_fields = (
        "membership__user__email",
        "membership__user__name",
        "organization__slug",
    )
    date_hierarchy = "created_at"

    @admin.display(
        description=gettext_lazy("Person"), ordering="membership__user__email"
    )
    def membership_person(self, request: UsageRequest) -> str:
        """Who asked."""
        return request.membership.user.email


@admin.register(DigestRun)
class DigestRunAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("organization", "local_on", "prepared_at")
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)
    date_hierarchy = "local_on"


@admin.register(DigestOptOut)
class DigestOptOutAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("person", "organization", "at")
    list_select_related = ("membership__user", "membership__organization")
    search_fields = ("membership__user__email", "membership__organization__slug")

    @admin.display(description=gettext_lazy("Person"))
    def person(self, row: DigestOptOut) -> str:
        """Who wants none."""
        return row.membership.user.email

    @admin.display(description=gettext_lazy("Organization"))
    def organization(self, row: DigestOptOut) -> str:
        """Of which organization."""
        return row.membership.organization.name
