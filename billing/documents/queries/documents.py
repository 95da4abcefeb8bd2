"""Invoices, credit notes and statements: lists, pages of lines, sums and what is owed.

Read-only; amounts in nano-USD. What is behind a line is `queries.usage_behind`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Min, QuerySet, Sum

from billing.models import (
    CreditNote,
    Invoice,
    InvoiceLine,
    Statement,
    StatementLine,
    surface_label,
)

PAGE_SIZE = 50


def invoices_of(organization_id: int) -> QuerySet[Invoice]:
    """An organization's numbered invoices, newest first; drafts are not among them."""
    return Invoice.objects.issued().filter(organization_id=organization_id)


def credit_notes_of(organization_id: int) -> QuerySet[CreditNote]:
    """An organization's credit notes, newest first, with their invoices."""
    return CreditNote.objects.filter(organization_id=organization_id).select_related(
        "invoice", "issued_by"
    )


def statements_of(organization_id: int) -> QuerySet[Statement]:
    """An organization's statements, newest first; none of a close that was taken back."""
    return Statement.objects.standing().filter(organization_id=organization_id)


@dataclass(frozen=True, slots=True)
class ModelSum:
    """What one surface and model came to over all members: events, nano-USD in cents."""

    surface: str
    model: str
    events: int
    amount_nanos: int

    @property
    def surface_label(self) -> str:
        return surface_label(self.surface)


@dataclass(frozen=True, slots=True)
class CorrectionSum(ModelSum):
    """What one surface and model was corrected by, for one reason, over all members."""

    reason: str


S = TypeVar("S", bound=ModelSum)


def sums_by_model(invoice: Invoice) -> list[ModelSum]:
    """An invoice's usage lines added up by surface and model, the largest first."""
    usage = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE).order_by()
    sums = (
        usage.values("surface", "model")
        .annotate(number=Sum("events"), amount=Sum("amount_nanos"))
        .order_by("-amount", "surface", "model")
    )
    return [
        ModelSum(row["surface"], row["model"], row["number"], row["amount"])
        for row in sums
    ]


def corrections_by_model(invoice: Invoice) -> list[CorrectionSum]:
    """An invoice's corrections added up by surface, model and reason, in that order."""
    corrections = invoice.lines.filter(kind=InvoiceLine.Kind.CORRECTION).order_by()
    sums = (
        corrections.values("surface", "model", "reason")
        .annotate(number=Sum("events"), amount=Sum("amount_nanos"))
        .order_by("surface", "model", "reason")
    )
    return [
        CorrectionSum(
            row["surface"], row["model"], row["number"], row["amount"], row["reason"]
        )
        for row in sums
    ]


@dataclass(frozen=True, slots=True)
class Rest:
    """What a table that has an end leaves out: how many rows, and what they come to."""

    rows: int
    events: int
    amount_nanos: int


def with_end(sums: Sequence[S], *, most: int) -> tuple[Sequence[S], Rest | None]:
    """The first rows of a table, and what all others come to, so that both still add up.

    Nobody reads a thousand models, and their names are whatever was reported.
    """
    if len(sums) <= most:
        return sums, None
    rest = sums[most:]
    return sums[:most], Rest(
        len(rest),
        sum(row.events for row in rest),
        sum(row.amount_nanos for row in rest),
    )


def sums_by_member(
    invoice: Invoice, lines: Sequence[InvoiceLine]
) -> dict[tuple[str, int | None], int]:
    """What each group of lines that `lines` are of comes to, with those on other pages:
    by kind and member, as the paper has it; what is carried has one without either.
    """
    ids = {line.membership_id for line in lines if line.membership_id}
    theirs = invoice.lines.filter(membership_id__in=ids).order_by()
    sums = theirs.values("kind", "membership_id").annotate(sum=Sum("amount_nanos"))
    found: dict[tuple[str, int | None], int] = {
        (row["kind"], row["membership_id"]): row["sum"] for row in sums
    }
    carried = invoice.lines.filter(membership__isnull=True).aggregate(
        sum=Sum("amount_nanos")
    )
    return {**found, ("", None): carried["sum"] or 0}


