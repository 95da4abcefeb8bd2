"""Disputes: what the bank takes back is booked once and, where it gives it back, booked
back once, in whatever order and however often that is told.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.ledger.actions import account_of, post_entry
from billing.models import Dispute, EntryKind, Invoice, Payment
from billing.payments.actions.declines import (
    end_series_if_lifted,
    keep_reload_from_undoing,
)
from billing.payments.actions.owner_mails import DISPUTED, queue_for_all
from billing.payments.gateways.money_back import DisputeTold, moment_told
from config.kit.money import NANOS_PER_CENT

OPENED, TAKEN = "opened", "taken"

# Under which name the audit keeps what the gateway does.
STRIPE = Actor(label="Stripe")


@dataclass(frozen=True, slots=True)
class DisputeChange:
    """What news made of a dispute: the money that left by it (below zero: came back),
    and what there is to tell, `""` for nothing: opened, taken, won or lost.
    """

    dispute: Dispute
    before: dict[str, object] | None
    moved_nanos: int
    to_tell: str

    @property
    def is_news(self) -> bool:
        """Whether anything changed that people read."""
        return self.before != self.dispute.as_audited


@transaction.atomic
def take_dispute(payment_id: int, told: DisputeTold, *, now: dt.datetime) -> list[int]:
    """Keep what the gateway tells of a dispute about a purchase; the mails (ids).

    Deliveries at once queue for the organization's lock. What is booked is the
    difference to what was booked before, so the same again books nothing.
    """
    organization_id = Payment.objects.values_list("organization_id", flat=True).get(
        pk=payment_id
    )
    locked = lock_organization(organization_id)
    payment = Payment.objects.get(pk=payment_id)
    change = keep_dispute(
        locked, told, gateway=payment.gateway, payment=payment, now=now
    )
    before_nanos = account_of(locked).balance_nanos
    if change.moved_nanos:
        _book(locked, change, now=now)
    is_reload_off = False
    if change.dispute.status == Dispute.Status.LOST and change.is_news:
        # Else the card is charged at once for what its bank has just taken back.
        is_reload_off = keep_reload_from_undoing(locked, actor=STRIPE, now=now)
    if change.is_news:
        record_dispute(
            locked,
            change,
            action="balance.dispute_state",
            subject=f"{payment.card_label} · {payment.gateway_id}",
            balances=(before_nanos, account_of(locked).balance_nanos),
            now=now,
        )
    return _tell(locked, change, is_reload_off=is_reload_off, now=now)


def _book(locked: Organization, change: DisputeChange, *, now: dt.datetime) -> None:
    post_entry(
        locked,
        kind=EntryKind.DISPUTE,
        amount_nanos=-change.moved_nanos,
        payment=change.dispute.payment,
        dispute=change.dispute,
        now=now,
        is_audited=False,
    )
    end_series_if_lifted(locked)


def keep_dispute(
    locked: Organization,
    told: DisputeTold,
    *,
    gateway: str,
    payment: Payment | None = None,
    invoice: Invoice | None = None,
    now: dt.datetime,
) -> DisputeChange:
    """The row of a dispute after the news, inside the caller's transaction and lock.

    1. Status, amount and reason are those of the latest news; at the same second, a
       decision counts more than an open dispute.
    2. When the money was taken and given back only moves forward, whatever comes late.
    """
    kept = Dispute.objects.filter(gateway=gateway, gateway_id=told.dispute_id).first()
    before, taken_before = (kept.as_audited, kept.taken_nanos) if kept else (None, 0)
    dispute = kept or Dispute(
        organization=locked,
        payment=payment,
        invoice=invoice,
        gateway=gateway,
        gateway_id=told.dispute_id,
        status=Dispute.Status.OPEN,
        opened_at=_moment(told.opened_at) or now,
        told_at=_moment(told.told_at) or now,
    )
    was_inquiry, was_closed = dispute.is_inquiry, dispute.closed_at is not None
    if kept is None or _is_newer(told, kept):
        _overwrite(dispute, told, now=now)
    dispute.withdrawn_at = _later(dispute.withdrawn_at, told.withdrawn_at)
    dispute.reinstated_at = _later(dispute.reinstated_at, told.reinstated_at)
    dispute.save()
    to_tell = ""
    if dispute.closed_at is not None and not was_closed:
        to_tell = dispute.status
    elif kept is None:
        to_tell = OPENED
    elif was_inquiry and dispute.taken_nanos and not taken_before:
        to_tell = TAKEN
    return DisputeChange(dispute, before, dispute.taken_nanos - taken_before, to_tell)


def _is_newer(told: DisputeTold, kept: Dispute) -> bool:
    told_at = _moment(told.told_at) or kept.told_at
    if told_at != kept.told_at:
        return told_at > kept.told_at
    return kept.status == Dispute.Status.OPEN


def _overwrite(dispute: Dispute, told: DisputeTold, *, now: dt.datetime) -> None:
    told_at = _moment(told.told_at) or now
    dispute.amount_nanos = told.amount_cents * NANOS_PER_CENT
    dispute.status = Dispute.Status(told.status)
    dispute.is_inquiry = told.is_inquiry
    dispute.reason = told.reason
    dispute.evidence_due_at = _moment(told.evidence_due_at)
    dispute.told_at = told_at
    is_open = dispute.status == Dispute.Status.OPEN
    dispute.closed_at = None if is_open else (dispute.closed_at or told_at)


def _moment(seconds: int) -> dt.datetime | None:
    return moment_told(seconds) if seconds else None


def _later(kept: dt.datetime | None, seconds: int) -> dt.datetime | None:
    told = _moment(seconds)
    if kept is None or told is None:
        return kept or told
    return max(kept, told)


def record_dispute(
    locked: Organization,
    change: DisputeChange,
    *,
    action: str,
    subject: str,
    balances: tuple[int, int] | None = None,
    now: dt.datetime,
) -> None:
    """Write the change into the activity (C8), with the balance before and after it where
    it is about a purchase.
    """
    before, after = change.before, change.dispute.as_audited
    if balances is not None:
        before = {**(before or {}), "balance_nanos": balances[0]}
        after = {**after, "balance_nanos": balances[1]}
    record_change(
        locked,
        actor=STRIPE,
        action=action,
        subject=subject,
        now=now,
        from_value=before,
        to_value=after,
    )


def _tell(
    locked: Organization,
    change: DisputeChange,
    *,
    is_reload_off: bool,
    now: dt.datetime,
) -> list[int]:
    """Owners and operators, once for each step of the dispute."""
    if not change.to_tell:
        return []
    account = account_of(locked)
    facts = {
        "dispute": change.dispute.pk,
        "step": change.to_tell,
        "balance_nanos": account.balance_nanos,
        "is_reload_on": account.auto_reload_enabled,
        "is_reload_off": is_reload_off,
    }
    key = f"{change.dispute.pk}:{change.to_tell}"
    return queue_for_all(locked, DISPUTED, key=key, facts=facts, now=now)
