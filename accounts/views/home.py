"""The way in: one's organization, one's own settings, and joining by invitation."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import (
    MemberRequest,
    UserRequest,
    member_page,
    public,
    signed_in,
)
from accounts.actions.invitations import accept_invitation, open_invitation
from accounts.forms import JoinForm, MeForm
from accounts.known_devices import remember_device
from accounts.models import Membership, Role
from accounts.navigation import front_page, settings_page
from accounts.sessions import record_session, sessions_of
from config.kit.errors import BusinessError
from config.kit.fields import add_refusal
from config.kit.http import get_or_post, posted
from config.kit.later import for_strangers

BACKEND = "accounts.backends.AddressBackend"


@signed_in
@require_safe
def home(request: UserRequest) -> HttpResponse:
    """To the usage page of one's only organization, or a list of several."""
    memberships = list(
        Membership.objects.active()
        .filter(user=request.user)
        .select_related("organization")
        .order_by("organization__name")
    )
    if len(memberships) == 1:
        return redirect(front_page(memberships[0]))
    if not memberships and request.user.is_staff:
        return redirect("admin:index")
    return render(request, "accounts/home.html", {"memberships": memberships})


@member_page()
@require_safe
def organization_home(request: MemberRequest, membership: Membership) -> HttpResponse:
    """People shorten addresses: to where a member arrives."""
    return redirect(front_page(membership))


@member_page(Role.ADMIN)
@require_safe
def settings_home(request: MemberRequest, membership: Membership) -> HttpResponse:
    """People shorten addresses: to the first of the settings."""
    return redirect(settings_page(membership))


@signed_in
@require_safe
def address(request: UserRequest) -> HttpResponse:
    """The address one signs in with, to read only: operators change it.

    Stands for allauth's page, whose form makes any address one's own without a proof.
    """
    return render(request, "account/email.html")


@signed_in
@get_or_post
def me(request: UserRequest) -> HttpResponse:
    """Name and language, the way to password and two-factor, and where one is signed in."""
    form = MeForm(posted(request), instance=request.user)
    if form.is_valid():
        form.save()
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Your settings are saved."))
        return redirect("me")
    context = {
        "form": form,
        "sessions": sessions_of(request.user, this=request.session.session_key),
    }
    return render(
        request, "accounts/me.html", context, status=422 if form.errors else 200
    )


@public
@for_strangers
@get_or_post
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Join by an invitation's link: as who one is, or as a new person."""
    now = timezone.now()
    invitation = open_invitation(token, now=now)
    if invitation is None:
        return render(request, "accounts/invitation_gone.html", status=410)
    user = request.user if request.user.is_authenticated else None
    form = forms.Form(posted(request)) if user else JoinForm(posted(request))
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            membership = accept_invitation(
                token, user=user, now=now, **form.cleaned_data
            )
        except BusinessError as error:
            add_refusal(form, error)
            status = error.status
        else:
            return _joined(request, membership)
    context = {"invitation": invitation, "form": form}
    return render(request, "accounts/invitation.html", context, status=status)


def _joined(request: HttpRequest, membership: Membership) -> HttpResponse:
    is_new_here = not request.user.is_authenticated
    if is_new_here:
        login(request, membership.user, backend=BACKEND)
        record_session(request)
    messages.success(
        request,
        _("Welcome to %(organization)s.")
        % {"organization": membership.organization.name},
    )
    response = redirect(front_page(membership))
    if is_new_here:
        remember_device(request, response, membership.user)
    return response
