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
from django.db.models import Q, Sum

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
from config.kit.money import NANOS_PER_CENT


@transaction.atomic
def take_refund(payment_id: int, told: RefundTold, *, now: dt.datetime) -> list[int]:
    """Keep one refund that the gateway tells of, an operator's own too; the mails (ids).

    Deliveries of the same refund, also at once, queue for the organization's lock, and
    the row with its ID decides. One that failed stays failed: news of its making that
    come late book nothing.
    """
    locked, payment = _locked(payment_id)
    refund = payment.refunds.filter(gateway_id=told.refund_id).first()
    mails: list[int] = []
    if refund is None:
        refund, mails = _new_by_id(locked, payment, told, now=now)
    if told.is_failed and refund.status != Refund.Status.FAILED:
        mails += _fail(locked, refund, told, now=now)
    return mails


@transaction.atomic
def take_refunded_so_far(
    payment_id: int, told: RefundedSoFar, *, now: dt.datetime
) -> list[int]:
    """Book what of a charge was refunded beyond the refunds that are known; mails (ids).

    A refund that failed after this was told counts as known, since it is in the sum.
    """
    locked, payment = _locked(payment_id)
    failed_later = Q(settled_at__gte=moment_told(told.told_at)) & ~Q(gateway_id="")
    known = payment.refunds.filter(~Q(status=Refund.Status.FAILED) | failed_later)
    known_nanos = known.aggregate(sum=Sum("amount_nanos"))["sum"] or 0
    missing_nanos = told.amount_cents * NANOS_PER_CENT - known_nanos
    if missing_nanos <= 0:
        return []
    refund = _book(locked, payment, missing_nanos, now=now)
    return _tell(locked, refund, now=now)


def _locked(payment_id: int) -> tuple[Organization, Payment]:
    organization_id = Payment.objects.values_list("organization_id", flat=True).get(
        pk=payment_id
    )
    locked = lock_organization(organization_id)
    return locked, Payment.objects.get(pk=payment_id)


def _new_by_id(
    locked: Organization, payment: Payment, told: RefundTold, *, now: dt.datetime
) -> tuple[Refund, list[int]]:
    """The row of a refund whose ID is new, and its mails.

    1. Booked before without an ID, the same amount: it gets its ID.
    2. Failed before it was ever told of: a row without entries, so that nothing is
       booked when its making is told late.
    3. Else it is booked. What was booked without an ID before is a part of it, or it of
       that: booked back, and the rest booked anew.
    """
    amount_nanos = told.amount_cents * NANOS_PER_CENT
    exact = payment.refunds.unnamed().filter(amount_nanos=amount_nanos).first()
    if exact is not None:
        exact.gateway_id, exact.reason = told.refund_id, told.reason
        exact.save(update_fields=["gateway_id", "reason"])
        return exact, []
    if told.is_failed:
        return _row(
            payment, amount_nanos, told=told, status=Refund.Status.FAILED, now=now
        ), []
    released_nanos = _release_unnamed(locked, payment, now=now)
    refund = _book(locked, payment, amount_nanos, told=told, now=now)
    if released_nanos > amount_nanos:
        _book(locked, payment, released_nanos - amount_nanos, now=now)
        return refund, []
    return refund, _tell(locked, refund, now=now)


def _row(
    payment: Payment,
    amount_nanos: int,
    *,
    told: RefundTold | None = None,
    status: Refund.Status = Refund.Status.SUCCEEDED,
    now: dt.datetime,
) -> Refund:
    """It is on its way back, so it is never one to ask the gateway about."""
    is_failed = status == Refund.Status.FAILED
    settled_at = moment_told(told.told_at) if told and is_failed else now
    return Refund.objects.create(
        payment=payment,
        amount_nanos=amount_nanos,
        status=status,
        key=uuid.uuid4().hex,
        gateway_id=told.refund_id if told else "",
        reason=told.reason if told else "",
        failure=told.failure if told else "",
        created_at=now,
        settled_at=settled_at,
        next_check_at=now,
    )


def _book(
    locked: Organization,
    payment: Payment,
    amount_nanos: int,
    *,
    told: RefundTold | None = None,
    now: dt.datetime,
) -> Refund:
    """Out of the balance, below zero if need be: the money is gone."""
    refund = _row(payment, amount_nanos, told=told, now=now)
    post_entry(
        locked,
        kind=EntryKind.REFUND,
        amount_nanos=-amount_nanos,
        payment=payment,
        refund=refund,
        now=now,
    )
    return refund


def _release_unnamed(
    locked: Organization, payment: Payment, *, now: dt.datetime
) -> int:
    """Book back what was booked without an ID; how much that was."""
    unnamed = list(payment.refunds.unnamed())
    for refund in unnamed:
        refund.status, refund.settled_at = Refund.Status.FAILED, now
        refund.save(update_fields=["status", "settled_at"])
        _book_back(locked, refund, now=now)
    return sum(refund.amount_nanos for refund in unnamed)


def _fail(
    locked: Organization, refund: Refund, told: RefundTold, *, now: dt.datetime
) -> list[int]:
    """The card took it back not: the balance has it again."""
    refund.status = Refund.Status.FAILED
    refund.settled_at = max(moment_told(told.told_at), refund.created_at)
    refund.failure = told.failure
    refund.save(update_fields=["status", "settled_at", "failure"])
    _book_back(locked, refund, now=now)
    return _tell(locked, refund, now=now)


def _book_back(locked: Organization, refund: Refund, *, now: dt.datetime) -> None:
    post_entry(
        locked,
        kind=EntryKind.ADJUSTMENT,
        amount_nanos=refund.amount_nanos,
        payment=refund.payment,
        refund=refund,
        now=now,
    )
    end_series_if_lifted(locked)


def _tell(locked: Organization, refund: Refund, *, now: dt.datetime) -> list[int]:
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
        from_value=refund.amount_nanos if has_failed else None,
        to_value=0 if has_failed else refund.amount_nanos,
    )
    facts = {
        "refund": refund.pk,
        "has_failed": has_failed,
        "balance_nanos": account_of(locked).balance_nanos,
        "is_reload_off": went_off,
    }
    key = f"{refund.pk}:{'failed' if has_failed else 'made'}"
    return queue_for_all(locked, REFUNDED, key=key, facts=facts, now=now)
