"""Reading invoices and statements: lists, pages of lines, sums, and the events behind
each figure. Read-only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet, Sum

from billing.models import (
    CreditNote,
    Funding,
    Invoice,
    InvoiceLine,
    Statement,
    StatementLine,
    Surface,
    UsageAdjustment,
    UsageEvent,
)
from billing.prices.words import spellings_of_reason

PAGE_SIZE = 50
PEOPLE = 200


def invoices_of(organization_id: int) -> QuerySet[Invoice]:
    """An organization's numbered invoices, newest first."""
    return Invoice.objects.issued().filter(organization_id=organization_id)


def credit_notes_of(organization_id: int) -> QuerySet[CreditNote]:
    """An organization's credit notes, newest first."""
    return CreditNote.objects.filter(organization_id=organization_id).select_related(
        "invoice", "issued_by"
    )


def statements_of(organization_id: int) -> QuerySet[Statement]:
    """An organization's statements, newest first."""
    return Statement.objects.filter(organization_id=organization_id)


@dataclass(frozen=True, slots=True)
class ModelSum:
    """What one surface and model came to, over all members."""

    surface: str
    model: str
    events: int
    amount_nanos: int

    @property
    def surface_label(self) -> str:
        """The surface's name."""
        return str(Surface(self.surface).label)


def sums_by_model(invoice: Invoice) -> list[ModelSum]:
    """An invoice's usage lines added up by surface and model, the largest first."""
    rows = (
        invoice.lines.filter(kind=InvoiceLine.Kind.USAGE)
        .order_by()
        .values("surface", "model")
    )
    rows = rows.annotate(events_sum=Sum("events"), amount=Sum("amount_nanos")).order_by(
        "-amount", "surface", "model"
    )
    return [
        ModelSum(row["surface"], row["model"], row["events_sum"], row["amount"])
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class CorrectionSum(ModelSum):
    """What was corrected for one reason, over all members."""

    reason: str


def corrections_by_model(invoice: Invoice) -> list[CorrectionSum]:
    """An invoice's corrections added up by surface, model and reason."""
    rows = (
        invoice.lines.filter(kind=InvoiceLine.Kind.CORRECTION)
        .order_by()
        .values("surface", "model", "reason")
    )
    rows = rows.annotate(number=Sum("events"), amount=Sum("amount_nanos")).order_by(
        "surface", "model", "reason"
    )
    return [
        CorrectionSum(
            row["surface"], row["model"], row["number"], row["amount"], row["reason"]
        )
        for row in rows
    ]


def people_on(invoice: Invoice) -> int:
    """How many people's usage an invoice bills."""
    usage = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE).order_by()
    return usage.values("membership_id").distinct().count()


def page_of(rows: QuerySet[Any], *, page: str | None) -> Page[Any]:
    """One page of rows, in their order."""
    return Paginator(rows, PAGE_SIZE).get_page(page)


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
    return adjustments_of_month(line.invoice).filter(
        membership_id=line.membership_id,
        event__surface=line.surface,
        event__model=line.model,
        reason__in=spellings_of_reason(line.reason),
    )


def events_of_month(invoice: Invoice) -> Iterator[UsageEvent]:
    """Every event an invoice bills, some people at a time: by member there is an index,
    by month there is none.
    """
    usage = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE).order_by("membership_id")
    people = list(usage.values_list("membership_id", flat=True).distinct())
    for start in range(0, len(people), PEOPLE):
        found = UsageEvent.objects.filter(
            membership_id__in=people[start : start + PEOPLE],
            month_on=invoice.month_on,
            funding=Funding.EXTRA_USAGE,
            prepaid=False,
        )
        yield from (
            found.select_related("membership__user")
            .order_by("membership_id", "pk")
            .iterator(chunk_size=2_000)
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


def adjustments_of_month(invoice: Invoice) -> QuerySet[UsageAdjustment]:
    """Every difference an invoice bills, with its event and who booked it."""
    found = billed_adjustments(invoice.organization_id, invoice.month_on)
    return found.select_related("event__membership__user", "actor").order_by("pk")


def lines_of(statement: Statement) -> QuerySet[StatementLine]:
    """What each member's usage took, in their order."""
    return statement.lines.order_by("position")


def credited_nanos(invoice: Invoice) -> int:
    """What credit notes took back of an invoice, tax included."""
    return sum(note.total_nanos for note in invoice.credit_notes.all())


def is_credited_whole(invoice: Invoice) -> bool:
    """Whether credit notes, rather than money, settled it."""
    notes = invoice.credit_notes.all()
    return invoice.status == Invoice.Status.PAID and any(
        note.number == invoice.settled_note for note in notes
    )


def owed_nanos(invoice: Invoice) -> int:
    """What is still to be paid of it."""
    return (
        invoice.total_nanos - credited_nanos(invoice)
        if invoice.status == Invoice.Status.OPEN
        else 0
    )


def is_overdue(invoice: Invoice, *, today: dt.date) -> bool:
    """Open, and its due day is over."""
    return bool(
        invoice.status == Invoice.Status.OPEN
        and invoice.due_on
        and invoice.due_on < today
    )
