"""What went back of the money that paid an invoice, in the active language."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from billing.documents.queries.documents import refunded_nanos, uncredited_nanos
from billing.models import Dispute, Invoice
from config.kit.dates import format_day
from config.kit.money import format_usd
from config.kit.months import local_day


def money_back_sentences(invoice: Invoice) -> Iterator[str]:
    """A sentence for its refunds, and one for each dispute; nothing where all is as it
    was paid.
    """
    refunded = refunded_nanos(invoice)
    if refunded:
        yield _("%(amount)s was refunded in Stripe.") % {"amount": format_usd(refunded)}
    for dispute in sorted(invoice.disputes.all(), key=lambda one: one.pk):
        yield dispute_sentence(dispute, zone=invoice.zone)


def dispute_sentence(dispute: Dispute, *, zone: str) -> str:
    """How a dispute about an invoice's payment or a purchase stands."""
    decided_at = dispute.closed_at or dispute.opened_at
    facts = {
        "amount": format_usd(dispute.amount_nanos),
        "day": format_day(local_day(decided_at, zone)),
    }
    if dispute.status == Dispute.Status.WON:
        return _("A dispute about %(amount)s ended on %(day)s: paid.") % facts
    if dispute.status == Dispute.Status.LOST and dispute.invoice_id is None:
        sentence = _(
            "%(amount)s went back on %(day)s by decision of the bank, and left the "
            "balance."
        )
        return sentence % facts
    if dispute.status == Dispute.Status.LOST:
        sentence = _(
            "%(amount)s went back on %(day)s by decision of the bank, and is to be paid "
            "another way."
        )
        return sentence % facts
    if dispute.taken_nanos:
        sentence = _(
            "%(amount)s is disputed since %(day)s; the bank holds it until it decides."
        )
        return sentence % facts
    return _("The bank asks about %(amount)s since %(day)s.") % facts


def without_credit_note(invoice: Invoice) -> str:
    """What operators still have to document; empty where the books say all of it."""
    missing = uncredited_nanos(invoice)
    if not missing:
        return ""
    return _("%(amount)s was refunded in Stripe without a credit note: issue one.") % {
        "amount": format_usd(missing)
    }
