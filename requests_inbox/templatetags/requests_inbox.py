"""What billing's and the shell's templates show of the inbox: Python never imports
upward, templates may ask.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, Plan, Role, Tier
from config.kit.dates import day_text
from requests_inbox.models import DigestOptOut
from requests_inbox.queries import PendingRequest, pending_of
from requests_inbox.views.own_request import own_request_context
from requests_inbox.words import (
    answer_title,
    block_reason_text,
    cap_kind_text,
    waited_text,
)

register = template.Library()


@register.simple_tag(takes_context=True)
def own_request(context: Context) -> dict[str, Any]:
    """The member's own request, from the standing the page shows."""
    return own_request_context(
        context["membership"],
        context["standing"],
        context["decision"],
        now=context["now"],
    )


@register.simple_tag(takes_context=True)
def pending_requests(context: Context) -> dict[str, Any]:
    """How many requests wait, once a page: for the navigation and the banner.

    Nothing for members.
    """
    request = context.get("request")
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None or not membership.is_at_least(Role.ADMIN):
        return {"count": 0}
    summary = getattr(request, "_pending_requests", None)
    if summary is None:
        summary = request._pending_requests = pending_summary(membership)  # type: ignore[union-attr]
    return summary


def pending_summary(membership: Membership) -> dict[str, Any]:
    """The number of requests that wait and the day of the oldest, in the organization's
    zone.
    """
    now = timezone.now()
    waiting = pending_of(membership.organization_id, now=now).waiting
    if not waiting:
        return {"count": 0}
    month = waiting[0].standing.organization.month
    return {
        "count": len(waiting),
        "oldest": day_text(month.day_of(waiting[0].request.created_at)),
    }


@register.inclusion_tag("requests_inbox/_settings_row.html", takes_context=True)
def requests_setting(context: Context) -> dict[str, Any]:
    """The settings list's row of requests: on or off, the digest, and the reader's own
    digest.
    """
    membership: Membership = context["request"].membership
    return {
        "organization": membership.organization,
        "shows": membership.organization.plan == Plan.ENTERPRISE_SEAT,
        "can_edit": membership.is_at_least(Role.OWNER),
        "hour": f"{membership.organization.digest_hour:02}:00",
        "gets_digest": not DigestOptOut.objects.filter(membership=membership).exists(),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("requests_inbox/_own_digest.html", takes_context=True)
def own_digest(context: Context, membership: Membership) -> dict[str, Any]:
    """The switch of one's own daily digest, for whom there is one."""
    shows = (
        membership.organization.plan == Plan.ENTERPRISE_SEAT
        and membership.is_at_least(Role.ADMIN)
    )
    opt_outs = DigestOptOut.objects.filter(membership=membership)
    return {
        "organization": membership.organization,
        "shows": shows,
        "gets_digest": shows and not opt_outs.exists(),
        "csrf_token": context.get("csrf_token"),
    }


@register.filter
def waited(since: dt.datetime, now: dt.datetime) -> str:
    """How long somebody has waited: `40 hours`, `2 days`."""
    return waited_text(since, now=now)


@register.filter
def waiting_seat(one: PendingRequest) -> str:
    """The present seat of who waits."""
    return Tier.label_of(one.standing.seat_tier) or _("No seat")


register.filter("cap_kind", cap_kind_text)
register.filter("reason_words", block_reason_text)
register.filter("answer_title", answer_title)
