"""Where an event counts: its billing month and the local day in it (P1). Pure."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from config.kit.months import Calendar, Month


class Placement(NamedTuple):
    """The billing month and local day an event counts to."""

    month_on: dt.date
    day_on: dt.date


def place(
    occurred_at: dt.datetime,
    *,
    now: dt.datetime,
    month: Month,
    calendar: Calendar,
    closed_through: dt.date,
) -> Placement:
    """Its own month while that is open, else the current one and the day of recording
    (P1). `month` is that of `now`, or the first open one where that is closed already.

    Months up to `closed_through` are closed, whatever any clock says.
    """
    month = calendar.unless_closed(month, closed_through=closed_through)
    if month.start <= occurred_at < month.end:
        return Placement(month.first_on, month.day_of(occurred_at))
    own = calendar.month_at(occurred_at)
    # also one that begins within the five minutes an event may be ahead
    if own.first_on > closed_through:
        return Placement(own.first_on, own.day_of(occurred_at))
    return Placement(month.first_on, month.day_of(now))
