"""Marking what a person read on the page."""

from __future__ import annotations

import datetime as dt

from accounts.models import Membership
from billing.models import DeliveryChannel, NoticeDelivery


def mark_seen(
    membership: Membership, *, through: int, since: int = 0, now: dt.datetime
) -> int:
    """Mark a person's notices as read, from the delivery `since` to the delivery
    `through`, so that nothing counts as read that came after they looked; how many were
    new.
    """
    return NoticeDelivery.objects.filter(
        membership=membership,
        channel=DeliveryChannel.PAGE,
        pk__range=(since, through),
        seen_at__isnull=True,
    ).update(seen_at=now)
