"""Where the month ends at the present pace: extra usage expected on each coming day,
from the days already complete.

A coming day is expected to cost the mean of the complete days of the same weekday, or
of all complete days where that weekday has none yet. Looked at are this month's
complete days and at least the last `LOOK_BACK` days, from the first day with any
spending on. Without one complete day of spending there is no projection: nothing is
invented. Whole nano-USD throughout; no clock, no database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from config.kit.money import NANOS_PER_USD, half_even

LOOK_BACK = 14
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Projection:
    """The month's spending so far and what each day from today on is expected to add
    (today: what is still to come).
    """

    spent_nanos: int
    expected: tuple[tuple[dt.date, int], ...]

    @property
    def month_end_nanos(self) -> int:
        """Spent by the end of the month, were there no cap."""
        return self.spent_nanos + sum(nanos for _day, nanos in self.expected)

    def reaches_on(self, cap_nanos: int) -> dt.date | None:
        """The day on which `cap_nanos` would be reached; None when the month stays under it."""
        total = self.spent_nanos
        for day, nanos in self.expected:
            total += nanos
            if total >= cap_nanos:
                return day
        return None


def project(
    spent_by_day: Mapping[dt.date, int],
    *,
    spent_nanos: int,
    today: dt.date,
    last_on: dt.date,
) -> Projection | None:
    """The projection of the month that ends on `last_on`, from spending by local day;
    None without a complete day.
    """
    complete = _complete_days(spent_by_day, today=today)
    if not any(complete.values()):
        return None
    coming = [today + DAY * offset for offset in range((last_on - today).days + 1)]
    expected = [(day, _expected(complete, weekday=day.weekday())) for day in coming]
    still_today = max(0, expected[0][1] - max(0, spent_by_day.get(today, 0)))
    return Projection(spent_nanos, ((today, still_today), *expected[1:]))


def _complete_days(
    spent_by_day: Mapping[dt.date, int], *, today: dt.date
) -> dict[dt.date, int]:
    first_spent = min(
        (day for day, nanos in spent_by_day.items() if nanos > 0), default=today
    )
    start = max(first_spent, min(today.replace(day=1), today - DAY * LOOK_BACK))
    days = [start + DAY * offset for offset in range(max(0, (today - start).days))]
    return {day: max(0, spent_by_day.get(day, 0)) for day in days}


def _expected(complete: Mapping[dt.date, int], *, weekday: int) -> int:
    same = [nanos for day, nanos in complete.items() if day.weekday() == weekday]
    amounts = same or list(complete.values())
    return half_even(sum(amounts), len(amounts))


def about(nanos: int) -> int:
    """A projected amount as it is said with “about”: to $1, $10 or $50 by its size,
    never $0 for something.
    """
    if nanos <= 0:
        return 0
    dollars = nanos // NANOS_PER_USD
    step = (1 if dollars < 100 else 10 if dollars < 1_000 else 50) * NANOS_PER_USD
    return max(step, half_even(nanos, step) * step)


def lasting_cap(month_end_nanos: int) -> int:
    """A round cap above a projected month end: two significant digits, at least whole
    dollars, rounded up.
    """
    digits = len(str(month_end_nanos // NANOS_PER_USD))
    step = 10 ** max(0, digits - 2) * NANOS_PER_USD
    return (month_end_nanos // step + 1) * step
