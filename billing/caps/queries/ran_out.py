"""Who ran out of included usage lately, and what they spent beyond it: whose cap an owner
may want to set before extra usage is on. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import Membership
from billing.models import IncludedWindow, MemberMonth
from config.kit.months import Month, previous_month

MOST = 5
DOLLAR = 1_000_000_000


@dataclass(frozen=True, slots=True)
class RanOut:
    """A member who ran out, how often this month, and their extra usage of last month."""

    member: Membership
    times: int
    last_month_nanos: int

    @property
    def proposed_nanos(self) -> int | None:
        """What they spent last month, in whole dollars above it; None without such a
        month, since nothing is made up.
        """
        if self.last_month_nanos <= 0:
            return None
        return -(-self.last_month_nanos // DOLLAR) * DOLLAR


def ran_out(
    organization_id: int, *, month: Month, now: dt.datetime, most: int = MOST
) -> list[RanOut]:
    """The active members whose included usage ran out most often in `month`, with a seat."""
    windows = IncludedWindow.objects.filter(
        membership__organization_id=organization_id,
        membership__status=Membership.Status.ACTIVE,
        membership__seat_tier__isnull=False,
        exhausted_at__gte=month.start,
        exhausted_at__lt=min(now, month.end),
    )
    counted = windows.values("membership_id").annotate(times=Count("pk"))
    rows = counted.order_by("-times", "membership_id")[:most]
    times = {row["membership_id"]: row["times"] for row in rows}
    people = Membership.objects.select_related("user").in_bulk(list(times))
    spent = spent_last_month(list(times), month=month)
    return [RanOut(people[pk], times[pk], spent.get(pk, 0)) for pk in times]


def spent_last_month(member_ids: list[int], *, month: Month) -> dict[int, int]:
    """The extra usage of these members in the month before `month`, by id."""
    months = MemberMonth.objects.filter(
        membership_id__in=member_ids, month_on=previous_month(month.first_on)
    )
    return dict(months.values_list("membership_id", "extra_nanos"))
