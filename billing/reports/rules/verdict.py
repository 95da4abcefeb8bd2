"""Are we fine this month?

The one answer of Settings › Usage, from the cap, the spending and the projection.

Pure values for the page to put into words. Whole nano-USD; days are local days of the
month's zone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from billing.reports.rules.projection import Projection, about, lasting_cap
from config.kit.money import MAX_AMOUNT_NANOS, percent_spent


class State(StrEnum):
    """Fine: stays under the cap.

    Soon: the cap comes first. Stopped: it is reached. Unlimited: there is none.
    """

    FINE = "fine"
    SOON = "soon"
    STOPPED = "stopped"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state and the figures its sentence needs; None where they say nothing."""

    state: State
    cap_nanos: int | None
    spent_nanos: int
    projected_nanos: int | None = None
    stops_on: dt.date | None = None
    days_early: int = 0
    lasting_nanos: int | None = None

    @property
    def left_nanos(self) -> int:
        """What may still be spent until the cap."""
        return max(0, (self.cap_nanos or 0) - self.spent_nanos)

    @property
    def percent(self) -> int:
        """How much of the cap is spent; above 100 where it was passed."""
        return percent_spent(self.spent_nanos, self.cap_nanos or 0)

    @property
    def passed_nanos(self) -> int:
        """How much more than the cap is spent (E3, C4)."""
        return max(0, self.spent_nanos - (self.cap_nanos or 0))

    @property
    def under_nanos(self) -> int:
        """By how much the projected month end stays below the cap."""
        return max(0, (self.cap_nanos or 0) - (self.projected_nanos or 0))

    @property
    def over_nanos(self) -> int:
        """By how much the projected month end passes the cap."""
        return max(0, (self.projected_nanos or 0) - (self.cap_nanos or 0))


def judge(
    projection: Projection | None,
    *,
    cap_nanos: int | None,
    spent_nanos: int,
    last_on: dt.date,
) -> Verdict:
    """The verdict on a month that ends on `last_on`."""
    projected = about(projection.month_end_nanos) if projection else None
    if cap_nanos is None:
        return Verdict(State.UNLIMITED, None, spent_nanos, projected)
    if spent_nanos >= cap_nanos:
        return Verdict(State.STOPPED, cap_nanos, spent_nanos)
    stops_on = projection.reaches_on(cap_nanos) if projection else None
    if projection is None or stops_on is None:
        return Verdict(State.FINE, cap_nanos, spent_nanos, projected)
    lasting = lasting_cap(projection.month_end_nanos)
    return Verdict(
        State.SOON,
        cap_nanos,
        spent_nanos,
        projected,
        stops_on,
        (last_on - stops_on).days,
        lasting if lasting <= MAX_AMOUNT_NANOS else None,
    )
