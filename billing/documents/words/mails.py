"""What the mails of invoices, credit notes and statements say, in the active language.

The number comes first, then what it is made of. Amounts go out of here in nano-USD.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from billing.documents.queries.documents import ModelSum, sums_by_model
from billing.documents.words.documents import (
    Row,
    day_in_zone,
    due_text,
    model_text,
    statement_rows,
    tax_text,
)
from billing.models import CreditNote, Invoice, Statement
from config.kit.dates import month_text
from config.kit.money import format_usd

# A mail names this many models; what the others came to is one row.
MODELS_IN_MAIL = 5


def invoice_subject(invoice: Invoice) -> str:
    """The subject of an invoice's mail, its number first."""
    return _("%(total)s for %(name)s: extra usage in %(month)s") % {
        "total": format_usd(invoice.total_nanos),
        "name": invoice.organization.name,
        "month": month_text(invoice.month_on),
    }


def invoice_sentences(invoice: Invoice) -> Iterator[str]:
    """What an invoice's mail says before its rows."""
    facts = {"number": invoice.number, "due": due_text(invoice)}
    if invoice.status == Invoice.Status.OPEN:
        yield _("Invoice %(number)s is attached, due on %(due)s.") % facts
    else:
        yield _("Invoice %(number)s is attached. There is nothing to pay.") % facts
    if invoice.seller.get("note"):
        yield str(invoice.seller["note"])


def invoice_unprinted(invoice: Invoice) -> str:
    """The same where there is no PDF."""
    facts = {"number": invoice.number, "due": due_text(invoice)}
    if invoice.status == Invoice.Status.OPEN:
        return (
            _(
                "Invoice %(number)s is due on %(due)s. It is too long to attach as a PDF; its"
                " page has every line."
            )
            % facts
        )
    return (
        _(
            "There is nothing to pay of invoice %(number)s. It is too long to attach as a PDF;"
            " its page has every line."
        )
        % facts
    )


def invoice_rows(invoice: Invoice) -> Iterator[Row]:
    """What an invoice's mail adds up: its largest models, the rest, tax and total."""
    sums = sums_by_model(invoice)
    for row in sums[:MODELS_IN_MAIL]:
        yield model_text(row.surface, row.model), row.amount_nanos
    if sums[MODELS_IN_MAIL:]:
        yield _("Other models"), _billed_nanos(sums[MODELS_IN_MAIL:])
    others = invoice.subtotal_nanos - _billed_nanos(sums)
    if others:
        yield _("Corrections and carryover"), others
    if invoice.tax_rate:
        yield tax_text(invoice), invoice.tax_nanos
    yield _("Total"), invoice.total_nanos


def _billed_nanos(sums: list[ModelSum]) -> int:
    return sum(row.amount_nanos for row in sums)


def credit_note_rows(note: CreditNote) -> list[tuple[str, str]]:
    """Which invoice a credit note's mail is about, and how much."""
    return [
        (_("Invoice"), note.invoice.number),
        (_("Credited"), format_usd(note.total_nanos)),
    ]


def credit_note_subject(note: CreditNote) -> str:
    """The subject of a credit note's mail, its number first."""
    return _("%(total)s credited to %(name)s on %(invoice)s") % {
        "total": format_usd(note.total_nanos),
        "name": note.organization.name,
        "invoice": note.invoice.number,
    }


def credit_note_sentence(note: CreditNote) -> str:
    """What a credit note's mail says before its rows."""
    return _("Credit note %(number)s of %(day)s is attached. Reason: %(reason)s") % {
        "number": note.number,
        "day": day_in_zone(note.issued_at, note.invoice.zone),
        "reason": note.reason,
    }


def credit_note_unprinted(note: CreditNote) -> str:
    """The same where there is no PDF."""
    return _(
        "Credit note %(number)s of %(day)s is on the page of its invoice. Reason: %(reason)s"
    ) % {
        "number": note.number,
        "day": day_in_zone(note.issued_at, note.invoice.zone),
        "reason": note.reason,
    }


def statement_subject(statement: Statement) -> str:
    """The subject of a statement's mail, its number first."""
    return _("%(used)s of extra usage by %(name)s in %(month)s") % {
        "used": format_usd(-statement.charges_nanos),
        "name": statement.organization.name,
        "month": month_text(statement.month_on),
    }


def statement_sentence() -> str:
    """What a statement's mail says before its rows."""
    return _(
        "The statement is attached. There is nothing to pay: the usage was "
        "deducted from the balance."
    )


def statement_unprinted() -> str:
    """The same where there is no PDF."""
    return _(
        "There is nothing to pay: the usage was deducted from the balance. The statement is"
        " too long to attach as a PDF; its page has every line."
    )


def statement_balances(statement: Statement) -> list[Row]:
    """What a statement's mail adds up, from the opening to the closing balance."""
    return [
        (_("Opening balance"), statement.opening_nanos),
        *statement_rows(statement),
        (_("Closing balance"), statement.closing_nanos),
    ]


def why_text(organization_name: str, *, is_owner: bool) -> str:
    """Why somebody is mailed documents: as an owner, or as the billing address."""
    facts = {"name": organization_name}
    if is_owner:
        return _("You're receiving this because you are an owner of %(name)s.") % facts
    return (
        _(
            "You're receiving this because this is the billing address of "
            "%(name)s. Its owners can change it."
        )
        % facts
    )
