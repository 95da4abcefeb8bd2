"""The way in: one's organization, one's own settings, and joining by invitation."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import public, signed_in
from accounts.actions.invitations import accept_invitation, open_invitation
from accounts.forms import JoinForm, MeForm, add_business_error
from accounts.models import Membership
from accounts.navigation import front_page
from config.kit.errors import BusinessError

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the usage page of one's only organization, or a list of several."""
    found = (
        Membership.objects.active()
        .filter(user=request.user)  # type: ignore[misc]
        .select_related("organization")
        .order_by("organization__name")
    )
    memberships = list(found)
    if len(memberships) == 1:
        return redirect(front_page(memberships[0]))
    if not memberships and request.user.is_staff:
        return redirect("admin:index")
    return render(request, "accounts/home.html", {"memberships": memberships})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Name and language, and the way to password and two-factor."""
    form = MeForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        return redirect("me")
    return render(
        request, "accounts/me.html", {"form": form}, status=422 if form.errors else 200
    )


@public
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join by an invitation's link: as who one is, or as a new person."""
    now = timezone.now()
    found = open_invitation(token, now=now)
    if found is None:
        return render(request, "accounts/invitation_gone.html", status=410)
    user = request.user if request.user.is_authenticated else None
    form = JoinForm(request.POST or None) if user is None else None
    context = {"invitation": found, "form": form}
    if request.method == "POST" and (form is None or form.is_valid()):
        typed = form.cleaned_data if form else {}
        try:
            membership = accept_invitation(token, user=user, now=now, **typed)
        except BusinessError as error:
            if form:
                add_business_error(form, error)
            return render(
                request,
                "accounts/invitation.html",
                {**context, "error": error},
                status=error.status,
            )
        if user is None:
            login(request, membership.user, backend=BACKEND)
        messages.success(
            request,
            _("Welcome to %(organization)s.")
            % {"organization": membership.organization.name},
        )
        return redirect(front_page(membership))
    return render(
        request,
        "accounts/invitation.html",
        context,
        status=422 if form and form.errors else 200,
    )
