"""What the bell knows: how many notices are new to a person, and the newest of them.
Read-only.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from accounts.models import Membership
from billing.models import DeliveryChannel, NoticeDelivery

NEWEST = 5
# The bell says "9+" above nine.
COUNTED = 10
# What nobody opened for so long is no longer new.
NEW_FOR = dt.timedelta(days=92)


def on_page(membership: Membership) -> QuerySet[NoticeDelivery]:
    """What a person was told on the page, newest first."""
    return NoticeDelivery.objects.filter(
        membership=membership, channel=DeliveryChannel.PAGE
    ).order_by("-created_at", "-pk")


def unread(membership: Membership, *, now: dt.datetime) -> QuerySet[NoticeDelivery]:
    """What of it they have not read, and nothing overtook since."""
    return on_page(membership).filter(
        seen_at__isnull=True,
        notice__overtaken_at__isnull=True,
        created_at__gt=now - NEW_FOR,
    )


def unread_count(membership: Membership, now: dt.datetime) -> int:
    """How many are new, counted to ten: one query on one index."""
    return unread(membership, now=now)[:COUNTED].count()


def newest(membership: Membership) -> list[NoticeDelivery]:
    """The five newest that nothing overtook, each with its notice."""
    told = on_page(membership).filter(notice__overtaken_at__isnull=True)
    return list(with_notices(told)[:NEWEST])


def with_notices(told: QuerySet[NoticeDelivery]) -> QuerySet[NoticeDelivery]:
    """With all that their sentences name, in the same query."""
    return told.select_related("notice__organization", "notice__membership__user")


def last_told_at(membership: Membership) -> dt.datetime | None:
    """When a person was told something for the last time, also what was overtaken."""
    return on_page(membership).values_list("created_at", flat=True).first()
