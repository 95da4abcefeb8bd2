"""Requests and decisions in words, in the active language; times in the organization's zone."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.funding.rules.standing import CapSource, Reason, Standing
from config.kit.dates import (
    day_text,
    duration_text,
    moment_label,
    moment_text,
    month_name_text,
)
from config.kit.money import format_usd
from config.kit.months import local_day, next_month
from requests_inbox.models import UsageRequest


def block_reason_text(reason: Reason) -> str:
    """The reason of a block beside a name: `reached own cap`."""
    return {
        Reason.EXTRA_USAGE_DISABLED: _("extra usage is off"),
        Reason.MEMBER_NOT_ENABLED: _("not selected for extra usage"),
        Reason.ORGANIZATION_CAP_REACHED: _("organization cap reached"),
        Reason.MEMBER_CAP_REACHED: _("reached own cap"),
        Reason.SEAT_TIER_CAP_REACHED: _("reached seat cap"),
        Reason.BALANCE_EXHAUSTED: _("balance used up"),
        Reason.SEAT_UNASSIGNED: _("no seat"),
        Reason.CONFIRMATION_NEEDED: _("waits for own confirmation"),
    }.get(reason, str(reason))


def cap_kind_text(standing: Standing) -> str:
    """`of $60.00 own cap`, `of $40.00 seat cap`, `no cap`: under the spend in the digest."""
    cap = standing.cap.amount_nanos
    if cap is None:
        return _("no cap")
    values = {"cap": format_usd(cap)}
    if standing.cap_source is CapSource.MEMBER:
        return _("of %(cap)s own cap") % values
    return _("of %(cap)s seat cap") % values


def waited_text(since: dt.datetime, *, now: dt.datetime) -> str:
    """How long somebody has waited: minutes, then hours up to two days, then days."""
    hours = int((now - since).total_seconds()) // 3600
    if hours < 1:
        return duration_text(now - since)
    if hours < 48:
        return ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours}
    return ngettext("%(days)d day", "%(days)d days", hours // 24) % {
        "days": hours // 24
    }


def oldest_text(request: UsageRequest, *, zone: str) -> str:
    """Since when the first of the requests has waited."""
    return _("The oldest request is from %(day)s.") % {
        "day": day_text(local_day(request.created_at, zone))
    }


def decided_sentence(request: UsageRequest, *, zone: str, now: dt.datetime) -> str:
    """For the second of two reviewers: who decided what, and when (R4)."""
    moment = (
        moment_text(request.ended_at, zone=zone, now=now) if request.ended_at else ""
    )
    values = {
        "who": request.decider,
        "name": request.membership.user,
        "moment": moment,
        "amount": format_usd(request.granted_nanos or 0),
    }
    if request.status == UsageRequest.Status.DISMISSED:
        return _("%(who)s dismissed the request from %(name)s %(moment)s.") % values
    if request.granted_tier:
        return _("%(who)s moved %(name)s to a Premium seat %(moment)s.") % values
    if request.granted_month_only:
        return (
            _(
                "%(who)s increased the limit for %(name)s to %(amount)s, this month "
                "only, %(moment)s."
            )
            % values
        )
    return (
        _("%(who)s increased the limit for %(name)s to %(amount)s %(moment)s.") % values
    )


def answer_title(request: UsageRequest) -> str:
    """What the member is told, in one sentence."""
    values = {"who": request.decider, "amount": format_usd(request.granted_nanos or 0)}
    if request.status == UsageRequest.Status.DISMISSED:
        return _("%(who)s dismissed your request") % values
    if request.granted_tier:
        return _("%(who)s moved you to a Premium seat") % values
    if request.granted_month_only:
        return _("%(who)s increased your limit to %(amount)s, this month only") % values
    return _("%(who)s increased your limit to %(amount)s") % values


def asked_label(request: UsageRequest, *, zone: str, now: dt.datetime) -> str:
    """When it was asked, as a label: `14:31 today`."""
    return moment_label(request.created_at, zone=zone, now=now)


def outcome_text(request: UsageRequest) -> str:
    """What became of a request that has ended: `Increased to $60.00`."""
    values = {"amount": format_usd(request.granted_nanos or 0)}
    if request.status == UsageRequest.Status.DISMISSED:
        return _("Dismissed")
    if request.status == UsageRequest.Status.WITHDRAWN:
        return _("Withdrawn")
    if request.status == UsageRequest.Status.RESOLVED:
        return _("Resolved")
    if request.granted_tier:
        return _("Moved to Premium")
    return _("Increased to %(amount)s") % values


def outcome_detail(request: UsageRequest, *, zone: str) -> str:
    """The line below the outcome: from when to when it holds, or why it ended."""
    if request.status == UsageRequest.Status.RESOLVED:
        assert request.ended_at is not None
        if local_day(request.ended_at, zone) >= next_month(request.month_on):
            return _("a new month began")
        return _("could go on for another reason")
    if request.status == UsageRequest.Status.WITHDRAWN:
        return _("taken back, or left the organization")
    if request.status == UsageRequest.Status.DISMISSED or request.granted_tier:
        return ""
    if request.granted_month_only:
        return _("%(month)s only") % {"month": month_name_text(request.month_on)}
    return _("from now on")


def then_reason_text(request: UsageRequest) -> str:
    """What blocked the member when they asked."""
    try:
        return block_reason_text(Reason(request.reason))
    except ValueError:
        return request.reason
