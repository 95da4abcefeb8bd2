"""What helps with a notice, while it still holds: a press each, the most helpful first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, Role
from billing.models import Notice, NoticeKind
from billing.notices.words.sentences import BALANCES, CAPS, REACHED, WINDOWS

OWN_CAPS = CAPS - {NoticeKind.ORGANIZATION_CAP}


@dataclass(frozen=True, slots=True)
class Press:
    """A press that helps: where it leads in the organization, and whether it opens a
    dialog in place.
    """

    label: str
    url_name: str
    query: str = ""
    in_dialog: bool = False


def still_holds(notice: Notice, *, month_on: dt.date, now: dt.datetime) -> bool:
    """Whether what it says is true: nothing overtook it, its month runs, its window did
    not reset.
    """
    if notice.overtaken_at is not None:
        return False
    if notice.kind in WINDOWS:
        return notice.resets_at is None or now < notice.resets_at
    if notice.kind == NoticeKind.CHANNEL_PAUSED:
        return True
    return notice.month_on == month_on


def presses(notice: Notice, *, reader: Membership, lasting: str = "") -> list[Press]:
    """What helps with a notice that still holds, the most helpful first; `lasting` is
    the cap that would last, as it is typed.
    """
    is_owner = reader.is_at_least(Role.OWNER)
    sees_all = reader.is_at_least(Role.ADMIN)
    usage = Press(_("Show usage"), "usage_settings" if sees_all else "own_usage")
    if notice.kind == NoticeKind.ORGANIZATION_CAP and is_owner:
        query = f"amount={lasting}" if lasting else ""
        return [Press(_("Adjust limit"), "organization_cap", query, True), usage]
    if notice.kind in BALANCES and is_owner:
        return [Press(_("Buy"), "buy_extra_usage", in_dialog=True), usage]
    if notice.kind == NoticeKind.CHANNEL_PAUSED and is_owner:
        return [Press(_("Resume"), "notices")]
    if notice.membership_id != reader.pk:
        return [usage] if sees_all else []
    own = Press(_("Show usage"), "own_usage")
    if notice.kind in OWN_CAPS and _may_ask(notice, notice.organization):
        return [Press(_("Request more usage"), "own_usage"), own]
    return [own]


def _may_ask(notice: Notice, organization: Organization) -> bool:
    """Whether asking for more helps: the cap is reached, and requests are taken (R1)."""
    return (
        (notice.percent or 0) >= REACHED
        and organization.has_seats
        and organization.requests_enabled
    )
