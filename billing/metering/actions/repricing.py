"""Booking what a new or corrected price means for events priced before (M4): visible
adjustments, never an edit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from accounts.actions.organizations import lock_organization
from billing.metering.actions.adjustments import book_adjustments
from billing.models import AdjustmentSource, PriceSource, UsageAdjustment, UsageEvent
from billing.prices.queries import read_price_book
from billing.prices.rules import PriceBook, Rates, Usage, cost_nanos

BATCH = 500


@dataclass(slots=True)
class Repriced:
    """What was (or would be) booked."""

    events: int = 0
    adjusted: int = 0
    nanos: int = 0
    by_model: dict[str, int] = field(default_factory=dict)


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
    book, done = read_price_book(), Repriced()
    organizations = (
        affected()
        .values_list("organization_id", flat=True)
        .distinct()
        .order_by("organization_id")
    )
    for organization_id in list(organizations):
        ids = list(
            affected()
            .filter(organization_id=organization_id)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        for start in range(0, len(ids), BATCH):
            _reprice_batch(
                organization_id,
                ids[start : start + BATCH],
                book=book,
                now=now,
                dry_run=dry_run,
                done=done,
            )
    return done


@transaction.atomic
def _reprice_batch(
    organization_id: int,
    ids: list[int],
    *,
    book: PriceBook,
    now: dt.datetime,
    dry_run: bool,
    done: Repriced,
) -> None:
    locked = lock_organization(organization_id)
    month = locked.calendar.month_at(now)
    rows = []
    for event, rates, amount in _differences(ids, book):
        done.events += 1
        if not amount:
            continue
        done.adjusted += 1
        done.nanos += amount
        done.by_model[event.model] = done.by_model.get(event.model, 0) + amount
        rows.append(
            UsageAdjustment(
                organization_id=organization_id,
                membership_id=event.membership_id,
                event=event,
                amount_nanos=amount,
                prepaid=event.prepaid,
                price_id=rates.price_id,
                reason=_reason(event),
                created_at=now,
                month_on=month.first_on,
                day_on=month.day_of(now),
            )
        )
    if rows and not dry_run:
        book_adjustments(locked, rows)


def _differences(
    ids: list[int], book: PriceBook
) -> Iterator[tuple[UsageEvent, Rates, int]]:
    # An operator's decision stands: a new price books what the prices alone differ by.
    by_price = Sum(
        "adjustments__amount_nanos",
        filter=Q(adjustments__source=AdjustmentSource.PRICE),
    )
    events = (
        UsageEvent.objects.filter(pk__in=ids)
        .annotate(booked=by_price, every=Sum("adjustments__amount_nanos"))
        .order_by("pk")
    )
    for event in events:
        usage = Usage(
            event.input_tokens,
            event.output_tokens,
            event.cache_write_5m_tokens,
            event.cache_write_1h_tokens,
            event.cache_read_tokens,
            event.web_searches,
        )
        rates, _estimated = book.rates_for(
            event.model, occurred_at=event.occurred_at, total_input=usage.total_input
        )
        amount = cost_nanos(usage, rates) - event.cost_nanos - (event.booked or 0)
        # What an operator waived is not given back a second time: no event comes to
        # less than nothing.
        yield event, rates, max(amount, -(event.cost_nanos + (event.every or 0)))


def _reason(event: UsageEvent) -> str:
    if event.estimated:
        return (
            "The model now has a price; until then, its cost was estimated at the "
            "fallback rate."
        )
    return "The price used for this charge was corrected."
