"""Operators' pages of organizations and people.

Whatever has an act is changed by it, with its audit.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import change_timezone, create_organization
from accounts.actions.seats import set_bought_seats
from accounts.models import (
    ApiKey,
    AuditEntry,
    Invitation,
    Membership,
    Organization,
    OutgoingMail,
    SeatTier,
    Tier,
    User,
)
from config.kit.admin import NoDelete, ReadOnly
from config.kit.errors import BusinessError

# Signing in goes through the product's own page, so that rate limits and two-factor
# count here too.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = gettext_lazy("Extra usage for operators")
admin.site.site_title = gettext_lazy("Extra usage")
admin.site.index_title = gettext_lazy("Operations")
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = ("email", "name", "language", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active", "language")
    search_fields = ("email", "name")
    ordering = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language")}),
        (gettext_lazy("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "name", "usable_password", "password1", "password2")},
        ),
    )
    filter_horizontal = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are switched off, not deleted: reports and the audit name them."""
        return False


SETTLEMENT_HELP = gettext_lazy(
    "A change takes effect with the next request. Each request is billed as it was "
    "funded, so a month in which the settlement changes has a statement (what was paid "
    "from the balance) and an invoice (the rest). What is left of a balance is kept; "
    "auto-reload buys only while the settlement is prepaid."
)


class OrganizationForm(forms.ModelForm):
    """An organization with the seats it bought."""

    standard_seats = forms.IntegerField(
        label=gettext_lazy("Standard seats bought"),
        min_value=0,
        max_value=1_000_000,
        initial=0,
    )
    premium_seats = forms.IntegerField(
        label=gettext_lazy("Premium seats bought"),
        min_value=0,
        max_value=1_000_000,
        initial=0,
    )

    class Meta:
        model = Organization
        fields = (
            "name",
            "slug",
            "plan",
            "settlement",
            "billing_email",
            "primary_owner",
            "timezone",
        )
        help_texts = {"settlement": SETTLEMENT_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for row in SeatTier.objects.filter(organization=self.instance):
                self.fields[f"{row.tier}_seats"].initial = row.bought

    def clean(self) -> dict[str, Any] | None:
        """Never fewer seats than are assigned."""
        cleaned = super().clean()
        for tier in Tier if self.instance.pk else ():
            assigned, bought = (
                self.instance.memberships.on_seat(tier).count(),
                self.cleaned_data.get(f"{tier}_seats"),
            )
            if bought is not None and bought < assigned:
                sentence = _(
                    "%(assigned)d are assigned; %(bought)d would be too few."
                ) % {
                    "assigned": assigned,
                    "bought": bought,
                }
                self.add_error(f"{tier}_seats", ValidationError(sentence))
        return cleaned


class MembershipInline(ReadOnly, admin.TabularInline):
    model = Membership
    fields = ("user", "base_role", "seat_tier", "status", "joined_at", "removed_at")
    extra = 0
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """With the people, in one query."""
        return super().get_queryset(request).select_related("user")


class ApiKeyInline(ReadOnly, admin.TabularInline):
    model = ApiKey
    fields = readonly_fields = (
        "name",
        "prefix",
        "scopes",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    extra = 0


@admin.register(Organization)
class OrganizationAdmin(NoDelete, admin.ModelAdmin):
    form = OrganizationForm
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
    list_select_related = ("primary_owner",)
    search_fields = ("name", "slug", "billing_email", "primary_owner__email")
    autocomplete_fields = ("primary_owner",)
    inlines = (MembershipInline, ApiKeyInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """With the number of active members."""
        active = Count("memberships", filter=Q(memberships__status="active"))
        return super().get_queryset(request).annotate(member_count=active)

    @admin.display(description=gettext_lazy("Members"), ordering="member_count")
    def members(self, organization: Organization) -> int:
        """Active members."""
        return organization.member_count  # type: ignore[attr-defined]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> tuple[str, ...]:
        """The primary owner is handed over by themselves; the slug is in everybody's links."""
        return ("primary_owner", "slug") if obj else ()

    def save_model(
        self, request: HttpRequest, obj: Organization, form: Any, change: bool
    ) -> None:
        """Create and change by the acts, so that seats, zone and audit follow."""
        now, actor, typed = (
            timezone.now(),
            Actor.person(operator_of(request)),
            form.cleaned_data,
        )
        seats = {tier: typed[f"{tier}_seats"] for tier in Tier.values}
        if not change:
            created = create_organization(
                obj.name,
                slug=obj.slug,
                plan=obj.plan,
                settlement=obj.settlement,
                billing_email=obj.billing_email,
                primary_owner=obj.primary_owner,
                timezone=obj.timezone,
                seats=seats,
                now=now,
            )
            obj.pk, obj._state.adding = created.pk, False
            return
        before = Organization.objects.get(pk=obj.pk)
        fields = [
            name
            for name in ("name", "plan", "settlement", "billing_email")
            if getattr(before, name) != getattr(obj, name)
        ]
        if "settlement" in fields:
            messages.info(request, SETTLEMENT_HELP)
        if fields:
            obj.save(update_fields=fields)
            record_change(
                obj,
                actor=actor,
                action="organization.edit",
                subject=obj.name,
                now=now,
                from_value={name: getattr(before, name) for name in fields},
                to_value={name: getattr(obj, name) for name in fields},
            )
        change_timezone(before, timezone=obj.timezone, actor=actor, now=now)
        for tier, bought in seats.items():
            self._set_seats(request, before, tier, bought, actor)

    def _set_seats(
        self,
        request: HttpRequest,
        organization: Organization,
        tier: str,
        bought: int,
        actor: Actor,
    ) -> None:
        try:
            set_bought_seats(
                organization, tier=tier, bought=bought, actor=actor, now=timezone.now()
            )
        except (
            BusinessError
        ) as error:  # somebody assigned one since the form was checked
            messages.error(request, str(error))


@admin.register(Membership)
class MembershipAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "user",
        "organization",
        "base_role",
        "seat_tier",
        "status",
        "joined_at",
        "removed_at",
    )
    list_filter = ("status", "base_role", "seat_tier", "organization__plan")
    list_select_related = ("user", "organization")
    search_fields = (
        "user__email",
        "user__name",
        "organization__slug",
        "organization__name",
    )
    date_hierarchy = "joined_at"


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "email",
        "organization",
        "base_role",
        "seat_tier",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )
    list_filter = ("base_role",)
    list_select_related = ("organization",)
    search_fields = ("email", "organization__slug")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "name",
        "organization",
        "prefix",
        "scopes",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("organization",)
    search_fields = ("name", "prefix", "organization__slug")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "at",
        "organization",
        "who",
        "action",
        "subject",
        "from_value",
        "to_value",
    )
    list_filter = ("action",)
    list_select_related = ("organization", "actor")
    search_fields = ("subject", "actor__email", "actor_label", "organization__slug")
    date_hierarchy = "at"

    @admin.display(description=gettext_lazy("By"))
    def who(self, entry: AuditEntry) -> str:
        """The person, or what acted without one."""
        return entry.actor.email if entry.actor else entry.actor_label


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "user",
        "organization",
        "kind",
        "created_at",
        "sent_at",
        "dropped_at",
        "attempts",
        "last_error",
    )
    list_filter = (
        "kind",
        ("sent_at", admin.EmptyFieldListFilter),
        ("dropped_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__slug", "key", "message_id")
    date_hierarchy = "created_at"
