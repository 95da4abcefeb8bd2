"""Settings › Notices, its channels and their deliveries (N3): parts of the page, each
with an address of its own. Owners only.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_page
from accounts.actions.audit import Actor
from accounts.models import Membership, Organization, Role
from billing.models import Channel
from billing.notices import processing
from billing.notices.actions.channels import resume_channel
from billing.notices.actions.deliveries import resend
from billing.notices.queries.channels import (
    Which,
    channel_rows,
    deliveries_of,
    deliveries_page,
    delivery_counts,
    paused_by_failure,
    people_of,
)
from billing.notices.tasks import send_deliveries_soon, send_due_deliveries
from billing.notices.words.channels import (
    channel_words,
    delivery_words,
    stopped_text,
    test_words,
)
from config.kit.errors import BusinessError
from config.kit.htmx import saved
from config.kit.jobs import enqueue


def channels_part(organization: Organization, *, now: dt.datetime) -> dict[str, Any]:
    """What `_channels.html` shows."""
    rows = channel_rows(organization)
    zone = organization.zone_at(now)
    return {
        "organization": organization,
        "channels": [channel_words(row, zone=zone, now=now) for row in rows],
        "stopped": stopped_text(paused_by_failure(rows)),
    }


def deliveries_part(
    organization: Organization, *, which: str, page: str | None, now: dt.datetime
) -> dict[str, Any]:
    """What `_channel_deliveries.html` shows; a list that there is not is all of them."""
    chosen = Which(which) if which in set(Which) else Which.ALL
    shown = deliveries_page(organization, which=chosen, page=page)
    people = people_of([delivery.event for delivery in shown])
    zone = organization.zone_at(now)
    return {
        "organization": organization,
        "which": chosen.value,
        "counts": delivery_counts(organization),
        "delivery_page": shown,
        "deliveries": [
            delivery_words(delivery, people, zone=zone, now=now) for delivery in shown
        ],
    }


@member_page(Role.OWNER)
@require_safe
def channels(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The channels; for HTMX the part alone."""
    now, organization = timezone.now(), membership.organization
    context = channels_part(organization, now=now)
    if request.htmx:
        return render(request, "billing/notices/_channels.html", context)
    context |= deliveries_part(
        organization,
        which=request.GET.get("which", ""),
        page=request.GET.get("channel_page"),
        now=now,
    )
    return render(request, "billing/notices/channels.html", context)


@member_page(Role.OWNER)
@require_safe
def channel_deliveries(request: MemberRequest, membership: Membership) -> HttpResponse:
    """The deliveries, 50 a page; without HTMX on the page of channels."""
    if not request.htmx:
        query = request.GET.urlencode()
        return redirect(f"{_back(membership)}?{query}#channel-deliveries")
    context = deliveries_part(
        membership.organization,
        which=request.GET.get("which", ""),
        page=request.GET.get("channel_page"),
        now=timezone.now(),
    )
    return render(request, "billing/notices/_channel_deliveries.html", context)


@member_page(Role.OWNER)
@require_POST
def channel_test(
    request: MemberRequest, membership: Membership, channel_id: int
) -> HttpResponse:
    """Send a test and say in the button's place what came back."""
    channel = channel_or_404(membership, channel_id)
    try:
        delivery = processing.send_test(channel, now=timezone.now())
    except BusinessError as error:
        said = {"text": error.message, "style": "paused"}
    else:
        words = test_words(delivery)
        said = {"text": words.text, "style": words.style}
    if request.htmx:
        context = {"said": said}
        answer = render(request, "billing/notices/_channel_said.html", context)
        answer["HX-Trigger"] = json.dumps({"deliveriesChanged": True})
        return answer
    level = messages.ERROR if said["style"] else messages.SUCCESS
    messages.add_message(request, level, said["text"])
    return redirect(_back(membership))


@member_page(Role.OWNER)
@require_POST
def channel_resume(
    request: MemberRequest, membership: Membership, channel_id: int
) -> HttpResponse:
    """Send there again, first what waited."""
    channel = channel_or_404(membership, channel_id)
    resume_channel(channel, actor=Actor.person(membership.user), now=timezone.now())
    enqueue(send_due_deliveries)
    messages.success(
        request, _("%(name)s goes on; what waited is sent.") % {"name": channel.name}
    )
    return saved(request, "channelsChanged", then=_back(membership))


@member_page(Role.OWNER)
@require_POST
def delivery_resend(
    request: MemberRequest, membership: Membership, delivery_id: int
) -> HttpResponse:
    """Send one delivery again, with the same message id."""
    delivery = get_object_or_404(deliveries_of(membership.organization), pk=delivery_id)
    try:
        resend(delivery, actor=Actor.person(membership.user), now=timezone.now())
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        send_deliveries_soon([delivery.pk])
        messages.success(request, _("It is sent again, with the same message id."))
    return saved(request, "deliveriesChanged", then=_back(membership))


def channel_or_404(membership: Membership, channel_id: int) -> Channel:
    """A channel of the reader's organization that nobody has removed."""
    present = Channel.objects.present().select_related("organization")
    return get_object_or_404(
        present, organization=membership.organization, pk=channel_id
    )


def _back(membership: Membership) -> str:
    return reverse("channels", args=[membership.organization.slug])
