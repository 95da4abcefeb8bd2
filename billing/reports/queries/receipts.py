"""The receipts of one person that make a figure: of some days, a model, a surface, a
payer or a label, as reports count them (G4).

Read-only; amounts are nano-USD, days are the local days that counters book on: an event
counts on its own day, a later difference on the day it was booked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet, Sum

from billing.models import Funding, UsageAdjustment, UsageDay, UsageEvent, UsagePart
from billing.reports.queries.groups import MODEL_ADJUSTED, Narrowed
from billing.reports.queries.own import RECEIPTS_PER_PAGE, receipts
from billing.reports.rules.ranges import DayRange

FUNDED = {
    "all": tuple(Funding.values),
    "extra": (Funding.EXTRA_USAGE.value,),
    "included": (Funding.INCLUDED.value,),
    "unbilled": (Funding.UNBILLED.value,),
}


@dataclass(frozen=True, slots=True)
class ReceiptsAsked:
    """Which receipts of a person: `narrowed` names them, `span` is None for all days."""

    narrowed: Narrowed
    span: DayRange | None = None
    paid: str = "all"

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return (
            self.span is None
            and self.paid == "all"
            and self.narrowed == Narrowed(self.narrowed.membership_id)
        )


def receipts_asked(asked: ReceiptsAsked) -> QuerySet[UsageEvent]:
    """The events, the newest first, with what a receipt needs: those that count there, and
    those whose later differences do.
    """
    membership_id = asked.narrowed.membership_id
    assert membership_id is not None
    rows = receipts(membership_id)
    if asked.is_everything:
        return rows
    wanted = Q(pk__in=_events(asked).values("pk"))
    if asked.narrowed.model is not None:
        wanted |= Q(pk__in=_parts(asked).values("event_id"))
    booked = _adjustments(asked)
    if booked.exists():
        wanted |= Q(pk__in=booked.values("event_id"))
    return rows.filter(wanted)


def receipts_asked_page(asked: ReceiptsAsked, *, page: str | None) -> Page[UsageEvent]:
    """One page of them."""
    return Paginator(receipts_asked(asked), RECEIPTS_PER_PAGE).get_page(page)


def sum_asked(asked: ReceiptsAsked) -> int:
    """What they come to in nano-USD, exactly what the report of the same says."""
    used = _events(asked).aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    if asked.narrowed.model is not None:
        used += _parts(asked).aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    return used + (_adjustments(asked).aggregate(sum=Sum("amount_nanos"))["sum"] or 0)


def counted_nanos(asked: ReceiptsAsked, events: list[UsageEvent]) -> dict[int, int]:
    """By event, what of it counts there: its cost (of a model: its parts at it), and the
    differences booked there.
    """
    ids = [event.pk for event in events]
    sums = dict.fromkeys(ids, 0)
    found: list[Iterable[tuple[int, int]]] = []
    found.append(_events(asked).filter(pk__in=ids).values_list("pk", "cost_nanos"))
    if asked.narrowed.model is not None:
        parts = _parts(asked).filter(event_id__in=ids)
        found.append(parts.values_list("event_id", "cost_nanos"))
    booked = _adjustments(asked).filter(event_id__in=ids)
    found.append(booked.values_list("event_id", "amount_nanos"))
    for rows in found:
        for event_id, nanos in rows:
            sums[event_id] += nanos
    return sums


def neighbours(
    asked: ReceiptsAsked, event: UsageEvent
) -> tuple[int | None, int | None]:
    """The receipts before and after one in time, within the same list."""
    rows = receipts_asked(asked).select_related(None).prefetch_related(None)
    at, pk = event.occurred_at, event.pk
    older = Q(occurred_at__lt=at) | Q(occurred_at=at, pk__lt=pk)
    newer = Q(occurred_at__gt=at) | Q(occurred_at=at, pk__gt=pk)
    before = rows.filter(older, occurred_at__lte=at)
    after = rows.filter(newer, occurred_at__gte=at).order_by("occurred_at", "pk")
    return (
        before.values_list("pk", flat=True).first(),
        after.values_list("pk", flat=True).first(),
    )


def models_and_surfaces(membership_id: int) -> tuple[list[str], list[str]]:
    """Which models and surfaces a person's list can be narrowed to."""
    days = UsageDay.objects.filter(membership_id=membership_id).order_by()
    return (
        sorted(days.values_list("model", flat=True).distinct()),
        sorted(days.values_list("surface", flat=True).distinct()),
    )


def _events(asked: ReceiptsAsked) -> QuerySet[UsageEvent]:
    """The events that count whole: all of them, or of a model those that ran at it alone."""
    rows = UsageEvent.objects.filter(
        _on_days(asked), funding__in=FUNDED[asked.paid]
    ).order_by()
    if asked.narrowed.model is not None:
        rows = rows.filter(is_split=False)
    return asked.narrowed.of(rows, prefix="", model="model")


def _parts(asked: ReceiptsAsked) -> QuerySet[UsagePart]:
    """The parts at the model asked for."""
    rows = UsagePart.objects.filter(
        _on_days(asked, "event__"), event__funding__in=FUNDED[asked.paid]
    ).order_by()
    return asked.narrowed.of(rows, prefix="event__", own="event__", model="model")


def _adjustments(asked: ReceiptsAsked) -> QuerySet[UsageAdjustment]:
    """The differences booked there, whenever their events ran."""
    rows = UsageAdjustment.objects.annotate(of_model=MODEL_ADJUSTED).filter(
        _on_days(asked), event__funding__in=FUNDED[asked.paid]
    )
    return asked.narrowed.of(rows.order_by(), prefix="event__", model="of_model")


def _on_days(asked: ReceiptsAsked, prefix: str = "") -> Q:
    if asked.span is None:
        return Q()
    return Q(
        **{
            f"{prefix}day_on__gte": asked.span.start,
            f"{prefix}day_on__lt": asked.span.end,
        }
    )
