"""Which days a report is about, and which it is compared with. Pure: local days, the
end not included.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from config.kit.months import (
    first_of_month,
    month_from_text,
    next_month,
    previous_month,
)

THIS_MONTH, LAST_MONTH, NINETY_DAYS = "this-month", "last-month", "90-days"
LONGEST = dt.timedelta(days=3660)
_SPAN = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII)


class BadRange(ValueError):
    """A range that is none: the text says which part."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """Local days from `start` to before `end`; `name` is what the address says."""

    name: str
    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days

    @property
    def last(self) -> dt.date:
        """The last day."""
        return self.end - dt.timedelta(days=1)

    @property
    def is_whole_month(self) -> bool:
        """Whether it is one calendar month, from its first day to its last."""
        return self.start.day == 1 and self.end == next_month(self.start)


def range_of(text: str, *, today: dt.date) -> DayRange:
    """`this-month` (to today), `last-month`, `90-days`, a month (`2026-10`) or days
    (`2026-10-12..2026-11-08`, both included).

    Raises BadRange.
    """
    month = first_of_month(today)
    tomorrow = today + dt.timedelta(days=1)
    if text in ("", THIS_MONTH):
        return DayRange(THIS_MONTH, month, tomorrow)
    if text == LAST_MONTH:
        return DayRange(LAST_MONTH, previous_month(month), month)
    if text == NINETY_DAYS:
        return DayRange(NINETY_DAYS, tomorrow - dt.timedelta(days=90), tomorrow)
    first_on = month_from_text(text)
    if first_on is not None:
        end = next_month(first_on)
        has_begun = first_on <= today  # of one still to come there is nothing to cut
        return DayRange(text, first_on, min(end, tomorrow) if has_begun else end)
    return _span(text)


def _span(text: str) -> DayRange:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise BadRange(text)
    try:
        start, last = (dt.date.fromisoformat(day) for day in found.groups())
    except ValueError as error:
        raise BadRange(text) from error
    if not 2000 <= start.year < 9000 or last.year >= 9000:
        raise BadRange(text)
    end = last + dt.timedelta(days=1)
    if end <= start or end - start > LONGEST:
        raise BadRange(text)
    return DayRange(text, start, end)


def range_before(span: DayRange) -> DayRange:
    """What a range is compared with: of the month so far the same days of the month
    before (or all it has), of a whole month the month before, else as many days before.
    """
    if span.start.day == 1 and span.last < next_month(span.start):
        start = previous_month(span.start)
        end = span.start
        if not span.is_whole_month:
            end = min(end, start + dt.timedelta(days=span.days))
        return DayRange("", start, end)
    return DayRange("", span.start - dt.timedelta(days=span.days), span.start)


def steps_of(span: DayRange) -> str:
    """How wide the bars of a range are: days up to 62, weeks up to 26, else months."""
    if span.days <= 62:
        return "day"
    return "week" if span.days <= 26 * 7 else "month"


def step_start(day: dt.date, step: str, *, span: DayRange) -> dt.date:
    """The first day, within the range, of the bar a day is in; weeks start on Monday."""
    if step == "week":
        first = day - dt.timedelta(days=day.weekday())
    elif step == "month":
        first = first_of_month(day)
    else:
        first = day
    return max(first, span.start)


def step_starts(span: DayRange, step: str) -> list[dt.date]:
    """The first days of all bars of a range, in order."""
    days = (span.start + dt.timedelta(days=number) for number in range(span.days))
    return list(dict.fromkeys(step_start(day, step, span=span) for day in days))
