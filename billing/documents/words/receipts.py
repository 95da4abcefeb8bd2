"""Receipts of purchases in words, in the active language."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.documents.words.documents import (
    Row,
    day_in_zone,
    person_text,
    tax_text,
)
from billing.documents.words.money_back import dispute_sentence
from billing.models import Dispute, Payment, PurchaseReceipt, Refund
from config.kit.money import format_usd


def receipt_state_text(receipt: PurchaseReceipt) -> str:
    """When it was paid."""
    return _("Paid on %(day)s") % {"day": day_in_zone(receipt.issued_at, receipt.zone)}


def receipt_headline(receipt: PurchaseReceipt) -> str:
    """How much was paid, and when."""
    return _("%(amount)s · %(state)s") % {
        "amount": format_usd(receipt.total_nanos),
        "state": receipt_state_text(receipt),
    }


def receipt_facts(receipt: PurchaseReceipt) -> list[tuple[str, str]]:
    """Labels and texts: when, with which card, by whom, the buyer's reference."""
    payment = receipt.payment
    buyer = payment.created_by
    who = person_text(buyer.name, buyer.email) if buyer else _("Auto-reload")
    facts = [
        (_("Date"), day_in_zone(receipt.issued_at, receipt.zone)),
        (_("Paid with"), payment.card_label),
        (_("Bought by"), who),
        (_("Your reference"), str(receipt.buyer.get("reference", ""))),
    ]
    return [(label, text) for label, text in facts if text]


def bought_text() -> str:
    """The one line of a receipt."""
    return _("Extra usage, paid in advance")


def receipt_totals(receipt: PurchaseReceipt) -> Iterator[Row]:
    """Below the line: labels and nano-USD; the last row is what counts."""
    if receipt.tax_rate:
        yield _("Subtotal"), receipt.subtotal_nanos
        yield tax_text(receipt), receipt.tax_nanos
    yield _("Total paid"), receipt.total_nanos
    refunded = refunded_nanos(receipt.payment)
    lost = lost_nanos(receipt.payment)
    if refunded:
        yield _("Refunded"), -refunded
    if lost:
        yield _("Taken back by the bank"), -lost
        yield _("What remains paid"), receipt.total_nanos - refunded - lost
    elif refunded:
        yield _("After refunds"), receipt.total_nanos - refunded


def refunded_nanos(payment: Payment) -> int:
    """What went back to the card."""
    done = payment.refunds.filter(status=Refund.Status.SUCCEEDED)
    return done.aggregate(sum=Sum("amount_nanos"))["sum"] or 0


def lost_nanos(payment: Payment) -> int:
    """What banks took back for good."""
    lost = payment.disputes.filter(status=Dispute.Status.LOST)
    return sum(dispute.taken_nanos for dispute in lost)


def receipt_notes(receipt: PurchaseReceipt) -> Iterator[str]:
    """The small print."""
    if receipt.tax_rate:
        yield _(
            "The price includes the tax. The balance was increased by the total paid."
        )
    else:
        yield _("The balance was increased by the total paid.")
    for dispute in receipt.payment.disputes.order_by("pk"):
        yield dispute_sentence(dispute, zone=receipt.zone)
