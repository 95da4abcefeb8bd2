"""Why somebody pays for an event, as a sentence with the windows and the cap it met: the
proof that included usage went first (E5, I2). Words and positions only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from billing.metering.queries.windows_before import WindowBefore
from billing.models import Funding, FundingWhy, UsageEvent, WindowName
from config.kit.dates import day_text, duration_text, time_text
from config.kit.money import format_usd


@dataclass(frozen=True, slots=True)
class Proof:
    """The first line of a receipt, what stands under it, and its icon's name."""

    text: str
    detail: str
    icon: str = "circle-check"


class WindowBar(NamedTuple):
    """A window to scale: where it ran out and where the event is, in percent of its
    length, and its words. Not `is_open` where none was, and the event opened none.
    """

    is_open: bool
    title: str
    figures: str
    opened: str
    resets: str
    used_up: str
    to_go: str
    request: str
    used_up_at: str
    request_at: str
    used_up_anchor: str
    request_anchor: str
    hatch: str


def proof_of(event: UsageEvent, windows: list[WindowBefore], *, zone: str) -> Proof:
    """The sentence by who pays, and why."""
    promised = event.funding_why == FundingWhy.PROMISED
    if event.funding == Funding.INCLUDED:
        return _included(event, windows, is_promised=promised)
    if event.funding == Funding.UNBILLED:
        return Proof(_unbilled_text(windows), _unbilled_detail(event), "player-pause")
    return Proof(_extra_text(event, windows, zone=zone), _extra_detail(event, windows))


def _included(
    event: UsageEvent, windows: list[WindowBefore], *, is_promised: bool
) -> Proof:
    detail = _("Nothing is billed. At API rates it would have cost %(cost)s.") % {
        "cost": format_usd(event.cost_nanos)
    }
    if is_promised and any(window.is_used_up for window in windows):
        text = _("A check had promised included usage, so this was included.")
        return Proof(text, detail)
    left = {one.name: format_usd(one.left_nanos) for one in windows}
    if {WindowName.SESSION, WindowName.WEEK} <= left.keys():
        text = _(
            "%(session)s of the session and %(week)s of the week were left, so this was "
            "included."
        )
    elif WindowName.SESSION in left:
        text = _("%(session)s of the session was left, so this was included.")
    elif WindowName.WEEK in left:
        text = _("%(week)s of the week was left, so this was included.")
    else:
        text = _("Included usage was left, so this was included.")
    return Proof(text % left, detail)


def _extra_text(event: UsageEvent, windows: list[WindowBefore], *, zone: str) -> str:
    used_up = {
        one.name: _when(one.exhausted_at, event, zone=zone)
        for one in windows
        if one.exhausted_at is not None
    }
    if used_up.keys() >= {WindowName.SESSION, WindowName.WEEK}:
        text = _(
            "Session used up %(session)s, week used up %(week)s, so this was extra usage."
        )
    elif WindowName.SESSION in used_up:
        text = _("Session used up %(session)s, so this was extra usage.")
    elif WindowName.WEEK in used_up:
        text = _("Week used up %(week)s, so this was extra usage.")
    elif event.unattributed_id is not None:
        text = _("It came under a name of nobody here, so this was extra usage.")
    elif event.funding_why == FundingWhy.PROMISED:
        text = _("A check had promised extra usage, so this was extra usage.")
    elif not event.organization.has_seats:
        text = _("This plan bills every request, so this was extra usage.")
    elif not windows:
        text = _("Nothing is included without a seat, so this was extra usage.")
    else:
        text = _("This was extra usage.")
    return text % used_up


def _extra_detail(event: UsageEvent, windows: list[WindowBefore]) -> str:
    if event.funding_why == FundingWhy.REFUSED:
        return _(
            "A check at that moment would have refused it; it ran all the same and is "
            "counted."
        )
    used_up = any(window.is_used_up for window in windows)
    if event.funding_why == FundingWhy.PROMISED and windows and not used_up:
        return _("Included usage had begun anew meanwhile; the promise holds.")
    return ""


def _unbilled_text(windows: list[WindowBefore]) -> str:
    if any(window.is_used_up for window in windows):
        return _(
            "Everything included was used up and extra usage could not pay, so nobody "
            "pays for this."
        )
    return _("Neither included nor extra usage could pay, so nobody pays for this.")


def _unbilled_detail(event: UsageEvent) -> str:
    return _("It ran all the same; %(cost)s is kept as unbilled.") % {
        "cost": format_usd(event.cost_nanos)
    }


def bars_of(
    event: UsageEvent, windows: list[WindowBefore], *, zone: str
) -> list[WindowBar]:
    """The windows to scale, with what was used of each before the event."""
    return [_bar(event, one, zone=zone) for one in windows]


def _bar(event: UsageEvent, window: WindowBefore, *, zone: str) -> WindowBar:
    opened, resets = window.opened_at, window.resets_at
    is_open = opened is not None or event.funding == Funding.INCLUDED
    if opened is None or resets is None:  # this request opened it, or would have
        opened, resets = event.occurred_at, event.occurred_at + window.length
    ring = _percent(event.occurred_at, opened, resets)
    mark = _percent(window.exhausted_at or opened, opened, resets)
    to_go = resets - event.occurred_at
    return WindowBar(
        is_open=is_open,
        title=_title(window),
        figures=_("%(used)s of %(limit)s used before")
        % {
            "used": format_usd(window.used_nanos),
            "limit": format_usd(window.limit_nanos or 0),
        },
        opened=_("opened %(when)s") % {"when": _when(opened, event, zone=zone)},
        resets=_("resets %(when)s") % {"when": _when(resets, event, zone=zone)},
        used_up=_("used up %(when)s")
        % {"when": _when(window.exhausted_at, event, zone=zone)}
        if window.exhausted_at
        else "",
        to_go=_("had %(time)s to go") % {"time": duration_text(to_go)}
        if to_go > dt.timedelta(0)
        else "",
        request=_("this request, %(time)s")
        % {"time": time_text(event.occurred_at, zone=zone)},
        used_up_at=f"{mark}%",
        request_at=f"{ring}%",
        used_up_anchor=_anchor(mark),
        request_anchor=_anchor(ring),
        hatch=f"{100 - mark}%",
    )


def _title(window: WindowBefore) -> str:
    values = {"time": duration_text(window.length)}
    if window.name == WindowName.SESSION:
        return _("Session, %(time)s") % values
    return _("Week, %(time)s") % values


def _percent(at: dt.datetime, opened: dt.datetime, resets: dt.datetime) -> int:
    """Whole percent of the window's length, within it."""
    return min(100, max(0, 100 * (at - opened) // (resets - opened)))


def _anchor(percent: int) -> str:
    """Which end of a label stands there, so that none leaves the bar."""
    if percent < 35:
        return "start"
    return "end" if percent > 65 else "middle"


def _when(at: dt.datetime | None, event: UsageEvent, *, zone: str) -> str:
    """The time, with the day where that is not the event's."""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    time = time_text(at, zone=zone)
    if local.date() == event.occurred_at.astimezone(ZoneInfo(zone)).date():
        return time
    return f"{day_text(local.date())} {time}"
