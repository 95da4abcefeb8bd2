"""How long a balance lasts at the month's pace.

Pure: whole nano-USD, local days, instants in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

TEN_MINUTES = 600


@dataclass(frozen=True, slots=True)
class Runway:
    """The day on which an amount is used, and the moment where that is today; `at` is
    rounded to ten minutes.
    """

    on: dt.date
    at: dt.datetime | None = None


def runway(
    amount_nanos: int,
    expected: Sequence[tuple[dt.date, int]],
    *,
    now: dt.datetime,
    today_ends: dt.datetime,
) -> Runway | None:
    """When `amount_nanos` is used up by what is `expected` of today's rest and the
    coming days; None: not by then.
    """
    left = amount_nanos
    for index, (day, nanos) in enumerate(expected):
        if 0 < left <= nanos and index == 0:
            seconds = int((today_ends - now).total_seconds()) * left // nanos
            rounded = (
                (int(now.timestamp()) + seconds + TEN_MINUTES // 2)
                // TEN_MINUTES
                * TEN_MINUTES
            )
            return Runway(day, dt.datetime.fromtimestamp(rounded, dt.UTC))
        left -= nanos
        if left <= 0 and nanos:
            return Runway(day)
    return None
