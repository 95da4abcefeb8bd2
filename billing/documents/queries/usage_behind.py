"""The events and adjustments behind invoices and their lines. Read-only.

What a line bills is not stored with it: it is the same rows that the counters summed, and
`audit_books` proves that both agree. Nothing can be added to a closed month, so they stay
the same; of a month that was opened again, an invoice has what came before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Case, F, Prefetch, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from billing.models import (
    Funding,
    Invoice,
    InvoiceLine,
    MonthReopening,
    UsageAdjustment,
    UsageEvent,
    UsagePart,
)
from billing.prices.words import spellings_of_reason

# How many members' events one statement of `events_of_invoice` reads.
MEMBERS_AT_ONCE = 200
# The model a difference counts to: its part's, else its event's.
PRICED_MODEL = Coalesce(F("part__model"), F("event__model"))
PARTS = Prefetch("parts", UsagePart.objects.order_by("position"))


def _written_with(invoice: Invoice, through: str) -> Q:
    """What of its month an invoice had: all, unless its close was taken back and more
    came afterwards. `through` is the column of the last id it had.
    """
    taken_back = MonthReopening.objects.filter(
        organization_id=invoice.organization_id,
        month_on=invoice.month_on,
        edition=invoice.edition,
    ).first()
    return Q(pk__lte=getattr(taken_back, through)) if taken_back else Q()


def events_behind(line: InvoiceLine) -> QuerySet[UsageEvent]:
    """The events whose sum a usage line is, each with its `line_nanos`: what of it the
    line's model cost; none for other lines.
    """
    if line.kind != InvoiceLine.Kind.USAGE or line.membership_id is None:
        return UsageEvent.objects.none()
    of_model = Q(is_split=False, model=line.model) | Q(
        is_split=True, parts__model=line.model
    )
    own_parts = Sum("parts__cost_nanos", filter=Q(parts__model=line.model))
    return (
        UsageEvent.objects.filter(
            of_model,
            _written_with(line.invoice, "events_through"),
            membership_id=line.membership_id,
            month_on=line.invoice.month_on,
            surface=line.surface,
            funding=Funding.EXTRA_USAGE,
            prepaid=False,
        )
        .annotate(
            line_nanos=Case(
                When(is_split=False, then=F("cost_nanos")), default=own_parts
            )
        )
        .order_by("pk")
    )


def adjustments_behind(line: InvoiceLine) -> QuerySet[UsageAdjustment]:
    """The differences whose sum a correction line is; none for other lines."""
    if line.kind != InvoiceLine.Kind.CORRECTION or line.membership_id is None:
        return UsageAdjustment.objects.none()
    return (
        adjustments_of_invoice(line.invoice)
        .annotate(priced_model=PRICED_MODEL)
        .filter(
            membership_id=line.membership_id,
            event__surface=line.surface,
            priced_model=line.model,
            reason__in=spellings_of_reason(line.reason),
        )
    )


def events_of_invoice(invoice: Invoice) -> Iterator[UsageEvent]:
    """Every event an invoice bills, with its member, in the order of memberships.

    Some members at a time: by member there is an index, by month there is none.
    """
    usage = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE).order_by("membership_id")
    members = list(usage.values_list("membership_id", flat=True).distinct())
    written_with = _written_with(invoice, "events_through")
    for start in range(0, len(members), MEMBERS_AT_ONCE):
        events = UsageEvent.objects.filter(
            written_with,
            membership_id__in=members[start : start + MEMBERS_AT_ONCE],
            month_on=invoice.month_on,
            funding=Funding.EXTRA_USAGE,
            prepaid=False,
        )
        with_members = events.select_related("membership__user").prefetch_related(PARTS)
        yield from with_members.order_by("membership_id", "pk").iterator(
            chunk_size=2_000
        )


def adjustments_of_invoice(invoice: Invoice) -> QuerySet[UsageAdjustment]:
    """Every difference an invoice bills, with its event and who booked it."""
    return (
        billed_adjustments(invoice.organization_id, invoice.month_on)
        .filter(_written_with(invoice, "adjustments_through"))
        .select_related("event__membership__user", "part", "actor")
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
