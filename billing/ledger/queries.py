"""Reading a ledger: filtered pages, what is not in it yet, and the events behind one
charge. Read-only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Max, QuerySet, Sum

from accounts.models import Organization
from billing.models import (
    BillingAccount,
    EntryKind,
    LedgerEntry,
    PendingCharge,
    UsageAdjustment,
    UsageEvent,
)
from config.kit.months import Month

PAGE_SIZE = 50


def open_month(organization: Organization, *, now: dt.datetime) -> Month:
    """The month that what is booked at `now` counts to: the current one, or the first
    open one where that is closed already. Read under the organization's lock, it stays
    so until the commit.
    """
    accounts = BillingAccount.objects.filter(organization=organization)
    closed_through = accounts.values_list("frozen_through_on", flat=True).first()
    return organization.calendar.open_month_at(now, closed_through=closed_through)


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


def entries(organization_id: int, chosen: LedgerFilter) -> QuerySet[LedgerEntry]:
    """The entries that match, newest first, with what their words need."""
    matching = LedgerEntry.objects.filter(organization_id=organization_id)
    if chosen.kind in EntryKind.values:
        matching = matching.filter(kind=chosen.kind)
    if chosen.month_on:
        matching = matching.filter(month_on=chosen.month_on)
    return matching.select_related(
        "membership__user", "payment", "refund", "dispute", "actor"
    ).order_by("-pk")


def ledger_page(
    matching: QuerySet[LedgerEntry], *, page: str | None
) -> Page[LedgerEntry]:
    """One page of entries; of a page that is none, the nearest."""
    return Paginator(matching, PAGE_SIZE).get_page(page)


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

    The entry has to name a member.
    """
    assert entry.membership_id is not None
    events = UsageEvent.objects.none()
    adjustments = list[UsageAdjustment]()
    if entry.kind == EntryKind.CHARGE:
        events = _events_of(entry)
    else:
        adjustments = list(_adjustments_of(entry))
    total_nanos = events.aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    total_nanos += sum(adjustment.amount_nanos for adjustment in adjustments)
    return Trace(
        events=Paginator(events, PAGE_SIZE).get_page(page),
        adjustments=adjustments,
        count=events.count(),
        total_nanos=total_nanos,
    )


def _events_of(charge: LedgerEntry) -> QuerySet[UsageEvent]:
    return UsageEvent.objects.filter(
        **_member_and_day(charge),
        prepaid=True,
        funding="extra_usage",
        pk__gt=_held_before(charge, "events_through"),
        pk__lte=charge.events_through,
    ).order_by("pk")


def _adjustments_of(entry: LedgerEntry) -> QuerySet[UsageAdjustment]:
    adjustments = UsageAdjustment.objects.filter(
        **_member_and_day(entry),
        prepaid=True,
        pk__gt=_held_before(entry, "adjustments_through"),
        pk__lte=entry.adjustments_through,
    )
    return adjustments.select_related("event").order_by("pk")


def _member_and_day(entry: LedgerEntry) -> dict[str, Any]:
    return {"membership_id": entry.membership_id, "day_on": entry.day_on}


def _held_before(entry: LedgerEntry, column: str) -> int:
    """The last id that earlier entries of this member, day and kind hold; 0: none."""
    earlier = LedgerEntry.objects.filter(
        **_member_and_day(entry), kind=entry.kind, pk__lt=entry.pk
    )
    return earlier.aggregate(last=Max(column))["last"] or 0


def credit_left(account: BillingAccount) -> int:
    """What is left of the credits in a balance, in nano-USD, where bought money counts
    as used first.

    Credits less operators' corrections downwards; whenever the balance fell below them,
    the rest of them was used.
    """
    entries = LedgerEntry.objects.filter(organization_id=account.pk).order_by("pk")
    first = entries.filter(kind=EntryKind.CREDIT).first()
    if first is None:
        return 0
    rows = entries.filter(pk__gte=first.pk).values_list(
        "kind", "amount_nanos", "balance_nanos", "membership", "refund"
    )
    left = 0
    for kind, amount, balance, membership, refund in rows.iterator():
        # An adjustment of a member or of a failed refund is no operator's correction.
        is_correction = (
            kind == EntryKind.ADJUSTMENT and membership is None and refund is None
        )
        if kind == EntryKind.CREDIT or is_correction:
            left = max(0, left + amount)
        left = min(left, max(0, balance))
    return min(left, max(0, account.balance_nanos))
