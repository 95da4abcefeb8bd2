"""Booking in the ledger (T2): the only place that writes entries and `ledger_nanos`,
under the organization's lock.

Before anything else is booked, what members used until then is rolled up, so that the
running balance is always true. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization, User
from billing.ledger.queries import open_month
from billing.models import (
    BillingAccount,
    Dispute,
    EntryKind,
    LedgerEntry,
    Payment,
    PendingCharge,
    Refund,
    UsageAdjustment,
    UsageEvent,
)
from billing.models.limits import MOST_COUNTED_NANOS
from config.kit.errors import BusinessError
from config.kit.money import format_usd
from config.kit.months import first_of_month

# Who looks at every movement that is not usage, in its transaction: rooms above this one,
# such as who is told of a low balance.
Watch = Callable[[LedgerEntry], None]
_WATCHES: list[Watch] = []


def watch_balance(watch: Watch) -> Watch:
    """Mark a function that is called with each entry of `post_entry` after it is booked."""
    if watch not in _WATCHES:
        _WATCHES.append(watch)
    return watch


def account_of(locked: Organization) -> BillingAccount:
    """The billing account of a locked organization; made where there is none yet."""
    account, _is_new = BillingAccount.objects.get_or_create(organization=locked)
    return account


def post_entry(
    locked: Organization,
    *,
    kind: EntryKind,
    amount_nanos: int,
    now: dt.datetime,
    payment: Payment | None = None,
    refund: Refund | None = None,
    dispute: Dispute | None = None,
    reason: str = "",
    actor: User | None = None,
    key: str = "",
    is_audited: bool = True,
) -> LedgerEntry:
    """Book one movement that is not usage, inside the caller's transaction and lock;
    usage until now goes before it.

    `is_audited` False: the caller keeps the change itself, with the balance (C8).
    `key` names what may be booked once. Raises IntegrityError where the organization
    has an entry of that key, payment or refund.
    """
    roll_up(locked, now=now)
    entry = _book(
        account_of(locked),
        kind=kind,
        amount_nanos=amount_nanos,
        created_at=now,
        payment=payment,
        refund=refund,
        dispute=dispute,
        reason=reason,
        actor=actor,
        key=key,
        month_on=open_month(locked, now=now).first_on,
    )
    if is_audited:
        _audit(locked, entry)
    for watch in _WATCHES:
        watch(entry)
    return entry


def check_balance_has_room(
    account: BillingAccount, amount_nanos: int, *, field: str = "amount"
) -> None:
    """Raises BusinessError `balance_amount` where a balance would leave what can be
    counted, in either direction.
    """
    if abs(account.balance_nanos + amount_nanos) <= MOST_COUNTED_NANOS:
        return
    raise BusinessError(
        _(
            "The balance is %(balance)s, and with this amount it would pass %(most)s, "
            "the most that a balance can be. Enter a smaller amount."
        )
        % {
            "balance": format_usd(account.balance_nanos),
            "most": format_usd(MOST_COUNTED_NANOS),
        },
        code="balance_amount",
        status=422,
        field=field,
    )


def _audit(locked: Organization, entry: LedgerEntry) -> None:
    """Keep who changed the balance, from what to what (C8); usage is no change that
    somebody makes.
    """
    card = entry.payment.card_label if entry.payment else ""
    label = "auto-reload" if entry.kind == EntryKind.RELOAD else ""
    record_change(
        locked,
        actor=Actor(entry.actor, label),
        action=f"balance.{entry.kind}",
        subject=entry.reason or card,
        now=entry.created_at,
        from_value=entry.balance_nanos - entry.amount_nanos,
        to_value=entry.balance_nanos,
    )


def roll_up(
    locked: Organization, *, now: dt.datetime, before: dt.date | None = None
) -> int:
    """Move what members used (on days before `before`, if given) into the ledger, an
    entry for each member and day; how many entries.

    The balance stays the same: what leaves the pending sum enters the ledger.
    """
    pending = PendingCharge.objects.filter(organization=locked)
    if before is not None:
        pending = pending.filter(day_on__lt=before)
    rows = list(pending.order_by("day_on", "membership_id", "kind"))
    if not rows:
        return 0
    account = account_of(locked)
    # Under the lock every event of this organization is committed, and later ones get
    # larger ids.
    moved = [row for row in rows if row.amount_nanos]
    _book_many(
        account,
        moved,
        now=now,
        events_through=latest_id(UsageEvent),
        adjustments_through=latest_id(UsageAdjustment),
    )
    PendingCharge.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(moved)


def latest_id(model: type[UsageEvent] | type[UsageAdjustment]) -> int:
    """The largest id there is; under an organization's lock no later row of it has a
    smaller one.
    """
    ids = model._default_manager.order_by("-pk").values_list("pk", flat=True)
    return ids.first() or 0


@transaction.atomic
def roll_up_days(organization_id: int, *, now: dt.datetime) -> int:
    """Roll up the local days that are over; how many entries. Safe to run twice."""
    locked = lock_organization(organization_id)
    return roll_up(locked, now=now, before=locked.calendar.month_at(now).day_of(now))


def add_pending(
    locked: Organization,
    *,
    membership_id: int,
    day_on: dt.date,
    kind: EntryKind,
    amount_nanos: int,
) -> None:
    """Let an amount owed lower the balance until it is rolled up; the recorder has a
    faster way of its own.
    """
    row, is_new = PendingCharge.objects.get_or_create(
        organization=locked,
        membership_id=membership_id,
        day_on=day_on,
        kind=kind,
        defaults={"amount_nanos": amount_nanos},
    )
    if not is_new:
        PendingCharge.objects.filter(pk=row.pk).update(
            amount_nanos=F("amount_nanos") + amount_nanos
        )
    account = account_of(locked)
    BillingAccount.objects.filter(pk=account.pk).update(
        pending_nanos=F("pending_nanos") + amount_nanos
    )


def _book_many(
    account: BillingAccount,
    rows: list[PendingCharge],
    *,
    now: dt.datetime,
    events_through: int,
    adjustments_through: int,
) -> None:
    balance = account.ledger_nanos
    entries = []
    for row in rows:
        balance -= row.amount_nanos
        entries.append(
            LedgerEntry(
                organization_id=account.pk,
                kind=row.kind,
                amount_nanos=-row.amount_nanos,
                balance_nanos=balance,
                created_at=now,
                membership_id=row.membership_id,
                day_on=row.day_on,
                month_on=first_of_month(row.day_on),
                events_through=events_through,
                adjustments_through=adjustments_through,
            )
        )
    LedgerEntry.objects.bulk_create(entries)
    moved = sum(row.amount_nanos for row in rows)
    BillingAccount.objects.filter(pk=account.pk).update(
        ledger_nanos=F("ledger_nanos") - moved, pending_nanos=F("pending_nanos") - moved
    )


def _book(
    account: BillingAccount, *, amount_nanos: int, **facts: object
) -> LedgerEntry:
    entry = LedgerEntry.objects.create(
        organization_id=account.pk,
        amount_nanos=amount_nanos,
        balance_nanos=account.ledger_nanos + amount_nanos,
        **facts,
    )
    BillingAccount.objects.filter(pk=account.pk).update(
        ledger_nanos=F("ledger_nanos") + amount_nanos
    )
    return entry
