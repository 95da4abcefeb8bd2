"""Whom a cap stopped in a month, and when, by the notices of that (N1). Read-only.

They are kept when a cap was reached, and stay when a raise overtook them: somebody was
stopped until then.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from billing.models import Notice, NoticeKind

REACHED = 100
OF_PEOPLE = (NoticeKind.MEMBER_CAP, NoticeKind.SEAT_TIER_CAP)


@dataclass(frozen=True, slots=True)
class Stop:
    """One cap that was reached: the organization's where nobody is named."""

    at: dt.datetime
    kind: str
    membership_id: int | None
    limit_nanos: int | None


def stops_in(organization_id: int, *, month_on: dt.date) -> list[Stop]:
    """All of a month, in the order in which they happened."""
    notices = Notice.objects.filter(
        organization_id=organization_id,
        month_on=month_on,
        kind__in=(*OF_PEOPLE, NoticeKind.ORGANIZATION_CAP),
        percent=REACHED,
    )
    found = notices.order_by("created_at", "pk").values_list(
        "created_at", "kind", "membership_id", "limit_nanos"
    )
    return [Stop(*row) for row in found]


@dataclass(frozen=True, slots=True)
class Stopped:
    """When a person's cap was reached: the day, and the moment where it was noticed."""

    on: dt.date
    at: dt.datetime | None = None


def months_stopped(membership_id: int) -> dict[dt.date, dt.datetime]:
    """The months in which their cap was reached, where it was noticed (N1), with when
    first.
    """
    notices = Notice.objects.filter(
        membership_id=membership_id, kind__in=OF_PEOPLE, percent=REACHED
    )
    stopped: dict[dt.date, dt.datetime] = {}
    for month_on, at in notices.order_by("created_at").values_list(
        "month_on", "created_at"
    ):
        stopped.setdefault(month_on, at)
    return stopped
