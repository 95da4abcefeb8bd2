"""Writes the mails of invoices, credit notes, statements and purchases, each with its PDF.

They go to owners and to the billing address, in the recipient's language.
`billing.documents.words.mails` chooses the sentences.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.delivery import MailText, in_frame, writes
from accounts.models import Membership, OutgoingMail
from billing.documents.actions.issuing import CREDIT_NOTE, INVOICE, STATEMENT
from billing.documents.mails.unprinted import tell_operators
from billing.documents.print.documents import (
    printed_credit_note,
    printed_invoice,
    printed_receipt,
    printed_statement,
)
from billing.documents.print.kept import kept_pdf
from billing.documents.print.layout import PrintedDocument
from billing.documents.print.typst import BeyondBounds
from billing.documents.words import mails as words
from billing.documents.words.documents import Row
from billing.models import CreditNote, Invoice, PurchaseReceipt, Statement
from billing.payments.actions.owner_mails import PAID
from billing.payments.mails.frame import in_words_of_recipient
from billing.payments.mails.purchases import paid_mail
from config.kit.letters import Fact, Letter, Press
from config.kit.links import page_url
from config.kit.mailer import Attachment
from config.kit.money import format_usd


@dataclass(frozen=True, slots=True)
class DocumentMail:
    """What stands in one mail, and the document that goes with it; `unprinted` stands
    for the first sentence where the document has no PDF.
    """

    title: str
    sentences: list[str]
    rows: list[tuple[str, str]]
    button: str
    link: str
    document: PrintedDocument
    unprinted: str


@writes(INVOICE)
def write_invoice_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """An invoice with its largest models."""
    return _mail_text(mail, _about_invoice, now=now)


@writes(CREDIT_NOTE)
def write_credit_note_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A credit note with its reason."""
    return _mail_text(mail, _about_credit_note, now=now)


@writes(STATEMENT)
def write_statement_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A statement from opening to closing balance."""
    return _mail_text(mail, _about_statement, now=now)


@writes(PAID)
def write_paid_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """What was bought, with the receipt of it."""
    text = paid_mail(mail, now)
    receipts = PurchaseReceipt.objects.select_related(
        "organization", "payment__created_by"
    )
    receipt = receipts.filter(payment__entries=mail.facts["entry"]).first()
    if text is None or receipt is None:
        return text
    with translation.override(mail.reads):
        return replace(text, attachments=(_attached(printed_receipt(receipt)),))


def _mail_text(
    mail: OutgoingMail,
    about: Callable[[OutgoingMail], DocumentMail],
    *,
    now: dt.datetime,
) -> MailText | None:
    """The mail in the recipient's language; None for somebody who is no owner any more."""

    def in_template(owner: Membership | None) -> MailText:
        content, attachments = _with_pdf(mail, about(mail), now=now)
        letter = Letter(
            content.title,
            content.sentences,
            Press(content.button, content.link),
            words.why_text(mail.organization.name, is_owner=owner is not None),
            facts=[Fact(label, value) for label, value in content.rows],
            has_total=True,
            name=mail.organization.name,
        )
        return in_frame(letter, attachments=attachments)

    return in_words_of_recipient(mail, in_template)


# A busy machine may need more time than a document may take; three tries last 20 minutes.
PDF_TRIES = 3


def _with_pdf(
    mail: OutgoingMail, content: DocumentMail, *, now: dt.datetime
) -> tuple[DocumentMail, tuple[Attachment, ...]]:
    """The mail with its PDF; after some tries with the link alone, and operators know.

    Raises BeyondBounds before.
    """
    try:
        return content, (_attached(content.document),)
    except BeyondBounds:
        if mail.attempts < PDF_TRIES:
            raise
        tell_operators(mail, number=content.document.number, now=now)
        sentences = [content.unprinted, *content.sentences[1:]]
        return replace(content, sentences=sentences), ()


def _attached(document: PrintedDocument) -> Attachment:
    name = f"{document.title}-{document.number}".replace(" ", "-")
    return Attachment(f"{name}.pdf", kept_pdf(document), "application/pdf")


def _about_invoice(mail: OutgoingMail) -> DocumentMail:
    invoice = Invoice.objects.select_related("organization", "carried_from").get(
        pk=mail.facts["invoice"]
    )
    return DocumentMail(
        title=words.invoice_subject(invoice),
        sentences=list(words.invoice_sentences(invoice)),
        rows=_in_usd(words.invoice_rows(invoice)),
        button=_("See every line"),
        link=page_url("invoice", mail.organization.slug, invoice.number),
        document=printed_invoice(invoice),
        unprinted=words.invoice_unprinted(invoice),
    )


def _about_credit_note(mail: OutgoingMail) -> DocumentMail:
    note = CreditNote.objects.select_related("organization", "invoice").get(
        pk=mail.facts["credit_note"]
    )
    return DocumentMail(
        title=words.credit_note_subject(note),
        sentences=[words.credit_note_sentence(note)],
        rows=words.credit_note_rows(note),
        button=_("See the invoice"),
        link=page_url("invoice", mail.organization.slug, note.invoice.number),
        document=printed_credit_note(note),
        unprinted=words.credit_note_unprinted(note),
    )


def _about_statement(mail: OutgoingMail) -> DocumentMail:
    statement = Statement.objects.select_related("organization").get(
        pk=mail.facts["statement"]
    )
    return DocumentMail(
        title=words.statement_subject(statement),
        sentences=[words.statement_sentence()],
        rows=_in_usd(words.statement_balances(statement)),
        button=_("See the statement"),
        link=page_url("statement", mail.organization.slug, str(statement)),
        document=printed_statement(statement),
        unprinted=words.statement_unprinted(),
    )


def _in_usd(rows: Iterable[Row]) -> list[tuple[str, str]]:
    return [(label, format_usd(nanos)) for label, nanos in rows]
