"""The words of a row in “Spend caps by user”, for the table and the CSV."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.caps.queries.history import CapThen
from billing.funding.rules.standing import CapSource, Reason
from billing.reports.queries.members import MemberRow
from config.kit.dates import month_name_text
from config.kit.months import Month


def status_text(member: MemberRow) -> str:
    """`Active`, `Paused: reached own cap`, `No seat` …"""
    return state_text(member.reason, is_removed=member.is_removed)


def state_text(reason: Reason | None, *, is_removed: bool = False) -> str:
    """The same by the reason that stops somebody; None for nothing."""
    match reason:
        case None:
            return _("Active")
        case Reason.MEMBER_CAP_REACHED:
            return _("Paused: reached own cap")
        case Reason.SEAT_TIER_CAP_REACHED:
            return _("Paused: reached seat cap")
        case Reason.ORGANIZATION_CAP_REACHED:
            return _("Paused: organization cap reached")
        case Reason.BALANCE_EXHAUSTED:
            return _("Paused: balance used up")
        case Reason.CONFIRMATION_NEEDED:
            return _("Paused: waits for own confirmation")
        case Reason.MEMBER_NOT_ENABLED:
            return _("Not selected")
        case Reason.MEMBER_INACTIVE:
            return _("Removed") if is_removed else _("Account switched off")
        case Reason.SEAT_UNASSIGNED:
            return _("No seat")
        case _other:
            return _("Extra usage is off")


def past_cap_note_text(cap: CapThen, month: Month) -> str:
    """The same of a month that is over; empty without a cap."""
    figures = {"month": month_name_text(month.first_on)}
    if cap.amount_nanos is None:
        return ""
    if cap.is_own:
        only = _("own cap, %(month)s only") % figures
        return only if cap.month_only else _("own cap")
    only = _("from seat, %(month)s only") % figures
    return only if cap.month_only else _("from seat")


def cap_note_text(member: MemberRow, month: Month) -> str:
    """`own cap`, `from seat`, `own cap, November only`; empty without a cap, and for
    somebody who has left.
    """
    if member.is_removed:
        return ""
    figures = {"month": month_name_text(month.first_on)}
    if member.cap_source is CapSource.MEMBER:
        return (
            _("own cap, %(month)s only") % figures
            if member.cap_month_only
            else _("own cap")
        )
    if member.cap_source is CapSource.SEAT_TIER:
        return (
            _("from seat, %(month)s only") % figures
            if member.cap_month_only
            else _("from seat")
        )
    return ""
