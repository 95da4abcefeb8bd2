"""What a ledger entry is called and what stands beside it, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from billing.models import EntryKind, LedgerEntry


def entry_words(entry: LedgerEntry) -> tuple[str, str]:
    """The kind of an entry, and what is particular about it: person, card, reason."""
    label = str(EntryKind(entry.kind).label)
    if entry.membership is not None:
        return label, str(entry.membership.user)
    if entry.payment is not None and entry.kind in (EntryKind.PURCHASE, EntryKind.RELOAD):
        who = f", {entry.actor}" if entry.actor else ""
        return label, f"{entry.payment.card_label}{who}"
    if entry.kind == EntryKind.REFUND and entry.payment is not None:
        return label, _("to %(card)s: %(reason)s") % {"card": entry.payment.card_label, "reason": entry.reason}
    return label, entry.reason
