"""Factories of notices and of who was told of them."""

from __future__ import annotations

import datetime as dt

from accounts.models import Membership, Organization
from billing.models import DeliveryChannel, Notice, NoticeDelivery, NoticeKind
from config.kit.money import usd


def make_notice(
    organization: Organization,
    *,
    at: dt.datetime,
    kind: str = NoticeKind.ORGANIZATION_CAP,
    percent: int | None = 75,
    limit: str = "1600",
    spent: str = "1200.44",
    member: Membership | None = None,
    month_on: dt.date | None = None,
    **extra: object,
) -> Notice:
    """What a crossing writes; amounts in USD."""
    month = organization.calendar.month_at(at)
    values = {
        "subject": f"member:{member.pk}" if member else "organization",
        "edge": percent if percent is not None else usd(limit),
        "month_on": month_on or month.first_on,
        "told_at": at,
    } | extra
    return Notice.objects.create(
        organization=organization,
        membership=member,
        kind=kind,
        percent=percent,
        limit_nanos=usd(limit),
        spent_nanos=usd(spent),
        created_at=at,
        **values,
    )


def tell_on_page(
    notice: Notice, reader: Membership, *, seen_at: dt.datetime | None = None
) -> NoticeDelivery:
    """Somebody was told of it on the page."""
    return NoticeDelivery.objects.create(
        notice=notice,
        channel=DeliveryChannel.PAGE,
        membership=reader,
        created_at=notice.created_at,
        seen_at=seen_at,
    )
