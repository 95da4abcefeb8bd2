"""Refunds and credits by operators (T7): the ledger moves first, so that nobody spends
what is on its way back.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.ledger.actions import account_of, post_entry
from billing.ledger.queries import credit_left
from billing.models import EntryKind, LedgerEntry, Payment, Refund
from billing.payments.actions.declines import end_series_if_lifted, switch_reload_off
from billing.payments.actions.purchases import CLAIM, WAITS, check_is_prepaid
from billing.payments.gateways.base import Refunded, RefundOutcome
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd

# How long it is known that a form of credits was used, in seconds.
PRESSES_KEPT = 24 * 60 * 60


def refundable_nanos(payment: Payment) -> int:
    """What of a purchase is neither refunded nor used: at most its rest, at most what
    was bought of the balance (T7).

    Bought money counts as used first: what credits gave stays behind and is never paid
    out to a card.
    """
    if payment.status != Payment.Status.SUCCEEDED:
        return 0
    given = (
        payment.refunds.exclude(status=Refund.Status.FAILED).aggregate(
            sum=Sum("amount_nanos")
        )["sum"]
        or 0
    )
    account = account_of(payment.organization)
    bought = account.balance_nanos - credit_left(account)
    return max(
        0, min(payment.amount_nanos - given, bought // NANOS_PER_CENT * NANOS_PER_CENT)
    )


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
    or `reason_missing`.
    """
    locked = lock_organization(payment.organization_id)
    payment = Payment.objects.select_related("organization").get(pk=payment.pk)
    known = Refund.objects.filter(key=key).first() if key else None
    if known is not None:
        _check_same_press(known, payment, amount_nanos=amount_nanos)
        return known, False
    check_reason(reason)
    left = refundable_nanos(payment)
    if amount_nanos <= 0 or amount_nanos % NANOS_PER_CENT or amount_nanos > left:
        words = {"left": format_usd(left), "amount": format_usd(amount_nanos)}
        raise BusinessError(
            _(
                "%(amount)s can't be refunded: %(left)s of this purchase is unused. "
                "Enter an amount in whole cents up to that."
            )
            % words,
            code="refund_amount",
            status=422,
            field="amount",
        )
    refund = Refund.objects.create(
        payment=payment,
        amount_nanos=amount_nanos,
        key=key or uuid.uuid4().hex,
        reason=reason.strip(),
        created_by=operator,
        created_at=now,
        next_check_at=now + CLAIM,
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
    account = account_of(locked)
    if account.auto_reload_enabled and account.balance_nanos <= (
        account.reload_threshold_nanos or 0
    ):
        switch_reload_off(locked, actor=Actor.person(operator), now=now)
    return refund, True


def _check_same_press(known: Refund, payment: Payment, *, amount_nanos: int) -> None:
    if known.payment_id == payment.pk and known.amount_nanos == amount_nanos:
        return
    raise BusinessError(
        _(
            "This form was already used to refund %(amount)s, so nothing was "
            "refunded this time. Open it again to make another refund."
        )
        % {"amount": format_usd(known.amount_nanos)},
        code="already_refunded",
    )


def claim_refund(refund_id: int, *, now: dt.datetime) -> Refund | None:
    """Take an unsettled refund that is due; None when it is settled or somebody else is
    asking.
    """
    won = (
        Refund.objects.due(now)
        .filter(pk=refund_id)
        .update(next_check_at=now + CLAIM, checks=F("checks") + 1)
    )
    return Refund.objects.select_related("payment").get(pk=refund_id) if won else None


def put_off_refund(refund: Refund, *, now: dt.datetime) -> None:
    """Nobody knows yet: ask again later, with the same key."""
    wait = WAITS[min(refund.checks, len(WAITS)) - 1]
    Refund.objects.filter(pk=refund.pk, status=Refund.Status.STARTED).update(
        next_check_at=now + wait
    )


@transaction.atomic
def settle_refund(
    refund_id: int, outcome: RefundOutcome, *, now: dt.datetime
) -> Refund:
    """Keep what the gateway says; where it failed, also after it had seemed to succeed,
    the balance gets it back once.
    """
    organization_id = Refund.objects.values_list(
        "payment__organization_id", flat=True
    ).get(pk=refund_id)
    locked = lock_organization(organization_id)
    refund = Refund.objects.select_related("payment", "created_by").get(pk=refund_id)
    succeeded = isinstance(outcome, Refunded)
    wanted = Refund.Status.SUCCEEDED if succeeded else Refund.Status.FAILED
    if refund.status == wanted or refund.status == Refund.Status.FAILED:
        return refund
    refund.status, refund.settled_at = wanted, now
    refund.gateway_id = outcome.gateway_id or refund.gateway_id
    refund.failure = "" if isinstance(outcome, Refunded) else outcome.message[:300]
    refund.save(update_fields=["status", "settled_at", "gateway_id", "failure"])
    if not succeeded:
        post_entry(
            locked,
            kind=EntryKind.ADJUSTMENT,
            amount_nanos=refund.amount_nanos,
            payment=refund.payment,
            refund=refund,
            reason=_("The refund failed: %(why)s") % {"why": refund.failure[:200]},
            actor=refund.created_by,
            now=now,
        )
        end_series_if_lifted(locked)
    return refund


@transaction.atomic
def post_credit(
    organization: Organization,
    *,
    amount_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> LedgerEntry:
    """Give a balance something (`credit`), or correct it downwards (`adjustment`, a
    negative amount), with a reason.

    `key` names the showing of the form: pressed twice within a day, it is the same
    entry; with other content it is refused (`already_booked`). Raises BusinessError
    `not_prepaid`, `credit_amount`, `reason_missing`.
    """
    locked = lock_organization(organization.pk)
    check_is_prepaid(locked)
    check_reason(reason)
    if (
        amount_nanos == 0
        or amount_nanos % NANOS_PER_CENT
        or abs(amount_nanos) > MAX_AMOUNT_NANOS
    ):
        sentence = _(
            "Enter an amount in whole cents, other than zero and at most %(most)s."
        ) % {"most": format_usd(MAX_AMOUNT_NANOS)}
        raise BusinessError(sentence, code="credit_amount", status=422, field="amount")
    facts: dict[str, Any] = {
        "kind": EntryKind.CREDIT if amount_nanos > 0 else EntryKind.ADJUSTMENT,
        "amount_nanos": amount_nanos,
        "reason": reason.strip(),
        "actor": operator,
    }
    known = _booked_before(locked, key, facts) if key else None
    if known is not None:
        return known
    entry = post_entry(locked, **facts, now=now)
    end_series_if_lifted(locked)
    if key:
        cache.set(_pressed(key), entry.pk, timeout=PRESSES_KEPT)
    return entry


def _pressed(key: str) -> str:
    return f"credit-form:{key}"


def _booked_before(
    locked: Organization, key: str, facts: dict[str, Any]
) -> LedgerEntry | None:
    """The entry that this form made, by the cache that all processes share.

    It is asked and told under the organization's lock, so of two presses at once the
    second waits and finds the entry of the first. An entry that was rolled back after
    it was told does not exist, or is another one, and counts for nothing. The key needs
    no signature: whoever makes one up only keeps themselves from booking twice.
    """
    pk = cache.get(_pressed(key))
    if pk is None:
        return None
    known = LedgerEntry.objects.filter(
        organization=locked, pk=pk, actor=facts["actor"]
    ).first()
    if known is None or all(
        getattr(known, name) == value for name, value in facts.items()
    ):
        return known
    raise BusinessError(
        _(
            "This form was already used to book %(amount)s, so nothing was booked "
            "this time. Open it again to make another entry."
        )
        % {"amount": format_usd(known.amount_nanos)},
        code="already_booked",
    )
