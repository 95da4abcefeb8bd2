"""Invoices, credit notes and statements as pages, PDFs and CSVs. Owners only.

Each line of an invoice leads to the events or corrections behind it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Sum
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.documents.print.documents import (
    printed_credit_note,
    printed_invoice,
    printed_statement,
)
from billing.documents.print.kept import kept_pdf
from billing.documents.print.layout import PrintedDocument
from billing.documents.print.typst import BeyondBounds, PrintersBusy
from billing.documents.queries import documents
from billing.documents.queries.usage_behind import adjustments_behind, events_behind
from billing.documents.views.csv import events_csv, lines_csv, statement_csv
from billing.documents.words.documents import (
    line_text,
    more_models_text,
    pay_text,
    state_text,
    statement_rows,
    tax_text,
)
from billing.documents.words.money_back import money_back_sentences
from billing.models import Invoice, InvoiceLine, Statement
from billing.prices.words import correction_reason_text
from config.kit.later import later_page, much_to_make
from config.kit.months import local_day, month_from_text

HAS_EVENTS = (InvoiceLine.Kind.USAGE, InvoiceLine.Kind.CORRECTION)


def invoice_of(membership: Membership, number: str) -> Invoice:
    """An issued invoice of the organization. Raises Http404."""
    invoices = documents.invoices_of(membership.organization_id).select_related(
        "organization", "carried_from", "settled_by"
    )
    return get_object_or_404(invoices, number=number)


@member_page(Role.OWNER)
@require_safe
def invoice_page(
    request: HttpRequest, membership: Membership, number: str
) -> HttpResponse:
    """One invoice: what is to pay, what it is made of, every line."""
    invoice = invoice_of(membership, number)
    lines = invoice.lines.select_related("invoice__carried_from").order_by("position")
    page = documents.page_of(lines, page=request.GET.get("page"))
    notes = documents.credit_notes_of(membership.organization_id)
    today = local_day(timezone.now(), invoice.zone)
    models, more = documents.with_end(
        documents.sums_by_model(invoice), most=documents.PAGE_SIZE
    )
    context = {
        "invoice": invoice,
        "organization": invoice.organization,
        "state_words": state_text(invoice),
        "credited_nanos": documents.credited_nanos(invoice),
        "owed_nanos": documents.owed_nanos(invoice),
        "is_overdue": documents.is_overdue(invoice, today=today),
        "tax_words": tax_text(invoice),
        "models": models,
        "more_models": more,
        "more_models_words": more_models_text(more.rows) if more else "",
        "people": documents.members_billed(invoice),
        "lines": _with_sums(invoice, list(page)),
        "ways_to_pay": pay_text(invoice),
        "lines_page": page,
        "notes": notes.filter(invoice=invoice).order_by("pk"),
        "money_back": list(money_back_sentences(invoice)),
        "statement": documents.statements_of(membership.organization_id)
        .exclude(charges_nanos=0)
        .filter(month_on=invoice.month_on)
        .first(),
    }
    return render(request, "billing/documents/invoice.html", context)


def _with_sums(
    invoice: Invoice, lines: list[InvoiceLine]
) -> list[tuple[InvoiceLine, str, int]]:
    """Lines with their words, and what their person's usage or corrections come to."""
    sums = documents.sums_by_member(invoice, lines)
    return [
        (
            line,
            line_text(line),
            sums[(line.kind if line.membership_id else "", line.membership_id)],
        )
        for line in lines
    ]


@member_page(Role.OWNER)
@require_safe
def invoice_line(
    request: HttpRequest, membership: Membership, number: str, position: int
) -> HttpResponse:
    """The events whose sum one line is; for a correction, the differences."""
    invoice = invoice_of(membership, number)
    if position >= 2**31:  # beyond the column, where PostgreSQL would fail
        raise Http404
    line = get_object_or_404(
        invoice.lines.select_related("invoice__carried_from"),
        position=position,
        kind__in=HAS_EVENTS,
    )
    behind, total_nanos = _behind(line)
    context = {
        "invoice": invoice,
        "organization": invoice.organization,
        "line": line,
        "what": line_text(line),
        "reason": correction_reason_text(line.reason),
        "total_nanos": total_nanos,
        "receipts_query": _receipts_query(line),
        "behind": documents.page_of(behind, page=request.GET.get("page")),
    }
    return render(request, "billing/documents/invoice_line.html", context)


