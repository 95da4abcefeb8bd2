"""A check's answer in one line of at most 60 characters, for terminals (X1).

No name is in it, so that it fits whatever people and organizations are called.
"""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from billing.funding.rules.decision import Decision, may_request
from billing.funding.rules.standing import Reason, Standing
from config.kit.dates import short_moment_text
from config.kit.money import format_usd, whole_percent

MOST_CHARACTERS = 60


def short_message(
    decision: Decision, standing: Standing, *, language: str, now: dt.datetime
) -> str:
    """What stops a refused member and until when, in `language`: `At your cap. Continue
    Tue 1 Dec 00:00 CET`; the time is in the organization's zone.
    """
    with translation.override(language):
        return _what_and_next(decision, standing, now=now)


def short_standing(
    standing: Standing, decision: Decision, *, language: str, now: dt.datetime
) -> str:
    """Where a member stands, for a status line: `$12.30 of $50.00`, or what stops and
    until when.
    """
    with translation.override(language):
        if not decision.allowed:
            return _what_and_next(decision, standing, now=now)
        if standing.is_enabled:
            return _spent(standing)
        return _("%(percent)d%% of included usage used") % {
            "percent": _included_percent(standing)
        }


def _spent(standing: Standing) -> str:
    spent, cap = format_usd(standing.spent_nanos), standing.cap.amount_nanos
    if cap is None:
        return _("%(spent)s this month") % {"spent": spent}
    return _("%(spent)s of %(cap)s") % {"spent": spent, "cap": format_usd(cap)}


def _included_percent(standing: Standing) -> int:
    """How much of the fullest window is used, in whole percent."""
    return max(
        (
            whole_percent(window.used_nanos, window.limit_nanos)
            for window in standing.windows
        ),
        default=0,
    )


def _what_and_next(decision: Decision, standing: Standing, *, now: dt.datetime) -> str:
    if decision.reason is Reason.CONFIRMATION_NEEDED:
        return _confirm_or_wait(decision, standing, now=now)
    what = _what(decision, standing)
    if decision.resets_at is not None:
        zone = standing.organization.month.zone
        moment = short_moment_text(decision.resets_at, zone=zone, now=now)
        return _("%(what)s Continue %(moment)s") % {"what": what, "moment": moment}
    if may_request(standing, decision.reason):
        return _("%(what)s You can request more.") % {"what": what}
    return _("%(what)s Ask an owner.") % {"what": what}


def _confirm_or_wait(
    decision: Decision, standing: Standing, *, now: dt.datetime
) -> str:
    if decision.resets_at is None:
        return _("Confirm extra usage on your usage page.")
    zone = standing.organization.month.zone
    moment = short_moment_text(decision.resets_at, zone=zone, now=now)
    return _("Confirm extra usage, or continue %(moment)s") % {"moment": moment}


def _what(decision: Decision, standing: Standing) -> str:
    match decision.reason:
        case Reason.MEMBER_INACTIVE if standing.is_switched_off:
            return _("Account switched off.")
        case Reason.MEMBER_INACTIVE:
            return _("No longer a member.")
        case Reason.SEAT_UNASSIGNED:
            return _("No seat.")
        case Reason.EXTRA_USAGE_DISABLED | Reason.MEMBER_NOT_ENABLED:
            return _("Included usage used up.")
        case Reason.ORGANIZATION_CAP_REACHED:
            return _("Organization at cap.")
        case Reason.MEMBER_CAP_REACHED:
            return _("At your cap.")
        case Reason.SEAT_TIER_CAP_REACHED:
            return _("At your seat's cap.")
        case _other:
            return _("Balance used up.")
