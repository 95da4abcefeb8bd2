"""What a month's extra usage adds up to by day and surface, for the page's answer and
its chart. Read-only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import AuditEntry
from billing.funding.rules.standing import OrganizationStanding
from billing.models import OrganizationDay
from billing.reports.queries.splits import FIRST_SURFACES, Days, Split, days_by, splits
from billing.reports.rules.projection import Projection, project
from billing.reports.rules.verdict import Verdict, judge
from config.kit.months import Month, previous_month


@dataclass(frozen=True, slots=True)
class Day:
    """Extra usage of one local day by surface, in the order of the month's, and what is
    still expected to come (nano-USD).
    """

    on: dt.date
    by_surface: tuple[int, ...]
    expected_nanos: int

    @property
    def total_nanos(self) -> int:
        """All surfaces together."""
        return sum(self.by_surface)


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """One organization's running month: figures in nano-USD, days of the month's zone."""

    month: Month
    today: dt.date
    surfaces: tuple[Split, ...]
    days: tuple[Day, ...]
    spent_nanos: int
    last_month_on: dt.date
    last_month_nanos: int
    last_month_by_day: dict[dt.date, int]
    projection: Projection | None
    verdict: Verdict

    @property
    def days_left(self) -> int:
        """Whole days after today."""
        return (self.month.last_on - self.today).days

    @property
    def busiest(self) -> Day | None:
        """The day with the most extra usage; None where there was none."""
        busiest = max(self.days, key=lambda day: day.total_nanos)
        return busiest if busiest.total_nanos > 0 else None

    def reached_on(self, cap_nanos: int) -> dt.date | None:
        """The first day of this month after which `cap_nanos` was spent."""
        return day_reached({day.on: day.total_nanos for day in self.days}, cap_nanos)


def day_reached(by_day: dict[dt.date, int], cap_nanos: int) -> dt.date | None:
    """The day on which spending added up to `cap_nanos`; None when it never did."""
    total = 0
    for day in sorted(by_day):
        total += by_day[day]
        if total >= cap_nanos:
            return day
    return None


def month_summary(standing: OrganizationStanding, *, now: dt.datetime) -> MonthSummary:
    """The running month of the organization with this standing, in one query."""
    month = standing.month
    by_surface = _spent_by_surface(standing.id, month=month)
    by_day = _by_day(by_surface)
    today = month.day_of(now)
    projection = project(
        by_day, spent_nanos=standing.spent_nanos, today=today, last_on=month.last_on
    )
    last_month = {day: nanos for day, nanos in by_day.items() if day < month.first_on}
    surfaces = splits(_within(month, by_surface), first=FIRST_SURFACES)
    return MonthSummary(
        month,
        today,
        tuple(surfaces),
        _days(month, surfaces, projection),
        standing.spent_nanos,
        previous_month(month.first_on),
        sum(last_month.values()),
        last_month,
        projection,
        judge(
            projection,
            cap_nanos=standing.cap.amount_nanos,
            spent_nanos=standing.spent_nanos,
            last_on=month.last_on,
        ),
    )


def past_month_summary(
    organization_id: int, *, month: Month, spent_nanos: int, cap_nanos: int | None
) -> MonthSummary:
    """A month that is over, in one query: what was spent of which cap, and nothing that
    is still to come.
    """
    by_surface = _spent_by_surface(organization_id, month=month)
    surfaces = splits(_within(month, by_surface), first=FIRST_SURFACES)
    before = {
        day: nanos for day, nanos in _by_day(by_surface).items() if day < month.first_on
    }
    return MonthSummary(
        month,
        month.last_on,
        tuple(surfaces),
        _days(month, surfaces, None),
        spent_nanos,
        previous_month(month.first_on),
        sum(before.values()),
        before,
        None,
        judge(
            None, cap_nanos=cap_nanos, spent_nanos=spent_nanos, last_on=month.last_on
        ),
    )


def _spent_by_surface(organization_id: int, *, month: Month) -> dict[str, Days]:
    """Since the month before, of the surfaces that are the largest in this one."""
    since = previous_month(month.first_on)
    rows = OrganizationDay.objects.filter(organization_id=organization_id)
    return days_by(
        rows.filter(day_on__range=(since, month.last_on)),
        "surface",
        largest_of=rows.filter(day_on__range=(month.first_on, month.last_on)),
        first=FIRST_SURFACES,
    )


def _by_day(by_surface: dict[str, Days]) -> Days:
    by_day: Days = {}
    for days in by_surface.values():
        for day, nanos in days.items():
            by_day[day] = by_day.get(day, 0) + nanos
    return by_day


def _within(month: Month, by_surface: dict[str, Days]) -> dict[str, Days]:
    """What is of the month; no surface without anything in it."""
    within = {
        name: {day: nanos for day, nanos in days.items() if day >= month.first_on}
        for name, days in by_surface.items()
    }
    return {name: days for name, days in within.items() if days}


def _days(
    month: Month, surfaces: list[Split], projection: Projection | None
) -> tuple[Day, ...]:
    expected = dict(projection.expected) if projection else {}
    days = (month.first_on + dt.timedelta(days=offset) for offset in range(month.days))
    return tuple(
        Day(
            day,
            tuple(surface.by_day.get(day, 0) for surface in surfaces),
            expected.get(day, 0),
        )
        for day in days
    )


def last_cap_change_at(
    organization_id: int, *, since: dt.datetime
) -> dt.datetime | None:
    """When the organization's cap was last changed from `since` on."""
    changes = AuditEntry.objects.filter(
        organization_id=organization_id, action="cap.organization", at__gte=since
    )
    return changes.order_by("-at").values_list("at", flat=True).first()
