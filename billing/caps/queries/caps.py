"""The organization's and the seat tiers' caps as they hold this month, with what
follows. Read-only.
"""

from __future__ import annotations

import datetime as dt

from billing.funding.rules.standing import Cap
from billing.models import CapLevel, SpendCap


def cap_rows(
    organization_id: int, *, month_on: dt.date
) -> dict[tuple[str, str | None], Cap]:
    """The caps set, by level and seat tier, in one query; a level never set is missing."""
    rows = SpendCap.objects.filter(organization_id=organization_id).exclude(
        level=CapLevel.MEMBER
    )
    return {
        (row.level, row.seat_tier): Cap(
            row.amount_in(month_on), row.is_for_month_only(month_on), row.amount_nanos
        )
        for row in rows
    }
