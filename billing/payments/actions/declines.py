"""A series of declines of auto-reload (T5): counting it, ending it, and switching
auto-reload off after its last try.

Everything here runs inside the caller's transaction and lock. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from accounts.actions.audit import Actor, record_change
from accounts.models import Organization
from billing.ledger.actions import account_of
from billing.models import BillingAccount, Payment, PaymentCard
from billing.notices.actions.noticing import notice_unreloaded
from billing.payments.actions.owner_mails import DECLINED, RELOAD_OFF, queue_for_owners
from billing.payments.rules.reloading import is_final, next_try_at


def count_decline(
    locked: Organization,
    payment: Payment,
    *,
    card: PaymentCard | None,
    now: dt.datetime,
) -> list[int]:
    """One more decline of auto-reload; the mails (ids) that are due.

    It is tried again 1, 6 and 24 hours after the first decline, then switched off; at
    once where the answer is one that never changes.
    `card` is the one on file. A decline of another one, of before, is held against
    nobody; while auto-reload is off there is no next try, and owners only hear that
    this one failed.
    """
    if card is None or card.card_id != payment.card_id:
        return []
    account = account_of(locked)
    if not account.auto_reload_enabled:
        return _queue_decline_mail(locked, payment, DECLINED, retry_at=None, now=now)
    account.reload_declines += 1
    account.reload_declined_at = account.reload_declined_at or now
    account.reload_retry_at = None
    if not is_final(payment.decline_code):
        account.reload_retry_at = next_try_at(
            declined_at=account.reload_declined_at,
            declines=account.reload_declines,
            now=now,
        )
    account.save(
        update_fields=["reload_declines", "reload_declined_at", "reload_retry_at"]
    )
    if account.reload_retry_at is not None:
        return _queue_decline_mail(
            locked, payment, DECLINED, retry_at=account.reload_retry_at, now=now
        )
    BillingAccount.objects.filter(pk=account.pk).update(reload_ended_at=now)
    switch_reload_off(locked, actor=Actor(label="auto-reload"), now=now)
    return _queue_decline_mail(locked, payment, RELOAD_OFF, retry_at=None, now=now)


def keep_reload_change(
    locked: Organization,
    account: BillingAccount,
    before: dict[str, object],
    *,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Keep who changed auto-reload, from what it was `before`, as audited (C8)."""
    record_change(
        locked,
        actor=actor,
        action="balance.auto_reload",
        subject=locked.name,
        now=now,
        from_value=before,
        to_value=account.auto_reload_as_audited,
    )


def switch_reload_off(locked: Organization, *, actor: Actor, now: dt.datetime) -> None:
    """Switch auto-reload off, audited; threshold and amount stay for when it is
    switched on again.
    """
    account = account_of(locked)
    before = account.auto_reload_as_audited
    account.auto_reload_enabled = False
    account.save(update_fields=["auto_reload_enabled"])
    keep_reload_change(locked, account, before, actor=actor, now=now)
    notice_unreloaded(locked, now=now)


def keep_reload_from_undoing(
    locked: Organization, *, actor: Actor, now: dt.datetime
) -> bool:
    """Switch auto-reload off where it would charge the card again at once for what goes
    back to it; whether it did.
    """
    account = account_of(locked)
    threshold_nanos = account.reload_threshold_nanos or 0
    if not account.auto_reload_enabled or account.balance_nanos > threshold_nanos:
        return False
    switch_reload_off(locked, actor=actor, now=now)
    return True


def end_series(locked: Organization) -> None:
    """Forget the declines so far: the next one is the first of a series of its own."""
    BillingAccount.objects.filter(organization=locked).update(
        reload_declined_at=None, reload_declines=0, reload_retry_at=None
    )


def end_series_if_lifted(locked: Organization) -> None:
    """Whatever lifts the balance above the threshold ends the series: nothing is left
    to be tried again.
    """
    account = account_of(locked)
    threshold_nanos = account.reload_threshold_nanos or 0
    if account.reload_declines and account.balance_nanos > threshold_nanos:
        end_series(locked)


def _queue_decline_mail(
    locked: Organization,
    payment: Payment,
    kind: str,
    *,
    retry_at: dt.datetime | None,
    now: dt.datetime,
) -> list[int]:
    """`retry_at` None: it is not tried again."""
    facts: dict[str, object] = {"payment": payment.pk, "retry_at": None}
    if retry_at is not None:
        facts["retry_at"] = retry_at.isoformat()
    return queue_for_owners(locked, kind, key=str(payment.pk), facts=facts, now=now)
