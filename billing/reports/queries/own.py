"""One member's own month: extra usage by day, surface and model, and every event as a
receipt. Never writes.
"""

from __future__ import annotations

import datetime as dt

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet

from billing.models import (
    AdjustmentSource,
    AssigningReason,
    Funding,
    UsageAdjustment,
    UsageDay,
    UsageEvent,
    UsagePart,
)
from billing.reports.queries.splits import FIRST_SURFACES, Split, days_by, splits
from config.kit.months import Month

RECEIPTS_PER_PAGE = 25
PARTS = Prefetch(
    "parts", UsagePart.objects.select_related("price").order_by("position")
)


def own_month(membership_id: int, *, month: Month, by: str) -> list[Split]:
    """The member's extra usage of `month` by `surface` or `model`, in one query over the
    counters.
    """
    rows = UsageDay.objects.filter(
        membership_id=membership_id, day_on__range=(month.first_on, month.last_on)
    )
    first = FIRST_SURFACES if by == "surface" else ()
    return splits(days_by(rows, by, first=first), first=first)


def receipts(membership_id: int) -> QuerySet[UsageEvent]:
    """Every event of a member, and those that were assigned to them (X2), with the rates
    it was priced with and its adjustments, the newest first.
    """
    adjustments = Prefetch(
        "adjustments", UsageAdjustment.objects.select_related("price").order_by("pk")
    )
    theirs = events_of(membership_id)
    events = UsageEvent.objects.filter(theirs).select_related("price", "organization")
    return events.prefetch_related(adjustments, PARTS).order_by("-occurred_at", "-pk")


def first_extra_at(membership_id: int, *, since: dt.datetime) -> dt.datetime | None:
    """When the first request since a moment ran that extra usage paid; None without one."""
    events = UsageEvent.objects.filter(
        membership_id=membership_id,
        funding=Funding.EXTRA_USAGE,
        occurred_at__gte=since,
    )
    return events.order_by("occurred_at").values_list("occurred_at", flat=True).first()


def events_of(membership_id: int) -> Q:
    """Which events are a member's: their own, and those assigned to them (X2)."""
    theirs = Q(membership_id=membership_id)
    assigned = UsageAdjustment.objects.filter(
        membership_id=membership_id,
        source=AdjustmentSource.ASSIGNED,
        reason=AssigningReason.GIVEN,
    )
    if assigned.exists():  # few have any: the others' list stays one walk of an index
        theirs |= Q(pk__in=assigned.values("event_id"))
    return theirs


def organization_receipts(organization_id: int) -> QuerySet[UsageEvent]:
    """The events of everybody in an organization, with what a receipt needs."""
    adjustments = UsageAdjustment.objects.select_related("membership__user")
    events = UsageEvent.objects.filter(organization_id=organization_id)
    return events.select_related(
        "price", "organization", "membership__user", "api_key", "unattributed"
    ).prefetch_related(Prefetch("adjustments", adjustments), PARTS)


def receipts_page(membership_id: int, *, page: str | None) -> Page[UsageEvent]:
    """One page of receipts."""
    return Paginator(receipts(membership_id), RECEIPTS_PER_PAGE).get_page(page)
