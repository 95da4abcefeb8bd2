"""Who ran out of included usage and how long they waited: the owner's own figures
before extra usage is on. Read-only.

A wait runs from a window's exhaustion to its reset (or to now); waits of one member
that overlap, such as a session inside an exhausted week, are one. Added up in the
database, so that it stays fast at 10,000 members.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.db import connection

from config.kit.months import Month
from config.kit.sql import as_date, db_time, is_postgresql

# What of a row is not yet covered by that member's earlier rows; a row that adds a wait
# begins after them all.
SPANS = """
WITH spans AS (
    SELECT w.membership_id AS member,
           COALESCE(m.seat_tier, 'standard') AS seat_tier,
           w.exhausted_at AS began,
           {least}(w.resets_at, {now}) AS ends,
           MAX(w.resets_at) OVER (
               PARTITION BY w.membership_id
               ORDER BY w.exhausted_at, w.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS covered
      FROM billing_includedwindow w
      JOIN accounts_membership m ON m.id = w.membership_id
     WHERE m.organization_id = %(organization)s
       AND m.status = 'active'
       AND w.exhausted_at >= {start}
       AND w.exhausted_at < {now}
       AND w.exhausted_at < {end}
), waits AS (
    SELECT member,
           seat_tier,
           began,
           covered IS NULL OR covered < began AS is_wait,
           {seconds} AS seconds,
           {day} AS on_day
      FROM spans
)
"""
POSTGRESQL = {
    "least": "LEAST",
    "now": "%(now)s::timestamptz",
    "start": "%(start)s::timestamptz",
    "end": "%(end)s::timestamptz",
    "seconds": """GREATEST(
               0, EXTRACT(EPOCH FROM ends - GREATEST(began, COALESCE(covered, began)))
           )""",
    "day": "(began AT TIME ZONE %(zone)s)::date",
}
SQLITE = {
    "least": "MIN",
    "now": "%(now)s",
    "start": "%(start)s",
    "end": "%(end)s",
    "seconds": """MAX(
               0,
               (julianday(ends) - julianday(MAX(began, COALESCE(covered, began)))) * 86400
           )""",
    "day": "django_datetime_cast_date(began, %(zone)s, 'UTC')",
}
BY_SEAT_TIER = """
SELECT seat_tier,
       COUNT(DISTINCT member),
       SUM(CASE WHEN is_wait THEN 1 ELSE 0 END),
       CAST(ROUND(SUM(seconds)) AS bigint)
  FROM waits
 GROUP BY seat_tier
"""
BY_DAY = """
SELECT on_day, seat_tier, COUNT(DISTINCT member)
  FROM waits
 WHERE is_wait
 GROUP BY on_day, seat_tier
"""


@dataclass(slots=True)
class Waits:
    """The month so far: members by seat tier, their waits, and members by day and seat tier."""

    people_by_seat: Counter[str] = field(default_factory=Counter)
    waits: int = 0
    waited: dt.timedelta = dt.timedelta()
    by_day: dict[dt.date, Counter[str]] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many ran out."""
        return self.people_by_seat.total()

    @property
    def average(self) -> dt.timedelta:
        """The mean length of a wait."""
        return self.waited / self.waits if self.waits else dt.timedelta()

    @property
    def hours(self) -> int:
        """All waits together, whole hours."""
        return int(self.waited.total_seconds()) // 3600

    @property
    def worst_day(self) -> tuple[dt.date, int] | None:
        """The first day on which most people ran out."""
        if not self.by_day:
            return None
        day = min(self.by_day, key=lambda on: (-self.by_day[on].total(), on))
        return day, self.by_day[day].total()


def waits_in(organization_id: int, *, month: Month, now: dt.datetime) -> Waits:
    """The waits of the organization's active members that began in `month`, in two queries."""
    waits = Waits()
    params: dict[str, str | int] = {
        "organization": organization_id,
        "zone": month.zone,
        "now": db_time(now),
        "start": db_time(month.start),
        "end": db_time(month.end),
    }
    spans = SPANS.format(**(POSTGRESQL if is_postgresql() else SQLITE))
    with connection.cursor() as cursor:
        cursor.execute(spans + BY_SEAT_TIER, params)
        for seat_tier, members, number, seconds in cursor.fetchall():
            waits.people_by_seat[seat_tier] = members
            waits.waits += number
            waits.waited += dt.timedelta(seconds=int(seconds))
        cursor.execute(spans + BY_DAY, params)
        for day, seat_tier, members in cursor.fetchall():
            # A change of zone can put the first instants of a month on the day before
            # it; they are its first day's.
            on = min(max(as_date(day) or month.first_on, month.first_on), month.last_on)
            waits.by_day.setdefault(on, Counter())[seat_tier] += members
    return waits