def _receipts_query(line: InvoiceLine) -> str:
    """What narrows the person's receipts to those of the line."""
    query = QueryDict(mutable=True)
    query["range"] = f"{line.invoice.month_on:%Y-%m}"
    query.update({"paid": "extra", "model": line.model, "surface": line.surface})
    return query.urlencode()


def _behind(line: InvoiceLine) -> tuple[QuerySet[Any], int]:
    """The events or differences a line is made of, and their sum in nano-USD."""
    rows: QuerySet[Any]
    if line.kind == InvoiceLine.Kind.USAGE:
        rows = events_behind(line)
        amount = "line_nanos"
    else:
        rows = adjustments_behind(line)
        amount = "amount_nanos"
    return rows, rows.aggregate(sum=Sum(amount))["sum"] or 0


@member_page(Role.OWNER)
@require_safe
@much_to_make
def invoice_pdf(
    request: HttpRequest, membership: Membership, number: str
) -> HttpResponse:
    """The invoice on paper, in the reader's language."""
    document = printed_invoice(invoice_of(membership, number))
    return pdf_response(request, document, name=number)


@member_page(Role.OWNER)
@require_safe
@much_to_make
def invoice_lines_csv(
    request: HttpRequest, membership: Membership, number: str
) -> StreamingHttpResponse:
    """Every line, exact to nine places."""
    return lines_csv(invoice_of(membership, number))


@member_page(Role.OWNER)
@require_safe
@much_to_make
def invoice_events_csv(
    request: HttpRequest, membership: Membership, number: str
) -> StreamingHttpResponse:
    """Every event and difference behind the lines."""
    return events_csv(invoice_of(membership, number))


@member_page(Role.OWNER)
@require_safe
@much_to_make
def credit_note_pdf(
    request: HttpRequest, membership: Membership, number: str
) -> HttpResponse:
    """A credit note on paper."""
    notes = documents.credit_notes_of(membership.organization_id)
    note = get_object_or_404(notes.select_related("organization"), number=number)
    return pdf_response(request, printed_credit_note(note), name=number)


def statement_of(membership: Membership, month: str) -> Statement:
    """The organization's statement of a month written `2026-11`. Raises Http404."""
    statements = documents.statements_of(membership.organization_id)
    return get_object_or_404(
        statements.select_related("organization"), month_on=month_from_text(month)
    )


@member_page(Role.OWNER)
@require_safe
def statement_page(
    request: HttpRequest, membership: Membership, month: str
) -> HttpResponse:
    """One statement: opening, movements, closing, and usage by person."""
    statement = statement_of(membership, month)
    lines = documents.lines_of(statement)
    context: dict[str, Any] = {
        "statement": statement,
        "organization": statement.organization,
        "rows": statement_rows(statement),
        "lines": documents.page_of(lines, page=request.GET.get("page")),
        "invoice": documents.invoices_of(membership.organization_id)
        .filter(month_on=statement.month_on)
        .first(),
    }
    return render(request, "billing/documents/statement.html", context)


@member_page(Role.OWNER)
@require_safe
@much_to_make
def statement_pdf(
    request: HttpRequest, membership: Membership, month: str
) -> HttpResponse:
    """The statement on paper."""
    statement = statement_of(membership, month)
    name = f"{statement.organization.slug}-{statement.month_on:%Y-%m}"
    return pdf_response(request, printed_statement(statement), name=name)


@member_page(Role.OWNER)
@require_safe
@much_to_make
def statement_entries_csv(
    request: HttpRequest, membership: Membership, month: str
) -> StreamingHttpResponse:
    """Every ledger entry of the month, between its opening and its closing balance."""
    return statement_csv(statement_of(membership, month))


# After how long it is worth trying again, in seconds: when others' documents are ready,
# and when what was beyond its bounds is tried anew.
BUSY_SECONDS, BEYOND_SECONDS = 5, 300


def pdf_response(
    request: HttpRequest, document: PrintedDocument, *, name: str
) -> HttpResponse:
    """A document as a PDF that opens in the browser; 503 where it can't be made now."""
    try:
        pdf = kept_pdf(document)
    except PrintersBusy:
        return later_page(request, status=503, seconds=BUSY_SECONDS)
    except BeyondBounds:
        return later_page(request, status=503, seconds=BEYOND_SECONDS, is_too_long=True)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response
