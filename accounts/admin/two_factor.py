"""Operators' page that resets somebody's two-factor sign-in."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import operator_of
from accounts.actions.audit import Actor
from accounts.actions.security import record_security_event
from accounts.actions.two_factor import reset_two_factor
from accounts.models import SecurityEvent, User
from accounts.queries import has_second_factor
from accounts.security_events import origin_of
from accounts.sessions import end_sessions
from accounts.tasks import send_soon
from config.kit.errors import BusinessError


class ResetsTwoFactor(admin.ModelAdmin):
    """People's page with the way to take away a second factor that is lost. Their
    secrets are shown nowhere.
    """

    @admin.display(description=gettext_lazy("Two-factor sign-in"))
    def two_factor(self, user: User) -> str:
        """Whether it is on."""
        return _("On") if user.pk and has_second_factor(user) else _("Off")

    def get_urls(self) -> list[URLPattern]:
        """With the page that resets."""
        view = self.admin_site.admin_view(self.reset_two_factor)
        view.access = "operators"  # type: ignore[attr-defined]
        return [
            path(
                "<int:user_id>/reset-two-factor/",
                view,
                name="accounts_user_reset_two_factor",
            ),
            *super().get_urls(),
        ]

    def reset_two_factor(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Ask once more, then reset it, end the person's sessions and mail them."""
        person = get_object_or_404(User, pk=user_id)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if request.method == "POST":
            _reset(request, person)
            return redirect("admin:accounts_user_change", person.pk)
        context = {
            **self.admin_site.each_context(request),
            "person": person,
            "opts": self.model._meta,
            "title": _("Reset two-factor sign-in"),
        }
        return render(request, "admin/accounts/user/reset_two_factor.html", context)


def _reset(request: HttpRequest, person: User) -> None:
    operator, now = operator_of(request), timezone.now()
    try:
        mails = reset_two_factor(person, actor=Actor.person(operator), now=now)
    except BusinessError as error:
        messages.error(request, error.message)
        return
    record_security_event(
        SecurityEvent.Kind.SECOND_FACTOR_REMOVED,
        person=person,
        operator=operator,
        origin=origin_of(request),
        now=now,
    )
    is_own = person.pk == operator.pk
    end_sessions(person, but=request.session.session_key if is_own else None)
    send_soon(mails)
    messages.success(
        request,
        _("Two-factor sign-in of %(name)s has been reset; they are told by e-mail.")
        % {"name": person},
    )
