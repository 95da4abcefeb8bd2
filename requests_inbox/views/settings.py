"""Whether members may ask and when the digest comes (owners), and everybody's own digest."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import member_page, public
from accounts.actions.audit import Actor
from accounts.models import Membership, Plan, Role
from config.kit.dates import zone_city_text
from requests_inbox.actions.settings import set_digest, set_requests
from requests_inbox.digest_links import membership_id_of
from requests_inbox.forms import RequestSettingsForm

SAVED = json.dumps({"capChanged": {}, "closeModal": {}})


@member_page(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def requests_settings(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The modal of both settings."""
    organization = membership.organization
    if organization.plan != Plan.ENTERPRISE_SEAT:
        raise Http404
    is_part = getattr(request, "htmx", False)
    initial = {
        "enabled": organization.requests_enabled,
        "digest_hour": organization.digest_hour,
    }
    form = RequestSettingsForm(
        request.POST if request.method == "POST" else None, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        set_requests(
            organization,
            enabled=typed["enabled"],
            digest_hour=typed["digest_hour"],
            actor=Actor.person(membership.user),
            now=timezone.now(),
        )
        on = _("Members can now request more usage.")
        messages.success(
            request,
            on if typed["enabled"] else _("Members can no longer request more usage."),
        )
        if is_part:
            return HttpResponse(status=204, headers={"HX-Trigger": SAVED})
        return redirect("usage_settings", slug=organization.slug)
    context = {
        "form": form,
        "organization": organization,
        "zone_city": zone_city_text(organization.zone_at(timezone.now())),
    }
    template = (
        "requests_inbox/_settings_modal.html"
        if is_part
        else "requests_inbox/settings.html"
    )
    return render(request, template, context, status=422 if form.errors else 200)


@member_page(Role.ADMIN)
@require_POST
def own_digest(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Switch the reader's own digest."""
    wanted = request.POST.get("wanted") == "1"
    set_digest(membership, wanted=wanted, now=timezone.now())
    messages.success(
        request,
        _("You'll get the daily digest again.")
        if wanted
        else _("You'll no longer get the daily digest."),
    )
    return redirect("usage_settings", slug=membership.organization.slug)


@public
# mail programs press it by themselves (RFC 8058); the token in the address is the
# permission
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def digest_off(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail: a page that asks, and the one-click POST."""
    membership_id = membership_id_of(token)
    membership = (
        Membership.objects.select_related("organization")
        .filter(pk=membership_id or 0)
        .first()
    )
    if membership is None:
        raise Http404
    if request.method == "POST":
        set_digest(membership, wanted=False, now=timezone.now())
    context = {
        "organization": membership.organization,
        "done": request.method == "POST",
    }
    return render(request, "requests_inbox/digest_off.html", context)
