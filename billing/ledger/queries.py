"""Reading a ledger: filtered pages, what is not in it yet, and the events behind one
charge. Read-only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Max, QuerySet, Sum

from billing.models import (
    BillingAccount,
    EntryKind,
    LedgerEntry,
    PendingCharge,
    UsageAdjustment,
    UsageEvent,
)

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """What of the ledger somebody wants to see: one kind, one month; empty is all."""

    kind: str = ""
    month_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What a charge rolls up: the events and adjustments whose sum it is."""

    events: Page[UsageEvent]
    adjustments: list[UsageAdjustment]
    count: int
    total_nanos: int


def entries(organization_id: int, wanted: LedgerFilter) -> QuerySet[LedgerEntry]:
    """The entries that match, newest first."""
    found = LedgerEntry.objects.filter(organization_id=organization_id).order_by("-pk")
    found = found.select_related("membership__user", "payment", "refund", "actor")
    if wanted.kind in EntryKind.values:
        found = found.filter(kind=wanted.kind)
    if wanted.month_on:
        found = found.filter(month_on=wanted.month_on)
    return found


def ledger_page(found: QuerySet[LedgerEntry], *, page: str | None) -> Page[LedgerEntry]:
    """One page of entries."""
    return Paginator(found, PAGE_SIZE).get_page(page)


def months_of(organization_id: int) -> list[dt.date]:
    """The months that have entries, newest first."""
    months = LedgerEntry.objects.filter(organization_id=organization_id).order_by(
        "-month_on"
    )
    return list(months.values_list("month_on", flat=True).distinct())


def pending_nanos(organization_id: int) -> int:
    """Usage that lowers the balance and is not in the ledger yet."""
    pending = PendingCharge.objects.filter(organization_id=organization_id)
    return pending.aggregate(sum=Sum("amount_nanos"))["sum"] or 0


def trace(entry: LedgerEntry, *, page: str | None) -> Trace:
    """The events (for an adjustment: the adjustments) of the member and day that this
    entry, and no earlier one, holds.
    """
    assert entry.membership_id is not None
    earlier = LedgerEntry.objects.filter(
        membership_id=entry.membership_id,
        day_on=entry.day_on,
        kind=entry.kind,
        pk__lt=entry.pk,
    ).aggregate(events=Max("events_through"), adjustments=Max("adjustments_through"))
    mine = {
        "membership_id": entry.membership_id,
        "day_on": entry.day_on,
        "prepaid": True,
    }
    events, adjustments = UsageEvent.objects.none(), list[UsageAdjustment]()
    if entry.kind == EntryKind.CHARGE:
        events = UsageEvent.objects.filter(
            **mine,
            funding="extra_usage",
            pk__gt=earlier["events"] or 0,
            pk__lte=entry.events_through,
        ).order_by("pk")
    elif entry.membership_id:
        adjustments = list(
            UsageAdjustment.objects.filter(
                **mine,
                pk__gt=earlier["adjustments"] or 0,
                pk__lte=entry.adjustments_through,
            )
            .select_related("event")
            .order_by("pk")
        )
    total = (events.aggregate(sum=Sum("cost_nanos"))["sum"] or 0) + sum(
        one.amount_nanos for one in adjustments
    )
    return Trace(
        Paginator(events, PAGE_SIZE).get_page(page), adjustments, events.count(), total
    )


def credit_left(account: BillingAccount) -> int:
    """What is left of the credits in a balance, where bought money counts as used
    first.

    Credits less operators' corrections downwards; whenever the balance fell below them,
    the rest of them was used.
    """
    left = 0
    entries = LedgerEntry.objects.filter(organization_id=account.pk).order_by("pk")
    first = entries.filter(kind=EntryKind.CREDIT).first()
    if first is None:
        return 0
    rows = entries.filter(pk__gte=first.pk).values_list(
        "kind", "amount_nanos", "balance_nanos", "membership", "refund"
    )
    for kind, amount, balance, membership, refund in rows.iterator():
        is_correction = (
            kind == EntryKind.ADJUSTMENT and membership is None and refund is None
        )
        if kind == EntryKind.CREDIT or is_correction:
            left = max(0, left + amount)
        left = min(left, max(0, balance))
    return min(left, max(0, account.balance_nanos))
