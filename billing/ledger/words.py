"""What a ledger entry is called and what stands beside it, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from billing.models import EntryKind, LedgerEntry
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
    if entry.kind == EntryKind.REFUND and entry.payment is not None:
        return label, _("to %(card)s: %(reason)s") % {
            "card": entry.payment.card_label,
            "reason": reason,
        }
    return label, reason


def entry_reason(entry: LedgerEntry) -> str:
    """Why it was booked: what an operator wrote, or that a refund failed.

    Entries of earlier versions keep the sentence they were booked with. Reads `refund`.
    """
    if entry.kind == EntryKind.ADJUSTMENT and entry.refund and not entry.reason:
        failure = entry.refund.failure[:200]
        return _("The refund failed: %(why)s") % {"why": failure}
    return entry.reason
