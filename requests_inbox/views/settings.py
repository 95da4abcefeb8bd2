"""Whether members may ask and when the digest comes (owners), and everybody's own digest."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_page, public
from accounts.actions.audit import Actor
from accounts.models import Membership, Plan, Role
from config.kit.dates import zone_city_text
from config.kit.htmx import render_modal, saved
from config.kit.http import get_or_post, posted
from config.kit.later import for_strangers
from requests_inbox.actions.settings import set_digest, set_requests
from requests_inbox.digest_links import membership_id_of
from requests_inbox.forms import RequestSettingsForm


@member_page(Role.OWNER)
@get_or_post
def requests_settings(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The modal of both settings."""
    organization = membership.organization
    if organization.plan != Plan.ENTERPRISE_SEAT:
        raise Http404
    now = timezone.now()
    zone_city = zone_city_text(organization.zone_at(now))
    kept = {
        "enabled": organization.requests_enabled,
        "digest_hour": organization.digest_hour,
    }
    form = RequestSettingsForm(posted(request), initial=kept, zone_city=zone_city)
    if form.is_valid():
        set_requests(
            organization,
            **form.cleaned_data,
            actor=Actor.person(membership.user),
            now=now,
        )
        messages.success(
            request,
            _("Members can now request more usage.")
            if form.cleaned_data["enabled"]
            else _("Members can no longer request more usage."),
        )
        back = reverse("usage_settings", args=[organization.slug])
        return saved(request, "capChanged", then=back)
    return render_modal(
        request,
        "requests_inbox/settings.html",
        {"form": form, "organization": organization},
        title=_("Requests"),
        name="requests-settings",
    )


@member_page(Role.ADMIN)
@require_POST
def own_digest(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Switch the reader's own digest."""
    gets_digest = request.POST.get("wanted") == "1"
    set_digest(membership, wanted=gets_digest, now=timezone.now())
    messages.success(
        request,
        _("You'll get the daily digest again.")
        if gets_digest
        else _("You'll no longer get the daily digest."),
    )
    if request.POST.get("then") == "me":
        return redirect(f"{reverse('me')}#notices")
    return redirect("usage_settings", slug=membership.organization.slug)


@public
# mail programs press it by themselves (RFC 8058); the token in the address is the
# permission
@csrf_exempt
@for_strangers
@get_or_post
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
