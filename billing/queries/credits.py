"""How much of a balance was given, not bought. Read-only; amounts are nano-USD."""

from __future__ import annotations

from billing.models import BillingAccount, EntryKind, LedgerEntry


def credit_left(account: BillingAccount) -> int:
    """What is left of the credits in a balance, where bought money counts as used first.

    Credits less operators' corrections downwards; whenever the balance fell below them, the rest of them was used.
    """
    left = 0
    entries = LedgerEntry.objects.filter(organization_id=account.pk).order_by("pk")
    first = entries.filter(kind=EntryKind.CREDIT).first()
    if first is None:
        return 0
    rows = entries.filter(pk__gte=first.pk).values_list("kind", "amount_nanos", "balance_nanos", "membership", "refund")
    for kind, amount, balance, membership, refund in rows.iterator():
        is_correction = kind == EntryKind.ADJUSTMENT and membership is None and refund is None
        if kind == EntryKind.CREDIT or is_correction:
            left = max(0, left + amount)
        left = min(left, max(0, balance))
    return min(left, max(0, account.balance_nanos))
