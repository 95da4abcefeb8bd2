"""What operators watch of closing months and of documents at the gateway. Read-only."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from accounts.models import Organization
from billing.documents.queries.months import grace
from billing.models import BillingMonth, Invoice
from config.kit.measures import Measure, measures, single
from config.kit.months import first_of_month, next_month, previous_month

# The zones furthest from UTC: where a month has ended in the one that is furthest
# behind, it has ended everywhere.
FURTHEST_BEHIND = dt.timedelta(hours=12)
FURTHEST_AHEAD = dt.timedelta(hours=14)


@measures
def months(now: dt.datetime) -> list[Measure]:
    """Organizations whose month should have closed, and months left half-closed."""
    return [
        single(
            "months_overdue",
            "Organizations with a month that could have closed in every time zone.",
            _overdue(now),
        ),
        single(
            "months_half_closed",
            "Months that were frozen and are not closed to the end.",
            BillingMonth.objects.unfinished().count(),
        ),
        single(
            "invoices_to_send",
            "Invoices that the payment gateway does not know as they are.",
            Invoice.objects.issued().filter(gateway_next_try_at__isnull=False).count(),
        ),
    ]


def _overdue(now: dt.datetime) -> int:
    """By comparison of days alone: a sum over all organizations, whose own calendars are
    not asked. Where nothing ever closed, the month of the founding should have.
    """
    latest = previous_month(first_of_month((now - grace() - FURTHEST_BEHIND).date()))
    after = next_month(latest)
    founded_before = dt.datetime(after.year, after.month, 1, tzinfo=dt.UTC)
    is_behind = Q(billing_account__frozen_through_on__lt=latest)
    never_closed = Q(
        billing_account__frozen_through_on__isnull=True,
        created_at__lt=founded_before - FURTHEST_AHEAD,
    )
    return Organization.objects.filter(is_behind | never_closed).count()
