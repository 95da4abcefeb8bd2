"""Invoices, credit notes, statements and receipts as printed documents, in the active language.

Puts rows and words in their places; computes nothing new. Days are those of the
document's own time zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.documents.print.layout import Line, PrintedDocument
from billing.documents.queries.documents import (
    ModelSum,
    Rest,
    corrections_by_model,
    lines_of,
    sums_by_model,
    with_end,
)
from billing.documents.words.documents import (
    Row,
    carryover_text,
    correction_text,
    credit_note_headline,
    credit_note_totals,
    day_in_zone,
    due_text,
    invoice_headline,
    invoice_notes,
    invoice_totals,
    line_text,
    member_text,
    model_text,
    more_corrections_text,
    more_models_text,
    period_text,
    stamp_text,
    statement_headline,
    statement_notes,
    statement_rows,
)
from billing.documents.words.receipts import (
    bought_text,
    receipt_facts,
    receipt_headline,
    receipt_notes,
    receipt_totals,
)
from billing.models import (
    CreditNote,
    Invoice,
    InvoiceLine,
    PurchaseReceipt,
    Statement,
    StatementLine,
)
from billing.payments.parties import address_lines, buyer_of, seller
from config.kit.dates import month_text
from config.kit.money import format_usd

# More lines than this make a PDF nobody reads; then it has the sums, and the CSV every line.
PRINTED_LINES = 1_000
# Two pages of models; what the others came to is one row.
PRINTED_MODELS = 60


def printed_invoice(invoice: Invoice) -> PrintedDocument:
    """An invoice with its lines by person, or, when they are too many, by model."""
    count = invoice.lines.count()
    if count <= PRINTED_LINES:
        lines = _lines_by_person(invoice)
        summed_lines = 0
    else:
        lines = _lines_by_model(invoice)
        summed_lines = count
    return PrintedDocument(
        title=_("Invoice"),
        number=invoice.number,
        stamp=stamp_text(invoice),
        headline=invoice_headline(invoice),
        facts=_invoice_facts(invoice),
        columns=(_("What"), _("Requests"), _("Amount")),
        right=(1,),
        lines=tuple(lines),
        totals=_totals(invoice_totals(invoice)),
        notes=tuple(invoice_notes(invoice, summed_lines=summed_lines)),
        created_at=invoice.issued_at,
        **_parties(invoice.seller, invoice.buyer),
    )


def _invoice_facts(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    facts = (
        (_("Date"), day_in_zone(invoice.issued_at, invoice.zone)),
        (_("Due"), due_text(invoice)),
        (_("Period"), period_text(invoice)),
        (_("Your reference"), str(invoice.buyer.get("reference", ""))),
    )
    return tuple((label, text) for label, text in facts if text)


def _parties(seller_data: dict[str, Any], buyer_data: dict[str, Any]) -> dict[str, Any]:
    return {
        "language": (get_language() or "en")[:2],
        "seller": tuple(address_lines(seller_data)),
        "buyer_label": _("Billed to"),
        "buyer": tuple(address_lines(buyer_data)),
        "page_words": _("Page {page} of {pages}"),
    }


def _totals(rows: Iterable[Row]) -> tuple[tuple[str, str, bool], ...]:
    """Rows below the lines as label, amount, and whether it stands out: the last does."""
    *before, (label, nanos) = rows
    return (
        *((label, format_usd(nanos), False) for label, nanos in before),
        (label, format_usd(nanos), True),
    )


def _lines_by_person(invoice: Invoice) -> Iterator[Line]:
    in_order = invoice.lines.select_related("invoice__carried_from").order_by(
        "position"
    )
    groups = groupby(in_order, key=_group_of)
    for (kind, member), group in groups:
        lines = list(group)
        yield _group_head(kind, member, lines)
        for line in lines:
            events = f"{line.events:,}" if line.events else ""
            yield Line((line_text(line), events, format_usd(line.amount_nanos)))


def _group_of(line: InvoiceLine) -> tuple[str, str]:
    """A person's usage, a person's corrections, or what nobody in particular is billed."""
    member = member_text(line)
    return (line.kind if member else "", member)


def _group_head(kind: str, member: str, lines: list[InvoiceLine]) -> Line:
    if not member:
        title = carryover_text()
    elif kind == InvoiceLine.Kind.CORRECTION:
        title = _("Corrections: %(person)s") % {"person": member}
    else:
        title = member
    total = sum(line.amount_nanos for line in lines)
    return Line((title, "", format_usd(total)), is_group=True)


def _lines_by_model(invoice: Invoice) -> Iterator[Line]:
    models, more_models = with_end(sums_by_model(invoice), most=PRINTED_MODELS)
    for used in models:
        yield _sum_line(model_text(used.surface, used.model), used)
    if more_models:
        yield _sum_line(more_models_text(more_models.rows), more_models)
    corrections, more = with_end(corrections_by_model(invoice), most=PRINTED_MODELS)
    for corrected in corrections:
        about = model_text(corrected.surface, corrected.model)
        yield _sum_line(correction_text(about, reason=corrected.reason), corrected)
    if more:
        yield _sum_line(more_corrections_text(more.rows), more)
    carried = invoice.lines.filter(kind__startswith="carried").order_by("position")
    for line in carried.select_related("invoice__carried_from"):
        yield Line((line_text(line), "", format_usd(line.amount_nanos)))


def _sum_line(text: str, sums: ModelSum | Rest) -> Line:
    return Line((text, f"{sums.events:,}", format_usd(sums.amount_nanos)))


def printed_credit_note(note: CreditNote) -> PrintedDocument:
    """A credit note: what, of which invoice, and why."""
    invoice = note.invoice
    return PrintedDocument(
        title=_("Credit note"),
        number=note.number,
        stamp="",
        headline=credit_note_headline(note),
        facts=(
            (_("Date"), day_in_zone(note.issued_at, invoice.zone)),
            (_("Invoice"), invoice.number),
            (_("Period"), month_text(invoice.month_on)),
        ),
        columns=(_("Reason"), _("Amount")),
        lines=(Line((note.reason, format_usd(note.subtotal_nanos))),),
        totals=_totals(credit_note_totals(note)),
        notes=(),
        created_at=note.issued_at,
        **_parties(
            invoice.seller or seller(), invoice.buyer or buyer_of(note.organization)
        ),
    )


def printed_receipt(receipt: PurchaseReceipt) -> PrintedDocument:
    """A receipt: what was paid, and the tax in it."""
    return PrintedDocument(
        title=_("Receipt"),
        number=receipt.number,
        stamp=_("Paid"),
        headline=receipt_headline(receipt),
        facts=tuple(receipt_facts(receipt)),
        columns=(_("What"), _("Amount")),
        lines=(Line((bought_text(), format_usd(receipt.subtotal_nanos))),),
        totals=_totals(receipt_totals(receipt)),
        notes=tuple(receipt_notes(receipt)),
        created_at=receipt.issued_at,
        **_parties(receipt.seller, receipt.buyer),
    )


def printed_statement(statement: Statement) -> PrintedDocument:
    """A statement: from opening to closing balance, then usage by person.

    With too many people for paper it has the balances alone.
    """
    people = list(lines_of(statement)[: PRINTED_LINES + 1])
    has_people = len(people) <= PRINTED_LINES
    if not has_people:
        people = []
    balances = [
        (_("Opening balance"), statement.opening_nanos),
        *statement_rows(statement),
    ]
    return PrintedDocument(
        title=_("Statement"),
        number=month_text(statement.month_on),
        stamp="",
        headline=statement_headline(statement),
        facts=(
            (_("Date"), day_in_zone(statement.issued_at, statement.zone)),
            (_("Period"), period_text(statement)),
        ),
        columns=(_("What"), _("Amount")),
        lines=(
            *(Line((label, format_usd(nanos))) for label, nanos in balances),
            *_people_lines(people, total_nanos=statement.charges_nanos),
        ),
        totals=_totals([(_("Closing balance"), statement.closing_nanos)]),
        notes=tuple(statement_notes(has_people=has_people)),
        created_at=statement.issued_at,
        **_parties(statement.seller, statement.buyer),
    )


def _people_lines(people: list[StatementLine], *, total_nanos: int) -> Iterator[Line]:
    if people:
        yield Line((_("Usage by person"), format_usd(total_nanos)), is_group=True)
    for person in people:
        yield Line((member_text(person), format_usd(person.charges_nanos)))