def members_billed(invoice: Invoice) -> int:
    """How many members' usage an invoice bills; corrections alone do not count."""
    usage = invoice.lines.filter(kind=InvoiceLine.Kind.USAGE).order_by()
    return usage.values("membership_id").distinct().count()


def first_lines(invoice: Invoice, membership_ids: Sequence[int]) -> dict[int, int]:
    """The position of each of these members' first line; those without one left out."""
    lines = invoice.lines.filter(membership_id__in=membership_ids).order_by()
    found = lines.values_list("membership_id").annotate(first=Min("position"))
    return {pk: first for pk, first in found if pk is not None}


def page_of(rows: QuerySet[Any], *, page: str | None) -> Page[Any]:
    """One page of rows, in their order; the nearest one for a number that is none."""
    return Paginator(rows, PAGE_SIZE).get_page(page)


def lines_of(statement: Statement) -> QuerySet[StatementLine]:
    """What each member's usage took, by name."""
    return statement.lines.order_by("position")


def credited_nanos(invoice: Invoice) -> int:
    """What credit notes took back of an invoice, tax included."""
    return sum(note.total_nanos for note in invoice.credit_notes.all())


def is_credited_whole(invoice: Invoice) -> bool:
    """Whether it was settled by credit notes rather than by money.

    The note that took the rest left its number on the invoice.
    """
    if invoice.status != Invoice.Status.PAID:
        return False
    return any(
        note.number == invoice.settled_note for note in invoice.credit_notes.all()
    )


def refunded_nanos(invoice: Invoice) -> int:
    """What of its payment was given back at the gateway, by refunds that hold."""
    refunds = invoice.refunds.all()
    return sum(one.amount_nanos for one in refunds if one.failed_at is None)


def lost_nanos(invoice: Invoice) -> int:
    """What of its payment banks took back for good."""
    disputes = invoice.disputes.all()
    return sum(one.taken_nanos for one in disputes if one.status == "lost")


def withheld_nanos(invoice: Invoice) -> int:
    """What of its payment a bank holds until a dispute is decided."""
    disputes = invoice.disputes.all()
    return sum(one.taken_nanos for one in disputes if one.status != "lost")


def credited_since_paid(invoice: Invoice) -> int:
    """What credit notes took back after it was paid: what is to go back to the buyer."""
    return _credited_since(invoice, invoice.settled_at)


def _credited_since(invoice: Invoice, moment: dt.datetime | None) -> int:
    notes = invoice.credit_notes.all()
    return sum(
        note.total_nanos for note in notes if moment and note.issued_at >= moment
    )


def uncredited_nanos(invoice: Invoice) -> int:
    """What was refunded at the gateway without a credit note that says so."""
    if invoice.status != Invoice.Status.PAID or invoice.settled_by_id is not None:
        return 0
    return max(0, refunded_nanos(invoice) - credited_since_paid(invoice))


def owed_nanos(invoice: Invoice) -> int:
    """What is still to be paid of an invoice; nothing of one that is not open.

    Of one that is open again: what banks took back of its payment. What was refunded was
    somebody's decision, so it is never claimed again; the credit notes until then are
    the documents of that, and only what they have beyond it lowers what is owed.
    """
    if invoice.status != Invoice.Status.OPEN:
        return 0
    if invoice.reopened_at is None:
        return invoice.total_nanos - credited_nanos(invoice)
    waived = _credited_since(invoice, invoice.reopened_at)
    before = credited_since_paid(invoice) - waived
    beyond_refunds = max(0, before - refunded_nanos(invoice))
    return max(0, lost_nanos(invoice) - beyond_refunds - waived)


def is_overdue(invoice: Invoice, *, today: dt.date) -> bool:
    """Whether it is open and its due day is over; `today` by the organization's clock."""
    return (
        invoice.status == Invoice.Status.OPEN
        and invoice.due_on is not None
        and invoice.due_on < today
    )
