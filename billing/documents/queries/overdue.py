"""Months that should have closed by now, for operators. Read-only."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db.models import F, Min

from accounts.models import Organization
from billing.documents.queries.months import grace
from billing.documents.rules import latest_closable
from config.kit.months import next_month


class OverdueMonth(NamedTuple):
    """The month of an organization that closes next, and should have by `due_at`."""

    organization: Organization
    month_on: dt.date
    due_at: dt.datetime


def overdue_months(*, now: dt.datetime, late: dt.timedelta) -> list[OverdueMonth]:
    """One month each of organizations whose close is `late` after it was due: the first
    open one with usage, the longest due first. One query, however many there are.
    """
    organizations = Organization.objects.annotate(
        closed_through=F("billing_account__frozen_through_on"),
        first_used=Min("months__month_on"),
    ).order_by("pk")
    found = []
    for organization in organizations.iterator(chunk_size=2_000):
        month_on = _next_to_close(organization)
        latest = latest_closable(organization.calendar, now=now - late, grace=grace())
        if month_on is not None and month_on <= latest:
            ends_at = organization.calendar.month(month_on).end
            found.append(OverdueMonth(organization, month_on, ends_at + grace()))
    return sorted(found, key=lambda month: month.due_at)


def _next_to_close(organization: Organization) -> dt.date | None:
    closed_through = organization.closed_through  # type: ignore[attr-defined]
    first_used: dt.date | None = organization.first_used  # type: ignore[attr-defined]
    return next_month(closed_through) if closed_through else first_used
