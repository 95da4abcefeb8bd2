"""Settings › API keys and › Activity: for owners."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import member_page
from accounts.actions.api_keys import create_api_key, revoke_api_key
from accounts.actions.audit import Actor
from accounts.audit import audit_row, change_groups
from accounts.forms import ApiKeyForm, add_business_error
from accounts.models import ApiKey, Membership, Role
from accounts.queries import api_keys, audit_entries
from config.kit.errors import BusinessError
from config.kit.htmx import render_modal, saved


@member_page(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def api_keys_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    """All keys; a POST makes one and shows its secret on this one answer only."""
    form, secret, key = ApiKeyForm(request.POST or None), "", None
    if request.method == "POST" and form.is_valid():
        try:
            key, secret = create_api_key(
                membership.organization,
                actor=Actor.person(membership.user),
                now=timezone.now(),
                **form.cleaned_data,
            )
            form = ApiKeyForm()
        except BusinessError as error:
            add_business_error(form, error)
    context = {
        "organization": membership.organization,
        "keys": api_keys(membership.organization),
        "form": form,
        "secret": secret,
        "made": key,
    }
    response = render(
        request, "accounts/api_keys.html", context, status=422 if form.errors else 200
    )
    response["Cache-Control"] = "no-store"
    return response


@member_page(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def api_key_revoke(
    request: HttpRequest, membership: Membership, key_id: int
) -> HttpResponse:
    """End a key."""
    key = get_object_or_404(ApiKey, organization=membership.organization, pk=key_id)
    back = reverse("api_keys", args=[membership.organization.slug])
    if request.method == "POST":
        revoke_api_key(key, actor=Actor.person(membership.user), now=timezone.now())
        messages.success(
            request, _("The key %(name)s has been revoked.") % {"name": key.name}
        )
        return saved(request, "keysChanged", then=back)
    context = {
        "form": forms.Form(),
        "back": back,
        "modal_title": _("Revoke key"),
        "subtitle": key.name,
        "danger": True,
        "sentence": _(
            "Anything that uses it will be refused from its next call on. This can't "
            "be undone."
        ),
        "button": _("Revoke"),
    }
    return render_modal(request, "accounts/_form_modal.html", context)


@member_page(Role.OWNER)
@require_safe
def activity_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Who changed what, from which value to which."""
    group = request.GET.get("kind", "")
    search = request.GET.get("q", "").replace("\0", "")[:100]
    groups = change_groups()
    page = audit_entries(
        membership.organization,
        action=group if group in dict(groups) else "",
        search=search,
        page=request.GET.get("page"),
    )
    context = {
        "organization": membership.organization,
        "page": page,
        "rows": [audit_row(entry) for entry in page],
        "groups": groups,
        "kind": group,
        "q": search,
        "zone": membership.organization.zone_at(timezone.now()),
    }
    return render(request, "accounts/activity.html", context)
