"""The months of one person: which is shown, what each came to, the cap that held, and
whether it was reached. Reads only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from accounts.models import Membership, Plan, Tier
from billing.caps.queries.history import CapThen, own_caps_by_month
from billing.funding.rules.standing import Standing
from billing.notices.queries.stops import Stopped, months_stopped
from billing.reports.queries.month import day_reached
from billing.reports.queries.month_list import began_on, member_months
from billing.reports.queries.person import days_of
from billing.reports.rules.chosen_month import ChosenMonth, chosen_month
from config.kit.dates import month_text, short_month_text
from config.kit.months import Month, local_day

HEIGHT = 64  # of the strip's bars, in its own units


@dataclass(frozen=True, slots=True)
class StripBar:
    """One month of the strip: its names, amounts and where it leads; `height` and
    `cap_height` are of HEIGHT, from the bottom.
    """

    first_on: dt.date
    name: str
    full_name: str
    address: str
    spent_nanos: int
    height: int
    cap_nanos: int | None
    cap_height: int | None
    is_chosen: bool
    is_stopped: bool

    @property
    def top(self) -> int:
        """Where the bar begins, from the top."""
        return HEIGHT - self.height

    @property
    def cap_top(self) -> int:
        """Where the cap's line is, from the top."""
        return HEIGHT - (self.cap_height or 0)


@dataclass(frozen=True, slots=True)
class PersonMonths:
    """Sums (nano-USD), caps and stops by month; a cap that is not recorded is missing."""

    chosen: ChosenMonth
    month: Month
    sums: dict[dt.date, int]
    caps: dict[dt.date, int | None]
    stopped: dict[dt.date, Stopped]
    strip: list[StripBar]

    def cap_of(self, month_on: dt.date) -> int | None:
        """What held in a month; None for no cap, and where it is not recorded."""
        return self.caps.get(month_on)

    def knows_cap_of(self, month_on: dt.date) -> bool:
        """Whether it is recorded which cap held."""
        return month_on in self.caps

    @property
    def total_nanos(self) -> int:
        """All months of the strip together."""
        return sum(one.spent_nanos for one in self.strip)


def person_months(
    person: Membership,
    standing: Standing,
    query: QueryDict,
    *,
    page: str = "member_page",
) -> PersonMonths:
    """All months of one person, in six queries however many there are."""
    organization = person.organization
    sums = member_months(person.pk)
    current = standing.organization.month
    chosen = chosen_month(
        query.get("month", ""),
        current_on=current.first_on,
        began_on=began_on(organization, sums),
    )
    listed = sorted(chosen.listed)
    past = [
        organization.calendar.month(one) for one in listed if one != current.first_on
    ]
    days = days_of(
        person.pk,
        since=organization.calendar.month(listed[0]).first_on,
        until=current.last_on,
    )
    caps = _caps(person, past, seats=days.seats)
    caps[current.first_on] = standing.cap.amount_nanos
    stopped = _stopped(person, listed, sums, caps, days.by_day)
    address = reverse(
        page,
        args=[organization.slug, person.pk]
        if page == "member_page"
        else [organization.slug],
    )
    month = (
        current if chosen.is_current else organization.calendar.month(chosen.first_on)
    )
    return PersonMonths(
        chosen,
        month,
        sums,
        caps,
        stopped,
        _strip(listed, chosen, sums, caps, stopped, address=address),
    )


def _stopped(
    person: Membership,
    listed: list[dt.date],
    sums: dict[dt.date, int],
    caps: dict[dt.date, int | None],
    by_day: dict[dt.date, int],
) -> dict[dt.date, Stopped]:
    """By the notices of it; where the organization tells nobody of 100 %, by the day on
    which spending added up to the cap that held.
    """
    calendar = person.organization.calendar
    stopped = {
        first_on: Stopped(local_day(at, calendar.zone_for(first_on)), at)
        for first_on, at in months_stopped(person.pk).items()
    }
    for first_on in listed:
        cap = caps.get(first_on)
        if first_on in stopped or not cap or sums.get(first_on, 0) < cap:
            continue
        within = {day: nanos for day, nanos in by_day.items() if day >= first_on}
        if on := day_reached(within, cap):
            stopped[first_on] = Stopped(on)
    return stopped


def _caps(
    person: Membership, months: list[Month], *, seats: dict[dt.date, str]
) -> dict[dt.date, int | None]:
    """What held in months that are over: their own cap, else that of the seat they held
    then (C2).
    """
    if not months:
        return {}
    found = own_caps_by_month(
        person.pk, organization_id=person.organization_id, months=months
    )
    has_seat_caps = person.organization.plan == Plan.ENTERPRISE_SEAT
    caps: dict[dt.date, int | None] = {}
    for month_on, then in found.items():
        if not then.is_known:
            continue
        tier = seats.get(month_on, "") if has_seat_caps else ""
        seat = then.of_seat(tier) if tier in Tier.values else CapThen()
        caps[month_on] = (then.own.get(person.pk) or seat).amount_nanos
    return caps


def _strip(
    listed: list[dt.date],
    chosen: ChosenMonth,
    sums: dict[dt.date, int],
    caps: dict[dt.date, int | None],
    stopped: dict[dt.date, Any],
    *,
    address: str,
) -> list[StripBar]:
    """To the scale of the largest amount or cap; a cap far above all amounts has no line."""
    most = max((sums.get(one, 0) for one in listed), default=0)
    shown = {
        one: cap for one in listed if (cap := caps.get(one)) and cap <= 3 * max(most, 1)
    }
    scale = max([most, *shown.values(), 1])
    bars = []
    for place, first_on in enumerate(listed):
        spent = sums.get(first_on, 0)
        cap = shown.get(first_on)
        has_year = place == 0 or first_on.month == 1
        bars.append(
            StripBar(
                first_on,
                short_month_text(first_on, with_year=has_year),
                month_text(first_on),
                address
                if first_on == chosen.current_on
                else f"{address}?month={first_on:%Y-%m}",
                spent,
                max(2, max(0, spent) * HEIGHT // scale) if spent > 0 else 0,
                caps.get(first_on),
                cap * HEIGHT // scale if cap else None,
                first_on == chosen.first_on,
                first_on in stopped,
            )
        )
    return bars
