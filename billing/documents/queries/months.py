"""Which months are open, due to close, or left half-closed (P2). Read-only.

Months are named by their first day, and end by each organization's own clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Sum

from accounts.models import Organization
from billing.documents.rules import latest_closable, months_to_close
from billing.models import (
    BillingAccount,
    BillingMonth,
    LedgerEntry,
    OrganizationMonth,
    UsageMonth,
)
from config.kit.months import first_of_month, next_month, previous_month

# The zone that is furthest ahead of UTC: no month anywhere ends earlier than there.
FURTHEST_AHEAD = dt.timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class FundedUsage:
    """Extra usage of a month by how it was funded when it was recorded, in nano-USD."""

    prepaid_nanos: int
    billed_nanos: int


def funded_in(organization_id: int, *, month_on: dt.date) -> FundedUsage:
    """What of a month's extra usage was paid from the balance, and what is billed."""
    usage = UsageMonth.objects.filter(
        membership__organization_id=organization_id, month_on=month_on
    )
    sums = usage.aggregate(
        from_balance=Sum("extra_nanos", filter=Q(prepaid=True)),
        to_bill=Sum("extra_nanos", filter=Q(prepaid=False)),
    )
    return FundedUsage(sums["from_balance"] or 0, sums["to_bill"] or 0)


def grace() -> dt.timedelta:
    """How long after a month's end late events still count to it (P2)."""
    return dt.timedelta(hours=settings.CLOSE_GRACE_HOURS)


def first_open_month(organization: Organization) -> dt.date:
    """The month that closes next.

    The one after the latest closed, or else the first with anything in it.
    """
    account = BillingAccount.objects.filter(organization=organization).first()
    if account and account.frozen_through_on:
        return next_month(account.frozen_through_on)
    return _first_month(organization)


def _first_month(organization: Organization) -> dt.date:
    """The month it was created in, or an earlier one that something was booked in."""
    created_on = organization.calendar.month_at(organization.created_at).first_on
    first = Min("month_on")
    used = OrganizationMonth.objects.filter(organization=organization)
    booked = LedgerEntry.objects.filter(organization=organization)
    months = (
        created_on,
        used.aggregate(first=first)["first"],
        booked.aggregate(first=first)["first"],
    )
    return min(month_on for month_on in months if month_on is not None)


def due_months(organization: Organization, *, now: dt.datetime) -> list[dt.date]:
    """The months to close at `now`, oldest first."""
    latest = latest_closable(organization.calendar, now=now, grace=grace())
    return months_to_close(first_open_month(organization), latest)


def organizations_to_close(*, now: dt.datetime) -> list[int]:
    """Organizations (ids) with a month that is due, or one that was left half-closed."""
    return [
        organization.pk
        for organization in _may_have_to_close(now)
        if organization.half_closed
        or _is_due(organization, organization.closed_through, now=now)
    ]


def _may_have_to_close(now: dt.datetime) -> QuerySet[Any]:
    """All but those that are closed through the latest month that any zone could close.

    Each one's own calendar, which the database does not know, decides afterwards.
    """
    latest = previous_month(first_of_month((now - grace() + FURTHEST_AHEAD).date()))
    unfinished = BillingMonth.objects.unfinished().filter(organization=OuterRef("pk"))
    organizations = Organization.objects.annotate(
        half_closed=Exists(unfinished),
        closed_through=F("billing_account__frozen_through_on"),
    )
    return organizations.filter(
        Q(half_closed=True)
        | Q(closed_through__lt=latest)
        | Q(closed_through__isnull=True)
    ).order_by("pk")


def _is_due(
    organization: Organization, closed_through: dt.date | None, *, now: dt.datetime
) -> bool:
    latest = latest_closable(organization.calendar, now=now, grace=grace())
    if closed_through is None:
        return _first_month(organization) <= latest
    return next_month(closed_through) <= latest
