"""Refunds by operators (T7): the ledger moves first, so that nobody spends what is on
its way back.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.ledger.actions import account_of, post_entry
from billing.ledger.queries import credit_left
from billing.models import Dispute, EntryKind, Payment, Refund
from billing.models.refunds import RefundQuerySet
from billing.payments.actions.declines import (
    end_series_if_lifted,
    keep_reload_from_undoing,
)
from billing.payments.gateways.base import Refunded, RefundFailed, RefundOutcome
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_CENT, format_usd


def refundable_nanos(payment: Payment) -> int:
    """What of a purchase is neither refunded nor used, in nano-USD, whole cents: at most
    its rest, at most what was bought of the balance (T7).

    Bought money counts as used first: what credits gave stays behind and is never paid
    out to a card. Nothing of one that is disputed: the bank has the money, or will.
    """
    if payment.status != Payment.Status.SUCCEEDED or dispute_in_the_way(payment):
        return 0
    sums = payment.refunds.not_failed().aggregate(given=Sum("amount_nanos"))
    rest = payment.amount_nanos - (sums["given"] or 0)
    account = account_of(payment.organization)
    bought = account.balance_nanos - credit_left(account)
    return max(0, min(rest, bought // NANOS_PER_CENT * NANOS_PER_CENT))


def dispute_in_the_way(payment: Payment) -> Dispute | None:
    """The dispute that keeps a purchase from being refunded: open, or lost."""
    return payment.disputes.exclude(status=Dispute.Status.WON).first()


@transaction.atomic
def start_refund(
    payment: Payment,
    *,
    amount_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> tuple[Refund, bool]:
    """Take an amount out of the balance to give it back to the card, and whether that
    is new; the caller then asks.

    `key` names the showing of the form: pressed twice, it is the same refund; with
    another amount it is refused (`already_refunded`). A refund that takes the balance
    to the reload threshold or below switches auto-reload off, or the card would be
    charged again at once. Raises BusinessError `refund_amount` beyond what is unused,
    `payment_disputed`, or `reason_missing`.
    """
    locked = lock_organization(payment.organization_id)
    payment = Payment.objects.select_related("organization").get(pk=payment.pk)
    earlier = Refund.objects.filter(key=key).first() if key else None
    if earlier is not None:
        _check_same_press(earlier, payment, amount_nanos=amount_nanos)
        return earlier, False
    check_reason(reason)
    _check_refund_amount(payment, amount_nanos)
    refund = Refund.objects.create(
        payment=payment,
        amount_nanos=amount_nanos,
        key=key or uuid.uuid4().hex,
        reason=reason.strip(),
        created_by=operator,
        created_at=now,
        next_check_at=now + RefundQuerySet.claim_lasts,
        checks=1,
    )
    post_entry(
        locked,
        kind=EntryKind.REFUND,
        amount_nanos=-amount_nanos,
        payment=payment,
        refund=refund,
        reason=refund.reason,
        actor=operator,
        now=now,
    )
    keep_reload_from_undoing(locked, actor=Actor.person(operator), now=now)
    return refund, True


def refunded_by_form(
    payment: Payment, *, key: str, amount_nanos: int | None
) -> Refund | None:
    """The refund that a showing of the form made; None where it made none. Raises
    BusinessError `already_refunded` where that was another one; no amount: whatever it
    was.
    """
    earlier = Refund.objects.filter(key=key).first()
    if earlier is not None:
        amount_nanos = earlier.amount_nanos if amount_nanos is None else amount_nanos
        _check_same_press(earlier, payment, amount_nanos=amount_nanos)
    return earlier


def check_refund(payment: Payment, *, amount_nanos: int) -> None:
    """Raise what `start_refund` would raise for this amount, and write nothing; it asks
    again under its own lock.
    """
    _check_refund_amount(payment, amount_nanos)


def _check_refund_amount(payment: Payment, amount_nanos: int) -> None:
    """Raises BusinessError `refund_amount`: whole cents up to what is unused."""
    _refuse_disputed(payment)
    left = refundable_nanos(payment)
    if 0 < amount_nanos <= left and amount_nanos % NANOS_PER_CENT == 0:
        return
    sentences = [
        _(
            "%(amount)s can't be refunded: %(left)s of this purchase is unused. "
            "Enter an amount in whole cents up to that."
        )
    ]
    refunded = payment.refunds.not_failed().aggregate(sum=Sum("amount_nanos"))["sum"]
    if refunded:
        sentences.append(_("%(refunded)s of it was already refunded."))
    texts = {
        "left": format_usd(left),
        "amount": format_usd(amount_nanos),
        "refunded": format_usd(refunded or 0),
    }
    raise BusinessError(
        " ".join(sentences) % texts, code="refund_amount", status=422, field="amount"
    )


def _refuse_disputed(payment: Payment) -> None:
    """Raises BusinessError `payment_disputed`: it would be given back twice."""
    dispute = dispute_in_the_way(payment)
    if dispute is None:
        return
    if dispute.status == Dispute.Status.OPEN:
        sentence = _(
            "This purchase can't be refunded while %(amount)s of it is disputed "
            "(%(dispute)s): the bank decides who gets the money. Answer the dispute in "
            "Stripe's dashboard, or accept it there."
        )
    else:
        sentence = _(
            "This purchase can't be refunded: the bank already gave %(amount)s of it "
            "back to the cardholder (dispute %(dispute)s)."
        )
    texts = {
        "amount": format_usd(dispute.amount_nanos),
        "dispute": dispute.gateway_id,
    }
    raise BusinessError(sentence % texts, code="payment_disputed")


def _check_same_press(earlier: Refund, payment: Payment, *, amount_nanos: int) -> None:
    """Raises BusinessError `already_refunded` where the form was used for another refund."""
    if earlier.payment_id == payment.pk and earlier.amount_nanos == amount_nanos:
        return
    raise BusinessError(
        _(
            "This form was already used to refund %(amount)s, so nothing was "
            "refunded this time. Open it again to make another refund."
        )
        % {"amount": format_usd(earlier.amount_nanos)},
        code="already_refunded",
    )


def claim_refund(refund_id: int, *, now: dt.datetime) -> Refund | None:
    """Take an unsettled refund that is due; None when it is settled or somebody else is
    asking.
    """
    return Refund.objects.select_related("payment").claim(refund_id, now=now)


def retry_refund_later(refund: Refund, *, now: dt.datetime) -> None:
    """Nobody knows yet: ask again after 1, 5, 15 and then every 60 minutes, with the
    same key.
    """
    Refund.objects.retry_later(refund, now=now)


@transaction.atomic
def settle_refund(
    refund_id: int, outcome: RefundOutcome, *, now: dt.datetime
) -> Refund:
    """Keep what the gateway says; the same again, from whomever, changes nothing.

    Where it failed, also after it had seemed to succeed, the balance gets the amount
    back once. A refund that failed stays failed.
    """
    organization_id = Refund.objects.values_list(
        "payment__organization_id", flat=True
    ).get(pk=refund_id)
    locked = lock_organization(organization_id)
    refund = Refund.objects.select_related("payment", "created_by").get(pk=refund_id)
    status = Refund.Status.FAILED
    if isinstance(outcome, Refunded):
        status = Refund.Status.SUCCEEDED
    if refund.status in (status, Refund.Status.FAILED):
        return refund
    refund.status = status
    refund.settled_at = now
    refund.gateway_id = outcome.gateway_id or refund.gateway_id
    if isinstance(outcome, RefundFailed):
        refund.failure = outcome.message[:300]
    refund.save(update_fields=["status", "settled_at", "gateway_id", "failure"])
    if refund.status == Refund.Status.FAILED:
        _book_back(locked, refund, now=now)
    return refund


def _book_back(locked: Organization, refund: Refund, *, now: dt.datetime) -> None:
    """The entry names the refund and no reason of its own: `ledger.words` tells in each
    reader's language that it failed, and why.
    """
    post_entry(
        locked,
        kind=EntryKind.ADJUSTMENT,
        amount_nanos=refund.amount_nanos,
        payment=refund.payment,
        refund=refund,
        actor=refund.created_by,
        now=now,
    )
    end_series_if_lifted(locked)
