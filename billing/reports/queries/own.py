"""One member's own month: extra usage by day, surface and model, and every event as a
receipt. Never writes.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet, Sum

from billing.models import (
    AdjustmentSource,
    AssigningReason,
    Surface,
    UsageAdjustment,
    UsageDay,
    UsageEvent,
    UsagePart,
)
from config.kit.months import Month

RECEIPTS_PER_PAGE = 25
MODELS_SHOWN = 4
PARTS = Prefetch(
    "parts", UsagePart.objects.select_related("price").order_by("position")
)


@dataclass(slots=True)
class OwnMonth:
    """Extra usage of one member and month in nano-USD: by local day and by surface, or
    by model.
    """

    by_surface: dict[str, dict[dt.date, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    by_model: dict[str, dict[dt.date, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )

    def surface_total(self, surface: str) -> int:
        """The month's sum of one surface."""
        return (
            sum(self.by_surface[surface].values()) if surface in self.by_surface else 0
        )

    def models(self) -> list[tuple[str, dict[dt.date, int]]]:
        """The models by spend, the most first; those beyond the fourth together as an
        empty name.
        """
        ranked = sorted(
            self.by_model.items(), key=lambda model: (-sum(model[1].values()), model[0])
        )
        largest = ranked[:MODELS_SHOWN]
        others = ranked[MODELS_SHOWN:]
        rest: dict[dt.date, int] = defaultdict(int)
        for _name, days in others:
            for day, nanos in days.items():
                rest[day] += nanos
        return [*largest, ("", rest)] if others else largest


def own_month(membership_id: int, *, month: Month) -> OwnMonth:
    """The member's extra usage of `month`, in one query over the counters."""
    rows = (
        UsageDay.objects.filter(
            membership_id=membership_id, day_on__range=(month.first_on, month.last_on)
        )
        .values_list("day_on", "surface", "model")
        .annotate(extra=Sum("extra_nanos"))
        .exclude(extra=0)
        .order_by("day_on")
    )
    own = OwnMonth()
    for day, surface, model, extra in rows:
        own.by_surface[surface][day] += extra
        own.by_model[model][day] += extra
    return own


def receipts(membership_id: int) -> QuerySet[UsageEvent]:
    """Every event of a member, and those that were assigned to them (X2), with the rates
    it was priced with and its adjustments, the newest first.
    """
    adjustments = Prefetch(
        "adjustments", UsageAdjustment.objects.select_related("price").order_by("pk")
    )
    theirs = Q(membership_id=membership_id)
    assigned = UsageAdjustment.objects.filter(
        membership_id=membership_id,
        source=AdjustmentSource.ASSIGNED,
        reason=AssigningReason.GIVEN,
    )
    if assigned.exists():  # few have any: the others' list stays one walk of an index
        theirs |= Q(pk__in=assigned.values("event_id"))
    events = UsageEvent.objects.filter(theirs).select_related("price", "organization")
    return events.prefetch_related(adjustments, PARTS).order_by("-occurred_at", "-pk")


def organization_receipts(organization_id: int) -> QuerySet[UsageEvent]:
    """The events of everybody in an organization, with what a receipt needs."""
    adjustments = UsageAdjustment.objects.select_related("membership__user")
    events = UsageEvent.objects.filter(organization_id=organization_id)
    return events.select_related(
        "price", "organization", "membership__user", "unattributed"
    ).prefetch_related(Prefetch("adjustments", adjustments), PARTS)


def receipts_page(membership_id: int, *, page: str | None) -> Page[UsageEvent]:
    """One page of receipts."""
    return Paginator(receipts(membership_id), RECEIPTS_PER_PAGE).get_page(page)


SURFACES = [Surface.CLAUDE_CODE, Surface.CLAUDE]
