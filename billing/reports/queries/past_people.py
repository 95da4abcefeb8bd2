"""Everybody who used something in one month that is over, with the seat they held when
they last did, and on which day spending added up to a cap. Read-only.

Amounts are nano-USD, days are local days.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery, Sum

from accounts.models import Membership
from billing.models import MemberMonth, UsageDay
from billing.reports.queries.month import day_reached
from config.kit.months import Month


@dataclass(frozen=True, slots=True)
class PastPerson:
    """One person of a month: what they spent, and the seat of their last request in it;
    empty for none. `removed_at` where they have left since.
    """

    id: int
    name: str
    email: str
    seat_tier: str
    spent_nanos: int
    removed_at: dt.datetime | None


def past_people(organization_id: int, *, month: Month) -> list[PastPerson]:
    """Everybody with usage in the month, whoever paid for it, in one query; usage that
    is nobody's (X2) is not among them.
    """
    last_seat = (
        UsageDay.objects.filter(
            membership=OuterRef("membership"),
            day_on__range=(month.first_on, month.last_on),
            events__gt=0,  # corrections name the seat of an older request
        )
        .order_by("-day_on", "-seat_tier")
        .values("seat_tier")[:1]
    )
    months = MemberMonth.objects.filter(
        membership__organization=organization_id, month_on=month.first_on
    ).exclude(membership__status=Membership.Status.NOBODY)
    rows = months.values_list(
        "membership_id",
        "membership__user__name",
        "membership__user__email",
        Subquery(last_seat),
        "extra_nanos",
        "membership__removed_at",
    )
    return [
        PastPerson(pk, name or email, email, seat or "", spent, removed_at)
        for pk, name, email, seat, spent, removed_at in rows
    ]


def days_reached(caps: dict[int, int], *, month: Month) -> dict[int, dt.date]:
    """On which day each member's spending added up to their cap (nano-USD by
    membership); without those who never did.
    """
    rows = (
        UsageDay.objects.filter(
            membership__in=list(caps), day_on__range=(month.first_on, month.last_on)
        )
        .values_list("membership_id", "day_on")
        .annotate(extra=Sum("extra_nanos"))
        .order_by()
    )
    by_member: dict[int, dict[dt.date, int]] = defaultdict(dict)
    for membership_id, day_on, extra in rows:
        by_member[membership_id][day_on] = extra
    reached = {
        membership_id: day_reached(days, caps[membership_id])
        for membership_id, days in by_member.items()
    }
    return {pk: day for pk, day in reached.items() if day is not None}
