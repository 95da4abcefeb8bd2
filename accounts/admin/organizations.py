"""Operators' lists of organizations and of their API keys."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.admin.customers import CustomerPages
from accounts.models import ApiKey, ExternalId, Organization
from accounts.operators.reads import ReadsAreKept
from config.kit.admin import NoDelete, ReadOnly
from config.kit.columns import number
from config.kit.filters import happened
from config.kit.large_tables import BoundedList


@admin.register(Organization)
class OrganizationAdmin(NoDelete, CustomerPages):
    list_display = (
        "name",
        "slug",
        "plan",
        "settlement",
        "timezone",
        "members",
        "primary_owner",
    )
    list_filter = ("plan", "settlement")
    add_label = gettext_lazy("Make a customer")
    empty_text = gettext_lazy(
        "There is no customer yet. Make the first one: its owner gets a mail with a link."
    )
    list_select_related = ("primary_owner",)
    # By hand: counting members loses the model's own.
    ordering = ("name", "pk")
    search_fields = ("name", "slug", "billing_email", "primary_owner__email")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """With the number of active members."""
        active = Count("memberships", filter=Q(memberships__status="active"))
        return super().get_queryset(request).annotate(member_count=active)

    @admin.display(description=gettext_lazy("Members"), ordering="member_count")
    def members(self, organization: Organization) -> str:
        """Active members."""
        return number(organization.member_count)  # type: ignore[attr-defined]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadsAreKept, ReadOnly, BoundedList, admin.ModelAdmin):
    list_display = (
        "name",
        "organization",
        "whose",
        "prefix",
        "scopes",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = (
        happened(
            "revoked_at",
            title=gettext_lazy("revoking"),
            yes=gettext_lazy("Revoked"),
            no=gettext_lazy("In use"),
        ),
    )
    empty_text = gettext_lazy(
        "No customer has a key yet. Owners make them under Settings › API keys."
    )
    list_select_related = ("organization", "membership__user")
    search_fields = ("name", "prefix", "organization__slug", "membership__user__email")

    @admin.display(description=gettext_lazy("Personal token of"))
    def whose(self, key: ApiKey) -> str:
        """Of a key of the organization itself, nobody's."""
        return key.membership.user.email if key.membership else "–"


@admin.register(ExternalId)
class ExternalIdAdmin(ReadOnly, BoundedList, admin.ModelAdmin):
    list_display = ("name", "organization", "whose")
    empty_text = gettext_lazy(
        "No member has an external id yet. Owners and the API attach them."
    )
    list_select_related = ("organization", "membership__user")
    search_fields = ("name", "organization__slug", "membership__user__email")

    @admin.display(description=gettext_lazy("Member"))
    def whose(self, external_id: ExternalId) -> str:
        """Whom it names."""
        return external_id.membership.user.email
