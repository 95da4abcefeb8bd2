"""Who writes the mails of invoices, credit notes and statements, each with its PDF: to
owners and the billing address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.delivery import MailText, writes
from accounts.models import Membership, OutgoingMail
from billing.documents.actions.issuing import CREDIT_NOTE, INVOICE, STATEMENT
from billing.documents.print.documents import (
    printed_credit_note,
    printed_invoice,
    printed_statement,
)
from billing.documents.print.layout import Printed, pdf_of
from billing.documents.queries.documents import sums_by_model
from billing.documents.words import statement_rows, tax_text
from billing.models import CreditNote, Invoice, Statement
from billing.payments.mails.frame import in_words_of_recipient
from config.kit.dates import format_day, month_text
from config.kit.links import page_url
from config.kit.mailer import Attachment
from config.kit.money import format_usd
from config.kit.months import local_day

MODELS = 5


@dataclass(frozen=True, slots=True)
class Words:
    """One mail: the number first, what it is made of, where to look, and the document
    itself.
    """

    title: str
    lines: list[str]
    rows: list[tuple[str, str]]
    button: str
    link: str
    document: Printed


def _letter(
    mail: OutgoingMail, write: Callable[[OutgoingMail], Words]
) -> MailText | None:
    """A document in its mail, attached as PDF, to an owner or the billing address."""

    def in_template(owner: Membership | None) -> MailText:
        words = write(mail)
        name = f"{words.document.title}-{words.document.number}".replace(" ", "-")
        file = Attachment(f"{name}.pdf", pdf_of(words.document), "application/pdf")
        context = {
            "organization": mail.organization,
            "words": words,
            "why": _why(mail, to_owner=owner is not None),
        }
        return MailText("document", context, attachments=(file,))

    return in_words_of_recipient(mail, in_template)


def _why(mail: OutgoingMail, *, to_owner: bool) -> str:
    """Why somebody gets it."""
    name = {"name": mail.organization.name}
    if to_owner:
        return _("You're receiving this because you are an owner of %(name)s.") % name
    return (
        _(
            "You're receiving this because this is the billing address of "
            "%(name)s. Its owners can change it."
        )
        % name
    )


@writes(INVOICE)
def invoice_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """An invoice with its largest models."""
    return _letter(mail, _invoice)


def _invoice(mail: OutgoingMail) -> Words:
    invoice = Invoice.objects.select_related("organization", "carried_from").get(
        pk=mail.facts["invoice"]
    )
    words = {
        "name": mail.organization.name,
        "month": month_text(invoice.month_on),
        "total": format_usd(invoice.total_nanos),
        "number": invoice.number,
        "due": format_day(invoice.due_on) if invoice.due_on else "",
    }
    lines = [_("Invoice %(number)s is attached, due on %(due)s.") % words]
    if invoice.status != Invoice.Status.OPEN:
        lines = [_("Invoice %(number)s is attached. There is nothing to pay.") % words]
    if invoice.seller.get("note"):
        lines.append(str(invoice.seller["note"]))
    sums = sums_by_model(invoice)
    rows = [
        (f"{one.surface_label} · {one.model}", format_usd(one.amount_nanos))
        for one in sums[:MODELS]
    ]
    if sums[MODELS:]:
        rows.append(
            (
                _("Other models"),
                format_usd(sum(one.amount_nanos for one in sums[MODELS:])),
            )
        )
    others = invoice.subtotal_nanos - sum(one.amount_nanos for one in sums)
    rows += [(_("Corrections and carryover"), format_usd(others))] if others else []
    rows += (
        [(tax_text(invoice), format_usd(invoice.tax_nanos))] if invoice.tax_rate else []
    )
    rows.append((_("Total"), str(words["total"])))
    return Words(
        _("%(total)s for %(name)s: extra usage in %(month)s") % words,
        lines,
        rows,
        _("See every line"),
        page_url("invoice", mail.organization.slug, invoice.number),
        printed_invoice(invoice),
    )


@writes(CREDIT_NOTE)
def credit_note_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A credit note with its reason."""
    return _letter(mail, _credit_note)


def _credit_note(mail: OutgoingMail) -> Words:
    note = CreditNote.objects.select_related("organization", "invoice").get(
        pk=mail.facts["credit_note"]
    )
    words = {
        "name": mail.organization.name,
        "total": format_usd(note.total_nanos),
        "number": note.number,
        "invoice": note.invoice.number,
        "reason": note.reason,
        "day": format_day(local_day(note.issued_at, note.invoice.zone)),
    }
    lines = [
        _("Credit note %(number)s of %(day)s is attached. Reason: %(reason)s") % words
    ]
    rows = [(_("Invoice"), note.invoice.number), (_("Credited"), str(words["total"]))]
    return Words(
        _("%(total)s credited to %(name)s on %(invoice)s") % words,
        lines,
        rows,
        _("See the invoice"),
        page_url("invoice", mail.organization.slug, note.invoice.number),
        printed_credit_note(note),
    )


@writes(STATEMENT)
def statement_letter(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A statement from opening to closing balance."""
    return _letter(mail, _statement)


def _statement(mail: OutgoingMail) -> Words:
    statement = Statement.objects.select_related("organization").get(
        pk=mail.facts["statement"]
    )
    words = {
        "name": mail.organization.name,
        "month": month_text(statement.month_on),
        "used": format_usd(-statement.charges_nanos),
        "closing": format_usd(statement.closing_nanos),
    }
    rows = [
        (_("Opening balance"), format_usd(statement.opening_nanos)),
        *((label, format_usd(nanos)) for label, nanos in statement_rows(statement)),
        (_("Closing balance"), str(words["closing"])),
    ]
    return Words(
        _("%(used)s of extra usage by %(name)s in %(month)s") % words,
        [
            _(
                "The statement is attached. There is nothing to pay: the usage was "
                "deducted from the balance."
            )
        ],
        rows,
        _("See the statement"),
        page_url("statement", mail.organization.slug, str(statement)),
        printed_statement(statement),
    )
