"""What a month's extra usage adds up to by day and surface, for the page's answer and
its chart. Read-only.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from accounts.models import AuditEntry
from billing.funding.rules.standing import OrganizationStanding
from billing.models import OrganizationDay, Surface
from billing.reports.rules.projection import Projection, project
from billing.reports.rules.verdict import Verdict, judge
from config.kit.months import Month, previous_month


@dataclass(frozen=True, slots=True)
class Day:
    """Extra usage of one local day by surface, and what is still expected to come
    (nano-USD).
    """

    on: dt.date
    claude_code_nanos: int
    claude_nanos: int
    expected_nanos: int

    @property
    def total_nanos(self) -> int:
        """Both surfaces together."""
        return self.claude_code_nanos + self.claude_nanos


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """One organization's running month: figures in nano-USD, days of the month's zone."""

    month: Month
    today: dt.date
    days: tuple[Day, ...]
    spent_nanos: int
    last_month_on: dt.date
    last_month_nanos: int
    last_month_by_day: dict[dt.date, int]
    projection: Projection | None
    verdict: Verdict

    @property
    def claude_code_nanos(self) -> int:
        """Claude Code's part of the month."""
        return sum(day.claude_code_nanos for day in self.days)

    @property
    def claude_nanos(self) -> int:
        """Claude's part of the month."""
        return sum(day.claude_nanos for day in self.days)

    @property
    def days_left(self) -> int:
        """Whole days after today."""
        return (self.month.last_on - self.today).days

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
    by_surface = _spent_by_day(
        standing.id, since=previous_month(month.first_on), until=month.last_on
    )
    by_day = {day: sum(surfaces.values()) for day, surfaces in by_surface.items()}
    today = month.day_of(now)
    projection = project(
        by_day, spent_nanos=standing.spent_nanos, today=today, last_on=month.last_on
    )
    last_month = {day: nanos for day, nanos in by_day.items() if day < month.first_on}
    return MonthSummary(
        month,
        today,
        _days(month, by_surface, projection),
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


def _spent_by_day(
    organization_id: int, *, since: dt.date, until: dt.date
) -> dict[dt.date, dict[str, int]]:
    rows = OrganizationDay.objects.filter(
        organization_id=organization_id, day_on__range=(since, until)
    )
    by_day: dict[dt.date, dict[str, int]] = defaultdict(dict)
    for day, surface, nanos in rows.values_list("day_on", "surface", "extra_nanos"):
        by_day[day][surface] = nanos
    return by_day


def _days(
    month: Month,
    by_surface: dict[dt.date, dict[str, int]],
    projection: Projection | None,
) -> tuple[Day, ...]:
    expected = dict(projection.expected) if projection else {}
    days = (month.first_on + dt.timedelta(days=offset) for offset in range(month.days))
    return tuple(
        Day(
            day,
            by_surface.get(day, {}).get(Surface.CLAUDE_CODE, 0),
            by_surface.get(day, {}).get(Surface.CLAUDE, 0),
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
