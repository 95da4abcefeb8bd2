"""Billing months: calendar months in an organization's time zone, with their edges as instants.

Pure functions and values; the zone is always an argument and the clock never read here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All IANA zone names this machine knows."""
    return frozenset(available_timezones())


def first_of_month(day: dt.date) -> dt.date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def next_month(first_on: dt.date) -> dt.date:
    """The first day of the following month."""
    return (first_on.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def previous_month(first_on: dt.date) -> dt.date:
    """The first day of the month before."""
    return (first_on.replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def local_midnight(day: dt.date, zone: str) -> dt.datetime:
    """The instant (UTC) at which `day` starts in `zone`."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def local_day(moment: dt.datetime, zone: str) -> dt.date:
    """The calendar day of an instant in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def month_from_text(text: str) -> dt.date | None:
    """The first day of a month written `2026-11`; None for anything else."""
    if (
        re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text, re.ASCII)
        and 2000 <= int(text[:4]) < 9000
    ):
        return dt.date.fromisoformat(f"{text}-01")
    return None


@dataclass(frozen=True, slots=True)
class Month:
    """One billing month: `first_on` names it, `start` <= instant < `end` (UTC) belong
    to it, `zone` names its days.
    """

    first_on: dt.date
    start: dt.datetime
    end: dt.datetime
    zone: str

    @property
    def last_on(self) -> dt.date:
        """The last calendar day."""
        return next_month(self.first_on) - dt.timedelta(days=1)

    @property
    def days(self) -> int:
        """How many calendar days it has."""
        return self.last_on.day

    def day_of(self, moment: dt.datetime) -> dt.date:
        """The local calendar day of `moment`, kept inside the month where a change of
        zone shifted its edge.
        """
        local = local_day(moment, self.zone)
        return min(max(local, self.first_on), self.last_on)

    def days_left(self, now: dt.datetime) -> int:
        """Whole calendar days after today until the month ends."""
        return (self.last_on - self.day_of(now)).days


@dataclass(frozen=True, slots=True)
class Calendar:
    """An organization's months.

    `zone` holds now or from the next month on; each of `past`, in order, before its
    month (C5).
    """

    zone: str
    past: tuple[tuple[dt.date, str], ...] = ()

    def zone_for(self, first_on: dt.date) -> str:
        """The zone in force during the month that starts on `first_on`."""
        return next(
            (zone for until_on, zone in self.past if first_on < until_on), self.zone
        )

    def changed(self, zone: str, *, since: dt.date) -> Calendar:
        """The calendar with another zone from the month `since` on; a change that was
        to come then is forgotten.
        """
        before = self.zone_for(previous_month(since))
        past = tuple(one for one in self.past if one[0] < since)
        return Calendar(zone, past if before == zone else (*past, (since, before)))

    def month(self, first_on: dt.date) -> Month:
        """The month that starts on `first_on`; it begins where the month before it
        ended, in that one's zone.
        """
        start = local_midnight(first_on, self.zone_for(previous_month(first_on)))
        end = local_midnight(next_month(first_on), self.zone_for(first_on))
        return Month(first_on, start, end, self.zone_for(first_on))

    def month_at(self, moment: dt.datetime) -> Month:
        """The month to which the instant `moment` belongs."""
        month = self.month(first_of_month(local_day(moment, self.zone)))
        while moment < month.start:
            month = self.month(previous_month(month.first_on))
        while moment >= month.end:
            month = self.month(next_month(month.first_on))
        return month

    def open_month_at(
        self, moment: dt.datetime, *, closed_through: dt.date | None
    ) -> Month:
        """The month that what happens at `moment` counts to: its own, or the first
        after `closed_through` where that is closed already (P1).
        """
        return self.unless_closed(self.month_at(moment), closed_through=closed_through)

    def unless_closed(self, month: Month, *, closed_through: dt.date | None) -> Month:
        """A month, or the first open one where it is closed (P1)."""
        if closed_through is None or month.first_on > closed_through:
            return month
        return self.month(next_month(closed_through))

    def zone_at(self, moment: dt.datetime) -> str:
        """The zone in force at `moment`."""
        return self.month_at(moment).zone
