"""The events and adjustments behind invoices and their lines. Read-only.

What a line bills is not stored with it: it is the same rows that the counters summed, and
`audit_books` proves that both agree. Nothing can be added to a closed month, so they stay
the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import QuerySet

from billing.models import (
    Funding,
    Invoice,
    InvoiceLine,
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.words import spellings_of_reason

# How many members' events one statement of `events_of_invoice` reads.
MEMBERS_AT_ONCE = 200


def events_behind(line: InvoiceLine) -> QuerySet[UsageEvent]:
    """The events whose sum a usage line is; none for other lines."""
    if line.kind != InvoiceLine.Kind.USAGE or line.membership_id is None:
        return UsageEvent.objects.none()
    return UsageEvent.objects.filter(
        membership_id=line.membership_id,
        month_on=line.invoice.month_on,
        surface=line.surface,
        model=line.model,
        funding=Funding.EXTRA_USAGE,
        prepaid=False,
    ).order_by("pk")


def adjustments_behind(line: InvoiceLine) -> QuerySet[UsageAdjustment]:
    """The differences whose sum a correction line is; none for other lines."""
    if line.kind != InvoiceLine.Kind.CORRECTION or line.membership_id is None:
        return UsageAdjustment.objects.none()
    return adjustments_of_invoice(line.invoice).filter(
        membership_id=line.membership_id,
        event__surface=line.surface,
        event__model=line.model,
        reason__in=spellings_of_reason(line.reason),
    )


def events_of_invoice(invoice: Invoice) -> Iterator[UsageEvent]:
    """Every event an invoice bills, with its member, in the order of memberships.

    Some members at a time: by member there is an index, by month there is none.
    """
    usage = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE).order_by("membership_id")
    members = list(usage.values_list("membership_id", flat=True).distinct())
    for start in range(0, len(members), MEMBERS_AT_ONCE):
        events = UsageEvent.objects.filter(
            membership_id__in=members[start : start + MEMBERS_AT_ONCE],
            month_on=invoice.month_on,
            funding=Funding.EXTRA_USAGE,
            prepaid=False,
        )
        with_members = events.select_related("membership__user")
        yield from with_members.order_by("membership_id", "pk").iterator(
            chunk_size=2_000
        )


def adjustments_of_invoice(invoice: Invoice) -> QuerySet[UsageAdjustment]:
    """Every difference an invoice bills, with its event and who booked it."""
    return (
        billed_adjustments(invoice.organization_id, invoice.month_on)
        .select_related("event__membership__user", "actor")
        .order_by("pk")
    )


def billed_adjustments(
    organization_id: int, month_on: dt.date
) -> QuerySet[UsageAdjustment]:
    """The differences booked in a month that its invoice bills."""
    return UsageAdjustment.objects.filter(
        organization_id=organization_id,
        month_on=month_on,
        prepaid=False,
        event__funding=Funding.EXTRA_USAGE,
    )
