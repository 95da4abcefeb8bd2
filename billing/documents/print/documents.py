"""Invoices, credit notes and statements as printed documents, in the active language.

Formats; computes nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.documents.parties import address_lines, buyer_of, seller
from billing.documents.print.layout import Line, Printed
from billing.documents.queries.documents import (
    corrections_by_model,
    credited_nanos,
    is_credited_whole,
    lines_of,
    sums_by_model,
)
from billing.documents.words import (
    credit_headline,
    invoice_headline,
    line_what,
    statement_rows,
    tax_text,
)
from billing.models import CreditNote, Invoice, InvoiceLine, Statement, StatementLine
from billing.prices.words import correction_reason_text
from config.kit.dates import format_day, month_text
from config.kit.money import format_usd
from config.kit.months import local_day

# More lines than this make a PDF nobody reads; then it has the sums, and the CSV every line.
PRINTED_LINES = 2_000


def printed_invoice(invoice: Invoice) -> Printed:
    """An invoice with its lines by person, or, when they are too many, by model."""
    credited = credited_nanos(invoice)
    count = invoice.lines.count()
    is_short = count <= PRINTED_LINES
    facts = [
        (
            _("Date"),
            (
                format_day(local_day(invoice.issued_at, invoice.zone))
                if invoice.issued_at
                else ""
            ),
        ),
        (_("Due"), format_day(invoice.due_on) if invoice.due_on else ""),
        (_("Period"), f"{month_text(invoice.month_on)} ({invoice.zone})"),
        (_("Your reference"), str(invoice.buyer.get("reference", ""))),
    ]
    notes = [
        _(
            "Each line is summed exactly and rounded to cents; the rounding "
            "difference is carried over to the next invoice."
        )
    ]
    if not is_short:
        notes.insert(
            0,
            _("Summed by model; the CSV of this invoice has all %(count)s lines.")
            % {"count": f"{count:,}"},
        )
    if invoice.seller.get("note"):
        notes.insert(0, str(invoice.seller["note"]))
    return Printed(
        title=_("Invoice"),
        number=invoice.number,
        stamp=_stamp(invoice),
        headline=invoice_headline(invoice, credited_nanos=credited),
        facts=tuple(fact for fact in facts if fact[1]),
        columns=(_("What"), _("Requests"), _("Amount")),
        right=(1,),
        lines=tuple(_invoice_lines(invoice) if is_short else _model_lines(invoice)),
        totals=tuple(_totals(invoice, credited=credited)),
        notes=tuple(notes),
        created_at=invoice.issued_at,
        **_parties(invoice.seller, invoice.buyer),
    )


def _parties(seller_data: dict[str, Any], buyer_data: dict[str, Any]) -> dict[str, Any]:
    return {
        "language": (get_language() or "en")[:2],
        "seller": tuple(address_lines(seller_data)),
        "buyer_label": _("Billed to"),
        "buyer": tuple(address_lines(buyer_data)),
        "page_words": _("Page {page} of {pages}"),
    }


def _stamp(invoice: Invoice) -> str:
    if is_credited_whole(invoice):
        return _("Credited")
    return (
        str(invoice.get_status_display())
        if invoice.status in (Invoice.Status.PAID, Invoice.Status.VOID)
        else ""
    )


def _invoice_lines(invoice: Invoice) -> Iterator[Line]:
    lines = invoice.lines.select_related("invoice__carried_from").order_by("position")
    for (kind, person), group in groupby(
        lines, key=lambda line: (line.kind, _person(line))
    ):
        found = list(group)
        if person:
            title = (
                person
                if kind == InvoiceLine.Kind.USAGE
                else _("Corrections: %(person)s") % {"person": person}
            )
            yield Line(
                (title, "", format_usd(sum(one.amount_nanos for one in found))),
                is_group=True,
            )
        for one in found:
            yield Line(
                (
                    line_what(one),
                    f"{one.events:,}" if one.events else "",
                    format_usd(one.amount_nanos),
                )
            )


def _person(line: InvoiceLine) -> str:
    if not line.membership_id:
        return ""
    return (
        f"{line.member_name} ({line.member_email})"
        if line.member_name
        else line.member_email
    )


def _model_lines(invoice: Invoice) -> Iterator[Line]:
    for one in sums_by_model(invoice):
        yield Line(
            (
                f"{one.surface_label} · {one.model}",
                f"{one.events:,}",
                format_usd(one.amount_nanos),
            )
        )
    for corrected in corrections_by_model(invoice):
        words = {
            "events": f"{corrected.surface_label} · {corrected.model}",
            "reason": correction_reason_text(corrected.reason),
        }
        what = _("Correction of %(events)s: %(reason)s") % words
        yield Line((what, f"{corrected.events:,}", format_usd(corrected.amount_nanos)))
    carried = invoice.lines.filter(kind__startswith="carried").select_related(
        "invoice__carried_from"
    )
    for line in carried.order_by("position"):
        yield Line((line_what(line), "", format_usd(line.amount_nanos)))


def _totals(invoice: Invoice, *, credited: int) -> Iterator[tuple[str, str, bool]]:
    if invoice.tax_rate:
        yield _("Subtotal"), format_usd(invoice.subtotal_nanos), False
        yield tax_text(invoice), format_usd(invoice.tax_nanos), False
    yield _("Total"), format_usd(invoice.total_nanos), not credited
    if credited:
        yield _("Credited"), format_usd(-credited), False
        yield (
            (
                _("Amount due")
                if invoice.status == Invoice.Status.OPEN
                else _("After credits")
            ),
            format_usd(invoice.total_nanos - credited),
            True,
        )


def printed_credit_note(note: CreditNote) -> Printed:
    """A credit note: what, of which invoice, and why."""
    invoice = note.invoice
    totals: list[tuple[str, str, bool]] = []
    if note.tax_nanos:
        totals = [
            (_("Subtotal"), format_usd(note.subtotal_nanos), False),
            (tax_text(invoice), format_usd(note.tax_nanos), False),
        ]
    return Printed(
        title=_("Credit note"),
        number=note.number,
        stamp="",
        headline=credit_headline(note),
        facts=(
            (_("Date"), format_day(local_day(note.issued_at, invoice.zone))),
            (_("Invoice"), invoice.number),
            (_("Period"), month_text(invoice.month_on)),
        ),
        columns=(_("Reason"), _("Amount")),
        lines=(Line((note.reason, format_usd(note.subtotal_nanos))),),
        totals=(*totals, (_("Total credited"), format_usd(note.total_nanos), True)),
        notes=(),
        created_at=note.issued_at,
        **_parties(
            invoice.seller or seller(), invoice.buyer or buyer_of(note.organization)
        ),
    )


def printed_statement(statement: Statement) -> Printed:
    """A statement: from opening to closing balance, then usage by person."""
    rows = [(_("Opening balance"), statement.opening_nanos), *statement_rows(statement)]
    people = list(lines_of(statement)[: PRINTED_LINES + 1])
    notes = [_("Amounts are kept to the nano-dollar and shown in cents.")]
    if len(people) > PRINTED_LINES:
        people = people[:0]
        notes.insert(0, _("The CSV of this statement shows each person's usage."))
    return Printed(
        title=_("Statement"),
        number=month_text(statement.month_on),
        stamp="",
        headline=_("%(amount)s at the end of %(month)s")
        % {
            "amount": format_usd(statement.closing_nanos),
            "month": month_text(statement.month_on),
        },
        facts=(
            (_("Date"), format_day(local_day(statement.issued_at, statement.zone))),
            (_("Period"), f"{month_text(statement.month_on)} ({statement.zone})"),
        ),
        columns=(_("What"), _("Amount")),
        lines=(
            *(Line((label, format_usd(nanos))) for label, nanos in rows),
            *_people(people, statement),
        ),
        totals=((_("Closing balance"), format_usd(statement.closing_nanos), True),),
        notes=tuple(notes),
        created_at=statement.issued_at,
        **_parties(statement.seller, statement.buyer),
    )


def _people(people: list[StatementLine], statement: Statement) -> Iterator[Line]:
    if people:
        yield Line(
            (_("Usage by person"), format_usd(statement.charges_nanos)), is_group=True
        )
    for line in people:
        yield Line(
            (
                f"{line.member_name} ({line.member_email})",
                format_usd(line.charges_nanos),
            )
        )
