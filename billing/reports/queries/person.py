"""One person's months and what one of them was made of. From the counters; read-only.

Amounts are nano-USD, days are local days.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum

from accounts.models import Membership
from billing.models import MemberMonth, OrganizationMonth, UsageDay
from billing.reports.queries.groups import SUMS, Narrowed, group_rows
from config.kit.months import Month, previous_month


@dataclass(slots=True)
class PartOfMonth:
    """What one model or surface came to in a month, and in the one before."""

    name: str
    events: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    extra_nanos: int = 0
    before_nanos: int = 0

    @property
    def difference_nanos(self) -> int:
        """Against the month before."""
        return self.extra_nanos - self.before_nanos


@dataclass(frozen=True, slots=True)
class Place:
    """Which place somebody has by what they spent in a month, of how many who spent
    anything, and of how much in all.
    """

    number: int
    people: int
    organization_nanos: int


@dataclass(slots=True)
class PersonDays:
    """The days of a person that reports need: by day, and the seat they held last in each
    month.
    """

    by_day: dict[dt.date, int] = field(default_factory=dict)
    seats: dict[dt.date, str] = field(default_factory=dict)


def parts_of_month(
    membership_id: int, *, organization_id: int, month: Month, by: str
) -> list[PartOfMonth]:
    """The month by `model` or `surface`, the largest first, with what the month before
    came to; whoever paid, and spend is extra usage. Two queries.
    """
    parts: dict[str, PartOfMonth] = {}
    for name, sums in _sums(membership_id, organization_id, month, by):
        part = parts.setdefault(name, PartOfMonth(name))
        part.events, part.tokens_out = sums["events"], sums["output_tokens"]
        part.tokens_in = sum(
            sums[one]
            for one in ("input_tokens", "cache_write_tokens", "cache_read_tokens")
        )
        part.extra_nanos = sums["extra_usage_usd"]
    before = _before(month)
    for name, sums in _sums(membership_id, organization_id, before, by):
        if sums["extra_usage_usd"] or name in parts:
            part = parts.setdefault(name, PartOfMonth(name))
            part.before_nanos = sums["extra_usage_usd"]
    return sorted(parts.values(), key=lambda one: (-one.extra_nanos, one.name))


def _before(month: Month) -> Month:
    """The month before; only its days are looked at."""
    first_on = previous_month(month.first_on)
    return Month(first_on, month.start, month.start, month.zone)


def _sums(membership_id: int, organization_id: int, month: Month, by: str) -> Any:
    rows = group_rows(
        organization_id,
        start=month.first_on,
        end=month.last_on + dt.timedelta(days=1),
        keys=[by],
        narrowed=Narrowed(membership_id=membership_id),
    )
    for name, *sums in rows:
        yield str(name), dict(zip(SUMS, sums, strict=True))


def place_of(
    membership_id: int, *, organization_id: int, month_on: dt.date
) -> Place | None:
    """Their place by extra usage of a month; None where they spent nothing. Two queries."""
    people = MemberMonth.objects.filter(
        membership__organization=organization_id, month_on=month_on, extra_nanos__gt=0
    ).exclude(membership__status=Membership.Status.NOBODY)
    own = people.filter(membership=membership_id).values_list("extra_nanos", flat=True)
    spent = own.first()
    if spent is None:
        return None
    whole = OrganizationMonth.objects.filter(
        organization=organization_id, month_on=month_on
    ).values_list("extra_nanos", flat=True)
    return Place(
        people.filter(extra_nanos__gt=spent).count() + 1,
        people.count(),
        whole.first() or 0,
    )


def days_of(membership_id: int, *, since: dt.date, until: dt.date) -> PersonDays:
    """Extra usage by day from `since` to `until`, both included, and the seat of the last
    request of each month; one query.
    """
    rows = (
        UsageDay.objects.filter(
            membership_id=membership_id, day_on__range=(since, until)
        )
        .values_list("day_on", "seat_tier")
        .annotate(extra=Sum("extra_nanos"), requests=Sum("events"))
        .order_by("day_on", "seat_tier")
    )
    days = PersonDays()
    for day_on, seat_tier, extra, requests in rows:
        days.by_day[day_on] = days.by_day.get(day_on, 0) + extra
        if requests:  # corrections name the seat of an older request
            days.seats[day_on.replace(day=1)] = seat_tier
    return days
