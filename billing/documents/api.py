"""Invoices by API: the list, and one with its lines. Scope `read`."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Path, Query, Router

from accounts.api_access import KeyAuth, organization_of
from accounts.models import Scope
from billing.documents.queries.documents import (
    credited_nanos,
    invoices_of,
    is_credited_whole,
    owed_nanos,
)
from billing.documents.schemas import InvoiceList, InvoiceWithLines
from billing.models import CreditNote, Invoice, InvoiceLine
from billing.prices.words import correction_reason_in_english
from config.kit.api import ERRORS
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text

router = Router(tags=["Reading"], auth=KeyAuth(Scope.READ))
PAGE, LINES = 100, 1_000
Cursor = Annotated[str | None, Query(max_length=30, pattern=r"^[0-9]{1,9}$")]


def invoice_json(invoice: Invoice) -> dict[str, Any]:
    """One invoice without its lines: USD as decimal text with nine places, UTC."""
    return {
        "number": invoice.number,
        "status": invoice.status,
        "month": {"start": invoice.starts_at, "end": invoice.ends_at},
        "currency": "USD",
        "subtotal_usd": to_decimal_text(invoice.subtotal_nanos),
        "tax_usd": to_decimal_text(invoice.tax_nanos),
        "total_usd": to_decimal_text(invoice.total_nanos),
        "credited_usd": to_decimal_text(credited_nanos(invoice)),
        "owed_usd": to_decimal_text(owed_nanos(invoice)),
        "exact_usd": to_decimal_text(invoice.exact_nanos),
        "carried_in_usd": to_decimal_text(invoice.carried_in_nanos),
        "carried_out_usd": to_decimal_text(invoice.carried_out_nanos),
        "issued_at": invoice.issued_at,
        "due_on": invoice.due_on,
        "paid_at": invoice.settled_at if _was_paid(invoice) else None,
        "credit_notes": _notes_json(invoice),
    }


def _was_paid(invoice: Invoice) -> bool:
    """By money; credit notes alone leave no day of payment."""
    return invoice.status == Invoice.Status.PAID and not is_credited_whole(invoice)


def _notes_json(invoice: Invoice) -> list[dict[str, Any]]:
    """Its credit notes, oldest first; sorted here, since they were fetched for a page."""
    notes = sorted(invoice.credit_notes.all(), key=lambda note: note.pk)
    return [_note_json(note) for note in notes]


def _note_json(note: CreditNote) -> dict[str, Any]:
    return {
        "number": note.number,
        "total_usd": to_decimal_text(note.total_nanos),
        "reason": note.reason,
        "issued_at": note.issued_at,
    }


@router.get(
    "/invoices",
    response={200: InvoiceList, **ERRORS},
    summary="Issued invoices, newest first",
)
def invoices(request: HttpRequest, cursor: Cursor = None) -> dict[str, Any]:
    """Pages of 100; `next_cursor` of one call is the `cursor` of the next.

    Prepaid months have none.
    """
    newest_first = (
        invoices_of(organization_of(request).pk)
        .prefetch_related("credit_notes")
        .order_by("-sequence")
    )
    if cursor:
        newest_first = newest_first.filter(sequence__lt=int(cursor))
    # One more than the page, to know whether there is another.
    ahead = list(newest_first[: PAGE + 1])
    page = ahead[:PAGE]
    return {
        "results": [invoice_json(row) for row in page],
        "next_cursor": str(page[-1].sequence) if len(ahead) > PAGE else None,
    }


@router.get(
    "/invoices/{number}",
    response={200: InvoiceWithLines, **ERRORS},
    summary="One invoice with its lines",
)
def invoice(
    request: HttpRequest,
    number: Annotated[str, Path(max_length=80)],
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Up to 1,000 lines a call; `next_cursor` of one call is the `cursor` of the next."""
    row = _invoice_named(number, organization_id=organization_of(request).pk)
    lines = row.lines.filter(position__gt=int(cursor or 0)).order_by("position")
    ahead = list(lines[: LINES + 1])
    page = ahead[:LINES]
    return invoice_json(row) | {
        "lines": [_line_json(line) for line in page],
        "next_cursor": str(page[-1].position) if len(ahead) > LINES else None,
    }


def _invoice_named(number: str, *, organization_id: int) -> Invoice:
    """Raises BusinessError `invoice_not_found`."""
    # PostgreSQL takes no NUL inside a text.
    row = invoices_of(organization_id).filter(number=number.replace("\0", "")).first()
    if row is None:
        raise BusinessError(
            _("No invoice “%(number)s”.") % {"number": number},
            code="invoice_not_found",
            status=404,
        )
    return row


def _line_json(line: InvoiceLine) -> dict[str, Any]:
    return {
        "position": line.position,
        "kind": line.kind,
        "member": line.membership_id,
        "email": line.member_email or None,
        "surface": line.surface or None,
        "model": line.model or None,
        "events": line.events,
        "exact_usd": to_decimal_text(line.exact_nanos),
        "amount_usd": to_decimal_text(line.amount_nanos),
        "about": line.about or None,
        "reason": correction_reason_in_english(line.reason) or None,
    }
