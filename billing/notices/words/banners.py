"""The banner on a page while something matters: at most one, the worst, from the
standing itself, so that it goes as soon as that does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.funding.rules.decision import Decision
from billing.funding.rules.standing import (
    INCLUDED,
    OrganizationStanding,
    Standing,
    WindowState,
)
from billing.models import WindowName
from billing.notices.words.presses import Press
from billing.notices.words.sentences import REACHED, percent_text
from config.kit.dates import moment_text
from config.kit.fields import typed_amount
from config.kit.money import format_usd


@dataclass(frozen=True, slots=True)
class Banner:
    """One sentence with what it rests on; `tone` is a name of our styles."""

    headline: str
    detail: str
    tone: str
    icon: str
    press: Press | None = None


def organization_banner(
    standing: OrganizationStanding,
    percents: Sequence[int],
    *,
    lasting_nanos: int | None,
    now: dt.datetime,
) -> Banner | None:
    """While the organization's cap is reached, or as near as its owners are told."""
    cap_nanos = standing.cap.amount_nanos
    if not cap_nanos or not standing.is_on or not percents:
        return None
    used = share(standing.spent_nanos, cap_nanos)
    if used < min(percents):
        return None
    values = {
        "who": standing.name,
        "percent": percent_text(used),
        "limit": format_usd(cap_nanos),
    }
    amount = f"amount={typed_amount(lasting_nanos)}" if lasting_nanos else ""
    press = Press(_("Adjust limit"), "organization_cap", amount, True)
    headline = _("%(who)s has used %(percent)s of %(limit)s.") % values
    if used >= REACHED:
        return Banner(headline, "", "stop", "alert-circle", press)
    days = standing.month.days_left(now)
    detail = ngettext(
        "%(spent)s with %(days)s day left.", "%(spent)s with %(days)s days left.", days
    ) % {"spent": format_usd(standing.spent_nanos), "days": days}
    return Banner(headline, detail, "warn", "alert-triangle", press)


def low_balance_banner(left_nanos: int) -> Banner:
    """While a balance is low and nothing reloads it."""
    left = _("%(left)s of the balance is left.") % {"left": format_usd(left_nanos)}
    press = Press(_("Buy"), "buy_extra_usage", in_dialog=True)
    detail = _("Nothing reloads it.")
    return Banner(left, detail, "warn", "alert-triangle", press)


def own_banner(
    standing: Standing,
    decision: Decision,
    *,
    member_percents: Sequence[int],
    included_percents: Sequence[int],
    now: dt.datetime,
) -> Banner | None:
    """While a member comes near their cap, or the end of what their seat includes. Who
    is stopped reads that in its own place (N2).
    """
    if not decision.allowed:
        return None
    window = _fullest(standing, decision, included_percents)
    cap = _cap_share(standing, member_percents)
    if window is not None and (cap is None or share_of(window) > cap):
        return _window_banner(window, zone=standing.organization.month.zone, now=now)
    return None if cap is None else _cap_banner(standing, cap)


def share(part_nanos: int, whole_nanos: int) -> int:
    """How much is used, in whole per cent rounded down; past the limit over 100."""
    return part_nanos * 100 // whole_nanos


def share_of(window: WindowState) -> int:
    """How much of a window is used."""
    return share(window.used_nanos, window.limit_nanos)


def _fullest(
    standing: Standing, decision: Decision, percents: Sequence[int]
) -> WindowState | None:
    """The window that is told of, while included usage still pays."""
    if decision.funding != INCLUDED or not percents:
        return None
    told = [
        window
        for window in standing.windows
        if window.limit_nanos and window.resets_at and share_of(window) >= min(percents)
    ]
    return max(told, key=share_of, default=None)


def _cap_share(standing: Standing, percents: Sequence[int]) -> int | None:
    cap_nanos = standing.cap.amount_nanos
    if not cap_nanos or not standing.is_enabled or not percents:
        return None
    used = share(standing.spent_nanos, cap_nanos)
    return used if used >= min(percents) else None


def _window_banner(window: WindowState, *, zone: str, now: dt.datetime) -> Banner:
    used = {"percent": percent_text(share_of(window))}
    if window.name == WindowName.WEEK:
        headline = _("You have used %(percent)s of this week’s included usage.") % used
    else:
        headline = (
            _("You have used %(percent)s of this session’s included usage.") % used
        )
    assert window.resets_at is not None
    detail = _("It resets %(moment)s.") % {
        "moment": moment_text(window.resets_at, zone=zone, now=now)
    }
    return Banner(headline, detail, "calm", "clock")


def _cap_banner(standing: Standing, used: int) -> Banner:
    headline = _("You have used %(percent)s of your %(limit)s.") % {
        "percent": percent_text(used),
        "limit": format_usd(standing.cap.amount_nanos or 0),
    }
    if used >= REACHED:
        detail = _("Extra usage is paused for you; your included usage goes on.")
        return Banner(headline, detail, "stop", "alert-circle")
    left = (standing.cap.amount_nanos or 0) - standing.spent_nanos
    detail = _("%(left)s of extra usage is left this month.") % {
        "left": format_usd(left)
    }
    return Banner(headline, detail, "warn", "alert-triangle")
