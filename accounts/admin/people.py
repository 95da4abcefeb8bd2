"""Operators' pages of people, of where they belong and of who is invited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.addresses import change_address
from accounts.admin.privacy import PrivacyActs
from accounts.admin.rights import GivesRights
from accounts.admin.two_factor import ResetsTwoFactor
from accounts.models import (
    NOBODYS_ADDRESS,
    Invitation,
    Membership,
    SecurityEvent,
    User,
)
from accounts.operators.reads import ReadsAreKept
from accounts.panels import Label, links_to_steps
from accounts.queries import has_second_factor
from accounts.security_events import note, origin_of
from accounts.tasks import send_soon
from config.kit.admin import ReadableList, ReadOnly
from config.kit.large_tables import BoundedList, LargeTable


@admin.register(User)
class UserAdmin(
    ReadsAreKept,
    ReadableList,
    BoundedList,
    PrivacyActs,
    ResetsTwoFactor,
    GivesRights,
    DjangoUserAdmin,
):
    list_display = ("email", "name", "language", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active", "groups", "language")
    search_fields = ("email", "name")
    ordering = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "language")}),
        (gettext_lazy("Access"), {"fields": ("is_active", "two_factor")}),
        (
            gettext_lazy("Operators"),
            {"fields": ("is_staff", "groups", "is_superuser")},
        ),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("two_factor", "last_login", "date_joined")
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "name", "usable_password", "password1", "password2")},
        ),
    )
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People alone: not what stands for somebody unknown."""
        return super().get_queryset(request).exclude(email=NOBODYS_ADDRESS)

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        """With what support does to somebody, for operators who may."""
        if obj is not None and self.has_change_permission(request, obj):
            context["step_links"] = _steps_on(obj, operator_of(request))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        """Save, and change the address by its act, so that the one before is void."""
        email, before = obj.email, User.objects.filter(pk=obj.pk).first()
        if before is not None:
            obj.email = before.email
        super().save_model(request, obj, form, change)
        if before is None or before.email == email:
            return
        mail_ids = change_address(
            obj,
            email=email,
            by=operator_of(request),
            now=timezone.now(),
            origin=origin_of(request),
        )
        send_soon(mail_ids)
        if obj == request.user:  # their own session goes on
            update_session_auth_hash(request, obj)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Django's page to set somebody's password; they are told."""
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before and after and before.password != after.password:
            kind = SecurityEvent.Kind.PASSWORD_SET
            operator = operator_of(request)
            note(kind, person=after, operator=operator, request=request)
        return response

    user_change_password.access = "operators"  # type: ignore[attr-defined]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are erased or switched off, not deleted: rows refer to them."""
        return False


def _steps_on(person: User, operator: User) -> list[tuple[Label, str]]:
    """The steps of a customer that they belong to; who belongs to none, or is a
    superuser, has a page of their own to reset two-factor sign-in.
    """
    member = (
        Membership.objects.active()
        .filter(user=person)
        .select_related("organization")
        .first()
    )
    has_factor = has_second_factor(person)
    if member is None or person.is_superuser:
        url = reverse("admin:accounts_user_reset_two_factor", args=[person.pk])
        return [(gettext_lazy("Reset two-factor"), url)] if has_factor else []
    names = ["sessions", *(["two-factor"] if has_factor else [])]
    return links_to_steps(member.organization, operator, *names, person=member.pk)


@admin.register(Membership)
class MembershipAdmin(ReadOnly, BoundedList, admin.ModelAdmin):
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


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "email",
        "organization",
        "base_role",
        "seat_tier",
        "created_at",
        "mailed_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )
    list_filter = (
        "base_role",
        ("created_at", admin.DateFieldListFilter),
    )
    empty_text = gettext_lazy(
        "No invitation waits. Owners and admins invite people under Members."
    )
    list_select_related = ("organization",)
    found_by = (
        "email",
        "organization__slug",
    )
