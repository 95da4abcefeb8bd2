"""One day of a month on Settings › Usage: who and what it was, and whom a cap stopped.
Reads only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization
from billing.models import NoticeKind
from billing.notices.queries.stops import Stop
from billing.reports.queries.month import MonthSummary
from billing.reports.queries.one_day import DayShares, Share, day_shares
from billing.reports.queries.report import people_called
from config.kit.dates import time_text
from config.kit.money import format_usd
from config.kit.months import Month, local_day

BAR = 64  # as wide as the longest bar is drawn


@dataclass(frozen=True, slots=True)
class DayLink:
    """A day of the chart: where it is shown, and the part of the page alone."""

    on: dt.date
    address: str
    part: str

    @property
    def id(self) -> str:
        """By which a bar finds its link."""
        return f"month-day-{self.on.day}"


def day_of(query: QueryDict, summary: MonthSummary) -> dt.date | None:
    """The day an address asks for (`day=14`); None without one, for what is no day of
    the month, and for a day to come.
    """
    text = query.get("day", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        return None
    number = int(text)
    if not 1 <= number <= summary.month.days:
        return None
    on = summary.month.first_on.replace(day=number)
    return on if on <= summary.today else None


class DayLinks:
    """Leads from day to day of a month, with what else the address asks for."""

    def __init__(self, slug: str, query: QueryDict) -> None:
        self._page = reverse("usage_settings", args=[slug])
        self._part = reverse("usage_month", args=[slug])
        self._query = query.copy()
        for name in ("day", "seen"):
            self._query.pop(name, None)

    def to(self, on: dt.date) -> DayLink:
        """The link of one day."""
        query = self._query.copy()
        query["day"] = str(on.day)
        return self._link(on, query)

    def close(self, on: dt.date) -> DayLink:
        """The link to the month without any day open."""
        return self._link(on, self._query)

    def _link(self, on: dt.date, query: QueryDict) -> DayLink:
        text = f"?{query.urlencode()}" if query else ""
        return DayLink(on, f"{self._page}{text}", f"{self._part}{text}")

    @property
    def kept(self) -> str:
        """What the address asks for besides the day."""
        return self._query.urlencode()


def days_context(
    organization: Organization,
    summary: MonthSummary,
    *,
    query: QueryDict,
    stops: list[Stop] | None = None,
) -> dict[str, Any]:
    """The links of a month's bars, and the day that is open; `stops` are read where they
    are not given.
    """
    links = DayLinks(organization.slug, query)
    chosen_on = day_of(query, summary)
    days = [links.to(day.on) for day in summary.days if day.on <= summary.today]
    context: dict[str, Any] = {
        "day_links": days,
        "chosen_on": chosen_on,
        "part_query": links.kept,
    }
    if chosen_on is None:
        return context
    return context | {
        "part_query": f"{links.kept}&day={chosen_on.day}".lstrip("&"),
        "day": _day(organization, summary, chosen_on, stops or []),
        "day_previous": _beside(days, chosen_on, -1),
        "day_next": _beside(days, chosen_on, 1),
        "day_close": links.close(chosen_on),
    }


def _beside(days: list[DayLink], on: dt.date, step: int) -> DayLink | None:
    place = on.day - 1 + step
    return days[place] if 0 <= place < len(days) else None


def _day(
    organization: Organization, summary: MonthSummary, on: dt.date, stops: list[Stop]
) -> dict[str, Any]:
    month = summary.month
    today = [stop for stop in stops if local_day(stop.at, month.zone) == on]
    by_person = {stop.membership_id: stop for stop in today if stop.membership_id}
    shares = day_shares(
        organization.pk, on=on, surfaces=summary.surfaces, stopped=by_person.keys()
    )
    return {
        "shares": shares,
        "surfaces": summary.surfaces,
        "who": _who(organization, shares, by_person, summary=summary),
        "what": [(str(share.key) or _("none"), share) for share in shares.what],
        "stopped": len(by_person),
        "all_stopped": [
            all_stopped_text(stop, month) for stop in today if not stop.membership_id
        ],
        "report_range": f"{on}..{on}",
    }


def _who(
    organization: Organization,
    shares: DayShares,
    stopped: dict[int, Stop],
    *,
    summary: MonthSummary,
) -> list[dict[str, Any]]:
    people = people_called(organization.pk, [share.key for share in shares.who])
    most = max((share.total_nanos for share in shares.who), default=0)
    return [
        {
            "person": people[share.key],
            "seat": _seat(people[share.key]),
            "total_nanos": share.total_nanos,
            "parts": _parts(share, most, summary),
            "stopped": stopped_text(stopped[share.key], summary.month)
            if share.key in stopped
            else "",
        }
        for share in shares.who
        if share.key in people
    ]


def _seat(person: Membership) -> str:
    return str(person.get_seat_tier_display() or "")


def _parts(
    share: Share, most: int, summary: MonthSummary
) -> list[tuple[int, int, int]]:
    """The pieces of a bar: where each starts, how wide it is, and its colour."""
    parts, start = [], 0
    for nanos, surface in zip(share.by_surface, summary.surfaces, strict=True):
        width = max(0, nanos) * BAR // most if most > 0 else 0
        if width:
            parts.append((start, width, surface.slot))
            start += width
    return parts


def stopped_text(stop: Stop, month: Month) -> str:
    """`Stopped 15:02, own cap of $60.00`."""
    values = {
        "time": time_text(stop.at, zone=month.zone),
        "cap": format_usd(stop.limit_nanos or 0),
    }
    if stop.kind == NoticeKind.MEMBER_CAP:
        return _("Stopped %(time)s, own cap of %(cap)s") % values
    return _("Stopped %(time)s, seat cap of %(cap)s") % values


def all_stopped_text(stop: Stop, month: Month) -> str:
    """When the organization's cap stopped everybody."""
    return _("The organization cap of %(cap)s was reached at %(time)s.") % {
        "time": time_text(stop.at, zone=month.zone),
        "cap": format_usd(stop.limit_nanos or 0),
    }
