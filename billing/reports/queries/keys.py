"""What API keys reported: how much today, and one event of theirs. Never writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Max, Sum

from billing.models import UsageEvent
from billing.reports.queries.own import organization_receipts
from config.kit.months import local_day, local_midnight

A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyDay:
    """What one key reported of a day: how many events, what they cost whoever pays
    (nano-USD), and when the last ran.
    """

    events: int
    cost_nanos: int
    last_at: dt.datetime


def keys_today(
    organization_id: int, *, zone: str, now: dt.datetime
) -> dict[int | None, KeyDay]:
    """What each key reported of what ran today, by its id; by None, what no key did.

    It reads one organization's events of one day, found by member and time.
    """
    today_on = local_day(now, zone)
    ran = UsageEvent.objects.filter(
        membership__organization_id=organization_id,
        occurred_at__gte=local_midnight(today_on, zone),
        occurred_at__lt=local_midnight(today_on + A_DAY, zone),
    )
    rows = (
        ran.order_by()
        .values_list("api_key_id")
        .annotate(Count("pk"), Sum("cost_nanos"), Max("occurred_at"))
    )
    return {key_id: KeyDay(*figures) for key_id, *figures in rows}


def event_called(organization_id: int, event_id: str) -> UsageEvent | None:
    """The event with this id, with what its receipt needs."""
    return organization_receipts(organization_id).filter(event_id=event_id).first()
