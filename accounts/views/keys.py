"""Settings › API keys: for owners."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page
from accounts.actions.api_keys import create_api_key, revoke_api_key
from accounts.actions.audit import Actor
from accounts.actions.leases import set_leases
from accounts.actions.tokens import revoke_token
from accounts.forms import ApiKeyForm
from accounts.models import NOTICE, ApiKey, Membership, Role
from accounts.queries import api_keys, tokens_of_members
from config.kit.fields import refusals_on
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted


@member_page(Role.OWNER)
@get_or_post
def api_keys_page(request: MemberRequest, membership: Membership) -> HttpResponse:
    """All keys; a POST makes one and shows its secret on this one answer only."""
    form, secret, key = ApiKeyForm(posted(request)), "", None
    now = timezone.now()
    if form.is_valid():
        with refusals_on(form):
            key, secret = create_api_key(
                membership.organization,
                actor=Actor.person(membership.user),
                now=now,
                **form.cleaned_data,
            )
            form = ApiKeyForm()
    context = {
        "organization": membership.organization,
        "page": api_keys(
            membership.organization, now=now, page=request.GET.get("page")
        ),
        "tokens": tokens_of_members(
            membership.organization, now=now, page=request.GET.get("tokens")
        ),
        "soon": now + NOTICE,
        "form": form,
        "secret": secret,
        "new_key": key,
        "lease_seconds": settings.LEASE_SECONDS,
    }
    return render(
        request, "accounts/api_keys.html", context, status=422 if form.errors else 200
    )


@member_page(Role.OWNER)
@get_or_post
def api_key_revoke(
    request: MemberRequest, membership: Membership, key_id: int
) -> HttpResponse:
    """End a key, or a member's personal token (X3)."""
    key = get_object_or_404(ApiKey, organization=membership.organization, pk=key_id)
    if request.method == "POST":
        revoke = revoke_token if key.membership_id else revoke_api_key
        revoke(key, actor=Actor.person(membership.user), now=timezone.now())
        messages.success(
            request, _("The key %(name)s has been revoked.") % {"name": key.name}
        )
        back = reverse("api_keys", args=[membership.organization.slug])
        return saved(request, "keysChanged", then=back)
    context = {
        "organization": membership.organization,
        "form": forms.Form(),
        "back": "api_keys",
        "subtitle": key.name,
        "is_danger": True,
        "sentence": _(
            "Anything that uses it will be refused from its next call on. This can't "
            "be undone."
        ),
        "button": _("Revoke"),
    }
    return render_modal(request, "accounts/form.html", context, title=_("Revoke key"))


@member_page(Role.OWNER)
@require_POST
def leases(request: MemberRequest, membership: Membership) -> HttpResponse:
    """Allow gateways several requests on one answer, or forbid it (X5)."""
    allowed = request.POST.get("allowed") == "1"
    set_leases(
        membership.organization,
        allowed=allowed,
        actor=Actor.person(membership.user),
        now=timezone.now(),
    )
    messages.success(request, _leases_text(allowed))
    return redirect("api_keys", slug=membership.organization.slug)


def _leases_text(allowed: bool) -> str:
    if allowed:
        return _("Gateways may now get leases.")
    seconds = settings.LEASE_SECONDS
    return ngettext(
        "Leases are off. Those in use end within %(seconds)d second.",
        "Leases are off. Those in use end within %(seconds)d seconds.",
        seconds,
    ) % {"seconds": seconds}
