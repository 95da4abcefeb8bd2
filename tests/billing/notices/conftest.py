"""Notices as the acts that cross write them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import Membership, Organization
from billing.models import Notice, NoticeKind
from tests.conftest import NOW


def make_notice(
    organization: Organization,
    kind: str = NoticeKind.ORGANIZATION_CAP,
    *,
    member: Membership | None = None,
    percent: int | None = 75,
    now: dt.datetime = NOW,
    **extra: Any,
) -> Notice:
    """A crossing of `percent` of $1,600.00."""
    limit = 1_600 * 10**9
    return Notice.objects.create(
        **{
            "organization": organization,
            "membership": member,
            "kind": kind,
            "subject": f"member:{member.pk}" if member else "organization",
            "edge": percent or 0,
            "percent": percent,
            "month_on": organization.calendar.month_at(now).first_on,
            "limit_nanos": limit,
            "spent_nanos": limit * (percent or 0) // 100,
            "created_at": now,
            **extra,
        }
    )
