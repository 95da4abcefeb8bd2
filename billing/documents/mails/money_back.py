"""Writes the mails about money of an invoice's payment that went back at the gateway.

To owners and the billing address, and to operators in their own words.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.delivery import MailText, in_frame, writes
from accounts.models import Membership, OutgoingMail
from billing.documents.actions.money_back import MONEY_BACK
from billing.documents.queries.documents import owed_nanos, uncredited_nanos
from billing.documents.words import mails as words
from billing.models import Dispute, Invoice
from billing.payments.mails.frame import in_words_of_recipient, to_operator
from billing.payments.mails.money_back import operators_answer
from config.kit.dates import format_day
from config.kit.letters import Fact, Letter, Press
from config.kit.links import absolute, page_url
from config.kit.money import format_usd
from config.kit.months import local_day


@dataclass(frozen=True, slots=True)
class MoneyBackMail:
    """What stands in one mail."""

    title: str
    sentences: list[str]
    rows: list[tuple[str, str]]
    button: str
    link: str


@writes(MONEY_BACK)
def write_money_back_mail(mail: OutgoingMail, now: dt.datetime) -> MailText | None:
    """A refund of an invoice's payment, or a dispute about it."""
    if mail.facts.get("is_operator"):
        return to_operator(mail, lambda: _to_operator(mail))
    return in_words_of_recipient(mail, lambda owner: _to_buyer(mail, owner))


def _to_buyer(mail: OutgoingMail, owner: Membership | None) -> MailText:
    invoice, facts = _facts(mail)
    title, sentences = _title(mail), [*_told(mail, invoice), *_to_ask(mail)]
    link = page_url("invoice", mail.organization.slug, invoice.number)
    content = MoneyBackMail(
        title % facts,
        [sentence % facts for sentence in sentences],
        _rows(invoice),
        _("See the invoice"),
        link,
    )
    why = words.why_text(mail.organization.name, is_owner=owner is not None)
    return _text(mail, content, why)


def _to_operator(mail: OutgoingMail) -> MailText:
    invoice, facts = _facts(mail)
    sentences = [*_told(mail, invoice), *_to_do(mail, invoice)]
    link = absolute(reverse("admin:billing_invoice_change", args=[invoice.pk]))
    content = MoneyBackMail(
        f"{mail.organization.name}: {_title(mail) % facts}",
        [sentence % facts for sentence in sentences],
        _rows(invoice),
        _("See the invoice"),
        link,
    )
    why = _("You're receiving this because you are an operator.")
    return _text(mail, content, why)


def _text(mail: OutgoingMail, content: MoneyBackMail, why: str) -> MailText:
    letter = Letter(
        content.title,
        content.sentences,
        Press(content.button, content.link),
        why,
        facts=[Fact(label, value) for label, value in content.rows],
        has_total=True,
        name=mail.organization.name,
    )
    return in_frame(letter)


def _facts(mail: OutgoingMail) -> tuple[Invoice, dict[str, object]]:
    invoice = Invoice.objects.select_related("organization").get(
        pk=mail.facts["invoice"]
    )
    dispute = _dispute_of(mail)
    due = dispute.evidence_due_at if dispute else None
    return invoice, {
        "amount": format_usd(mail.facts["amount_nanos"]),
        "number": invoice.number,
        "why": (dispute.reason_text if dispute else "") or _("no reason was given"),
        "due": format_day(local_day(due, invoice.zone)) if due else "",
        "owed": format_usd(owed_nanos(invoice)),
        "uncredited": format_usd(uncredited_nanos(invoice)),
    }


def _dispute_of(mail: OutgoingMail) -> Dispute | None:
    if "dispute" not in mail.facts:
        return None
    return Dispute.objects.get(pk=mail.facts["dispute"])


def _title(mail: OutgoingMail) -> str:
    titles = {
        "refunded": _("%(amount)s of invoice %(number)s was refunded"),
        "refund_failed": _("A refund of %(amount)s of invoice %(number)s failed"),
        "won": _(
            "The dispute about %(amount)s of invoice %(number)s is over: the payment "
            "stands"
        ),
        "lost": _(
            "The dispute about %(amount)s of invoice %(number)s is over: the money went "
            "back"
        ),
    }
    return titles.get(
        mail.facts["step"], _("%(amount)s paid for invoice %(number)s is disputed")
    )


def _told(mail: OutgoingMail, invoice: Invoice) -> list[str]:
    step = mail.facts["step"]
    if step == "refunded":
        return [_("The refund was made in Stripe and goes back to how it was paid.")]
    if step == "refund_failed":
        return [_("The money did not arrive, so the invoice counts as paid again.")]
    if step == "won":
        return [_("The invoice stays paid.")]
    if step == "lost":
        if invoice.status == Invoice.Status.OPEN:
            return [
                _(
                    "The bank gave the money back for good, so the invoice is open "
                    "again: %(owed)s is to be paid another way."
                )
            ]
        return [_("The bank gave the money back for good.")]
    dispute = _dispute_of(mail)
    if dispute and not dispute.taken_nanos:
        return [_("The bank asks about it: %(why)s. Nothing was taken back so far.")]
    return [
        _(
            "The bank took the money back: %(why)s. Until it decides, the invoice stays "
            "as it is."
        ),
    ]


def _to_ask(mail: OutgoingMail) -> list[str]:
    """What the buyer can do about an open dispute."""
    if mail.facts["step"] not in ("opened", "taken"):
        return []
    return [_("If nobody meant to dispute it, ask the bank to withdraw the dispute.")]


def _to_do(mail: OutgoingMail, invoice: Invoice) -> list[str]:
    """What operators have to do so that the books say what happened."""
    step = mail.facts["step"]
    dispute = _dispute_of(mail)
    if step == "refunded" and uncredited_nanos(invoice):
        return [
            _(
                "%(uncredited)s was refunded without a credit note. Issue one, so that "
                "the books match."
            )
        ]
    if step == "lost" and invoice.status == Invoice.Status.OPEN:
        return [
            _(
                "Mark the invoice as paid once the money comes another way, or issue a "
                "credit note if you waive it."
            )
        ]
    if dispute is not None and dispute.status == Dispute.Status.OPEN:
        return [operators_answer(dispute)]
    return []


def _rows(invoice: Invoice) -> list[tuple[str, str]]:
    return [
        (_("Invoice"), invoice.number),
        (_("Total"), format_usd(invoice.total_nanos)),
    ]
