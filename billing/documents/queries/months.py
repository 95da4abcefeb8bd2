"""Which months are open, due to close, or left half-closed (P2). Read-only."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Exists, F, Min, OuterRef, Q

from accounts.models import Organization
from billing.documents.rules import latest_closable, months_to_close
from billing.models import BillingAccount, BillingMonth, LedgerEntry, OrganizationMonth
from config.kit.months import first_of_month, next_month, previous_month


def grace() -> dt.timedelta:
    """How long after a month's end late events still count to it (P2)."""
    return dt.timedelta(hours=settings.CLOSE_GRACE_HOURS)


def first_open_month(organization: Organization) -> dt.date:
    """The earliest month that is not closed: after the latest closed one, else the
    first with anything in it.
    """
    account = BillingAccount.objects.filter(organization=organization).first()
    if account and account.frozen_through_on:
        return next_month(account.frozen_through_on)
    return _first_month(organization)


def _first_month(organization: Organization) -> dt.date:
    mine = {"organization": organization}
    firsts = [
        organization.calendar.month_at(organization.created_at).first_on,
        OrganizationMonth.objects.filter(**mine).aggregate(first=Min("month_on"))[
            "first"
        ],
        LedgerEntry.objects.filter(**mine).aggregate(first=Min("month_on"))["first"],
    ]
    return min(first for first in firsts if first is not None)


def due_months(organization: Organization, *, now: dt.datetime) -> list[dt.date]:
    """The months to close at `now`, oldest first."""
    latest = latest_closable(organization.calendar, now=now, grace=grace())
    return months_to_close(first_open_month(organization), latest)


def organizations_to_close(*, now: dt.datetime) -> list[int]:
    """Organizations (ids) with a month that is due, or one that was left half-closed."""
    unfinished = BillingMonth.objects.unfinished().filter(organization=OuterRef("pk"))
    # The latest month that any zone could close now; each organization's own is looked
    # at below.
    latest = previous_month(
        first_of_month((now - grace() + dt.timedelta(hours=14)).date())
    )
    through = F("billing_account__frozen_through_on")
    found = Organization.objects.annotate(
        half_closed=Exists(unfinished), closed_through=through
    )
    maybe = found.filter(
        Q(half_closed=True)
        | Q(closed_through__lt=latest)
        | Q(closed_through__isnull=True)
    )
    return [
        one.pk
        for one in maybe.order_by("pk")
        if one.half_closed or _is_due(one, one.closed_through, now=now)
    ]


def _is_due(
    organization: Organization, closed_through: dt.date | None, *, now: dt.datetime
) -> bool:
    first = next_month(closed_through) if closed_through else _first_month(organization)
    return first <= latest_closable(organization.calendar, now=now, grace=grace())
