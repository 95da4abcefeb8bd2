"""Refunds that were made at the gateway, in its dashboard say: booked once, by their ID,
in whatever order and however often they are told.

A charge tells only how much of it was refunded so far. What of that no refund accounts
for yet is booked without an ID, and gets one when its own news come. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from accounts.actions.audit import record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization
from billing.ledger.actions import account_of, post_entry
from billing.models import EntryKind, Payment, Refund
from billing.payments.actions.declines import (
    end_series_if_lifted,
    keep_reload_from_undoing,
)
from billing.payments.actions.disputes import STRIPE
from billing.payments.actions.owner_mails import REFUNDED, queue_for_all
from billing.payments.gateways.money_back import (
    RefundedSoFar,
    RefundTold,
    moment_told,
)
from billing.payments.rules.refunded import (
    Kept,
    Unnamed,
    parts_accounted_for,
    unexplained_nanos,
)
from config.kit.money import NANOS_PER_CENT


@transaction.atomic
def take_refund(payment_id: int, told: RefundTold, *, now: dt.datetime) -> list[int]:
    """Keep one refund that the gateway tells of, an operator's own too; the mails (ids).

    Deliveries of the same refund, also at once, queue for the organization's lock, and
    the row with its ID decides. One that failed stays failed: news of its making that
    come late book nothing.
    """
    locked, payment = _locked(payment_id)
    before_nanos = account_of(locked).balance_nanos
    refund = payment.refunds.filter(gateway_id=told.refund_id).first()
    is_to_tell = False
    if refund is None:
        refund, is_to_tell = _new_by_id(locked, payment, told, now=now)
    if told.is_failed and refund.status != Refund.Status.FAILED:
        _fail(locked, refund, told, now=now)
        is_to_tell = True
    if not is_to_tell:
        return []
    return _tell(locked, refund, before_nanos=before_nanos, now=now)


@transaction.atomic
def take_refunded_so_far(
    payment_id: int, told: RefundedSoFar, *, now: dt.datetime
) -> list[int]:
    """Book what of a charge was refunded beyond the refunds that are known; mails (ids).

    A refund that failed after this was told counts as known, since it is in the sum.
    """
    locked, payment = _locked(payment_id)
    before_nanos = account_of(locked).balance_nanos
    told_at = moment_told(told.told_at)
    missing_nanos = unexplained_nanos(
        told.amount_cents * NANOS_PER_CENT, _kept(payment), told_at=told_at
    )
    if not missing_nanos:
        return []
    refund = _book(locked, payment, missing_nanos, settled_at=told_at, now=now)
    return _tell(locked, refund, before_nanos=before_nanos, now=now)


def _kept(payment: Payment) -> list[Kept]:
    """All but those that failed without ever having had an ID: the gateway made none."""
    kept = payment.refunds.exclude(status=Refund.Status.FAILED, gateway_id="")
    return [
        Kept(
            refund.amount_nanos,
            refund.settled_at if refund.status == Refund.Status.FAILED else None,
        )
        for refund in kept
    ]


def _locked(payment_id: int) -> tuple[Organization, Payment]:
    organization_id = Payment.objects.values_list("organization_id", flat=True).get(
        pk=payment_id
    )
    locked = lock_organization(organization_id)
    return locked, Payment.objects.get(pk=payment_id)


def _new_by_id(
    locked: Organization, payment: Payment, told: RefundTold, *, now: dt.datetime
) -> tuple[Refund, bool]:
    """The row of a refund whose ID is new, and whether people are to be told of it.

    1. Booked before without an ID, the same amount: it gets its ID.
    2. Failed, and nothing was booked for it: a row without entries, so that nothing is
       booked when its making is told late.
    3. Else it is booked. What was booked without an ID for it, or a part of it, or it
       with others, is booked back, and the rest of that anew.
    """
    amount_nanos = told.amount_cents * NANOS_PER_CENT
    unnamed = {refund.pk: refund for refund in payment.refunds.unnamed()}
    taken = parts_accounted_for(
        [_unnamed(refund) for refund in unnamed.values()],
        amount_nanos,
        failed_at=moment_told(told.told_at) if told.is_failed else None,
    )
    first = unnamed[next(iter(taken))] if taken else None
    if first is not None and first.amount_nanos == amount_nanos:
        first.gateway_id, first.reason = told.refund_id, told.reason
        first.save(update_fields=["gateway_id", "reason"])
        return first, False
    if told.is_failed and not taken:
        return _failed_row(payment, amount_nanos, told=told, now=now), False
    refund = _book(locked, payment, amount_nanos, told=told, now=now)
    for refund_id, nanos in taken.items():
        _shrink(locked, unnamed[refund_id], by_nanos=nanos, now=now)
    was_told = sum(taken.values()) == amount_nanos
    return refund, not was_told and not told.is_failed


def _unnamed(refund: Refund) -> Unnamed:
    """When its sum was told is the moment it was settled; earlier versions kept when it
    was booked, which is not that.
    """
    is_known = refund.settled_at != refund.created_at
    told_at = refund.settled_at if is_known else None
    return Unnamed(refund.pk, refund.amount_nanos, told_at)


def _failed_row(
    payment: Payment, amount_nanos: int, *, told: RefundTold, now: dt.datetime
) -> Refund:
    return _row(
        payment,
        amount_nanos,
        told=told,
        status=Refund.Status.FAILED,
        settled_at=moment_told(told.told_at),
        now=now,
    )


def _row(
    payment: Payment,
    amount_nanos: int,
    *,
    told: RefundTold | None = None,
    status: Refund.Status = Refund.Status.SUCCEEDED,
    settled_at: dt.datetime | None = None,
    now: dt.datetime,
) -> Refund:
    """It is on its way back, so it is never one to ask the gateway about."""
    return Refund.objects.create(
        payment=payment,
        amount_nanos=amount_nanos,
        status=status,
        key=uuid.uuid4().hex,
        gateway_id=told.refund_id if told else "",
        reason=told.reason if told else "",
        failure=told.failure if told else "",
        created_at=now,
        settled_at=settled_at or now,
        next_check_at=now,
    )


def _book(
    locked: Organization,
    payment: Payment,
    amount_nanos: int,
    *,
    told: RefundTold | None = None,
    settled_at: dt.datetime | None = None,
    now: dt.datetime,
) -> Refund:
    """Out of the balance, below zero if need be: the money is gone."""
    refund = _row(payment, amount_nanos, told=told, settled_at=settled_at, now=now)
    post_entry(
        locked,
        kind=EntryKind.REFUND,
        amount_nanos=-amount_nanos,
        payment=payment,
        refund=refund,
        now=now,
        is_audited=False,
    )
    return refund


def _shrink(
    locked: Organization, unnamed: Refund, *, by_nanos: int, now: dt.datetime
) -> None:
    """Book the rest of what was booked without an ID anew, and then all of it back: in
    this order the balance is never higher in between than after it.
    """
    rest_nanos = unnamed.amount_nanos - by_nanos
    told_at = _unnamed(unnamed).told_at
    if rest_nanos:
        _book(locked, unnamed.payment, rest_nanos, settled_at=told_at, now=now)
    unnamed.status, unnamed.settled_at = Refund.Status.FAILED, now
    unnamed.save(update_fields=["status", "settled_at"])
    _book_back(locked, unnamed, now=now)


def _fail(
    locked: Organization, refund: Refund, told: RefundTold, *, now: dt.datetime
) -> None:
    """The card took it back not: the balance has it again."""
    refund.status = Refund.Status.FAILED
    refund.settled_at = moment_told(told.told_at)
    refund.failure = told.failure
    refund.save(update_fields=["status", "settled_at", "failure"])
    _book_back(locked, refund, now=now)


def _book_back(locked: Organization, refund: Refund, *, now: dt.datetime) -> None:
    post_entry(
        locked,
        kind=EntryKind.ADJUSTMENT,
        amount_nanos=refund.amount_nanos,
        payment=refund.payment,
        refund=refund,
        now=now,
        is_audited=False,
    )
    end_series_if_lifted(locked)


def _tell(
    locked: Organization, refund: Refund, *, before_nanos: int, now: dt.datetime
) -> list[int]:
    """Into the activity, and by mail to owners and operators, once for each step; with
    what becomes of auto-reload.
    """
    has_failed = refund.status == Refund.Status.FAILED
    went_off = not has_failed and keep_reload_from_undoing(
        locked, actor=STRIPE, now=now
    )
    record_change(
        locked,
        actor=STRIPE,
        action="balance.refunded_outside",
        subject=f"{refund.payment.card_label} · {refund.payment.gateway_id}",
        now=now,
        from_value={"balance_nanos": before_nanos},
        to_value={
            "amount_nanos": refund.amount_nanos,
            "has_failed": has_failed,
            "balance_nanos": account_of(locked).balance_nanos,
        },
    )
    facts = {
        "refund": refund.pk,
        "has_failed": has_failed,
        "balance_nanos": account_of(locked).balance_nanos,
        "is_reload_off": went_off,
    }
    key = f"{refund.pk}:{'failed' if has_failed else 'made'}"
    return queue_for_all(locked, REFUNDED, key=key, facts=facts, now=now)
