"""Booking what a new or corrected price means for events priced before (M4): visible
adjustments, never an edit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.metering.actions.adjustments import book_adjustments
from billing.models import (
    AdjustmentSource,
    PriceSource,
    RepricingReason,
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.queries import read_price_book
from billing.prices.rules import PriceBook, Usage

# Events repriced in one transaction: recording waits for the lock no longer than that.
BATCH = 500


@dataclass(slots=True)
class Repriced:
    """What was (or would be) booked; amounts in nano-USD."""

    events: int = 0
    adjusted: int = 0
    nanos: int = 0
    by_model: dict[str, int] = field(default_factory=dict)

    def count(self, difference: _Difference) -> None:
        """Count an event that was looked at."""
        self.events += 1
        if not difference.nanos:
            return
        model = difference.event.model
        self.adjusted += 1
        self.nanos += difference.nanos
        self.by_model[model] = self.by_model.get(model, 0) + difference.nanos


class _Difference(NamedTuple):
    """What the prices in force make of an event, less what it comes to now."""

    event: UsageEvent
    nanos: int
    price_id: int


def affected() -> QuerySet[UsageEvent]:
    """Events priced by the fallback, or by a row that a correction superseded since."""
    stale = (
        Q(estimated=True)
        | Q(price__superseded_at__isnull=False)
        | Q(price__source=PriceSource.FALLBACK)
    )
    return UsageEvent.objects.filter(stale)


def reprice_events(*, now: dt.datetime, dry_run: bool = False) -> Repriced:
    """Book the difference between each affected event's cost and what it costs at the
    prices in force.

    Booked to the organization's current month under its lock, to the side that paid the
    event. Running it again books nothing more.
    """
    book = read_price_book()
    repriced = Repriced()
    organizations = affected().values_list("organization_id", flat=True).distinct()
    for organization_id in list(organizations.order_by("organization_id")):
        for ids in _batches(organization_id):
            differences = _reprice_batch(
                organization_id, ids, book=book, now=now, dry_run=dry_run
            )
            for difference in differences:
                repriced.count(difference)
    return repriced


def _batches(organization_id: int) -> Iterator[list[int]]:
    events = affected().filter(organization_id=organization_id).order_by("pk")
    ids = list(events.values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@transaction.atomic
def _reprice_batch(
    organization_id: int,
    ids: list[int],
    *,
    book: PriceBook,
    now: dt.datetime,
    dry_run: bool,
) -> list[_Difference]:
    # Read under the lock: another run, or an operator, may have booked meanwhile.
    locked = lock_organization(organization_id)
    differences = list(_differences(ids, book))
    adjustments = [
        _adjustment(locked, difference, now=now)
        for difference in differences
        if difference.nanos
    ]
    if adjustments and not dry_run:
        book_adjustments(locked, adjustments)
    return differences


def _differences(ids: list[int], book: PriceBook) -> Iterator[_Difference]:
    # An operator's decision stands: a new price books what the prices alone differ by.
    by_price = Sum(
        "adjustments__amount_nanos",
        filter=Q(adjustments__source=AdjustmentSource.PRICE),
    )
    events = UsageEvent.objects.filter(pk__in=ids).order_by("pk")
    for event in events.annotate(
        booked_by_price=by_price, booked=Sum("adjustments__amount_nanos")
    ):
        charge = book.charge_of(
            Usage.of(event), model=event.model, occurred_at=event.occurred_at
        )
        nanos = charge.cost_nanos - event.cost_nanos - (event.booked_by_price or 0)
        # What an operator waived is not given back a second time: no event comes to
        # less than nothing.
        least_nanos = -(event.cost_nanos + (event.booked or 0))
        yield _Difference(event, max(nanos, least_nanos), charge.price_id)


def _adjustment(
    locked: Organization, difference: _Difference, *, now: dt.datetime
) -> UsageAdjustment:
    event = difference.event
    month = locked.calendar.month_at(now)
    reason = RepricingReason.PRICE_CORRECTED
    if event.estimated:
        reason = RepricingReason.MODEL_PRICED
    return UsageAdjustment(
        organization_id=locked.pk,
        membership_id=event.membership_id,
        event=event,
        amount_nanos=difference.nanos,
        prepaid=event.prepaid,
        price_id=difference.price_id,
        reason=reason,
        created_at=now,
        month_on=month.first_on,
        day_on=month.day_of(now),
    )
