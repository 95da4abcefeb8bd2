"""What a ledger entry is called and what stands beside it, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from billing.models import Dispute, EntryKind, LedgerEntry, Refund
from config.kit.csv_files import Amount


def entry_heads() -> list[str]:
    """The heads of a CSV of entries."""
    return [
        _("Entry"),
        _("Booked (UTC)"),
        _("Kind"),
        _("What"),
        _("Day"),
        _("Amount (USD)"),
        _("Balance (USD)"),
    ]


def entry_cells(entry: LedgerEntry, *, balance_nanos: int) -> list[Any]:
    """An entry in a CSV, exact to nine places, with the balance after it."""
    what = " · ".join(part for part in entry_words(entry) if part)
    return [
        entry.pk,
        entry.created_at,
        entry.kind,
        what,
        entry.day_on,
        Amount(entry.amount_nanos),
        Amount(balance_nanos),
    ]


def entry_words(entry: LedgerEntry) -> tuple[str, str]:
    """The kind of an entry, and what is particular about it: person, card, reason."""
    label = str(EntryKind(entry.kind).label)
    reason = entry_reason(entry)
    if entry.membership is not None:
        return label, str(entry.membership.user)
    if entry.payment is not None and entry.kind in (
        EntryKind.PURCHASE,
        EntryKind.RELOAD,
    ):
        who = f", {entry.actor}" if entry.actor else ""
        return label, f"{entry.payment.card_label}{who}"
    if entry.kind == EntryKind.DISPUTE and entry.dispute and entry.payment:
        return label, _dispute_text(entry, entry.dispute, card=entry.payment.card_label)
    if entry.kind == EntryKind.REFUND and entry.payment is not None:
        return label, _("to %(card)s: %(reason)s") % {
            "card": entry.payment.card_label,
            "reason": reason,
        }
    return label, reason


def _dispute_text(entry: LedgerEntry, dispute: Dispute, *, card: str) -> str:
    """Taken or given back, by which card's bank, under which ID."""
    facts = {"card": card, "dispute": dispute.gateway_id}
    if entry.amount_nanos > 0:
        return _("given back by the bank of %(card)s (%(dispute)s)") % facts
    return _("taken back by the bank of %(card)s (%(dispute)s)") % facts


def entry_reason(entry: LedgerEntry) -> str:
    """Why it was booked: what an operator wrote, what the gateway says, or that a refund
    failed.

    Entries of earlier versions keep the sentence they were booked with. Reads `refund`
    and `dispute`.
    """
    if entry.dispute is not None:
        return entry.dispute.reason_text
    if entry.refund is None or entry.reason:
        return entry.reason
    if entry.kind != EntryKind.ADJUSTMENT:
        return refund_reason_text(entry.refund)
    if entry.refund.is_from_gateway and not entry.refund.gateway_id:
        return _("booked anew under the ID of the refund")
    failure = entry.refund.failure[:200]
    return _("The refund failed: %(why)s") % {"why": failure}


def refund_reason_text(refund: Refund) -> str:
    """Why money went back to a card: the operator's words, or that it was done at the
    gateway, with what was chosen there.
    """
    if not refund.is_from_gateway:
        return refund.reason
    if refund.reason == "requested_by_customer":
        return _("refunded in Stripe (requested by the customer)")
    if refund.reason == "duplicate":
        return _("refunded in Stripe (charged twice)")
    if refund.reason == "fraudulent":
        return _("refunded in Stripe (fraudulent)")
    return _("refunded in Stripe")
