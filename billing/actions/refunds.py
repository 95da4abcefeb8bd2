"""Refunds and credits by operators (T7): the ledger moves first, so that nobody spends what is on its way back.

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from accounts.actions.organizations import lock_organization
from accounts.models import Organization, User
from billing.actions.ledger import account_of, post_entry
from billing.actions.payments import CLAIM, WAITS, check_is_prepaid
from billing.gateways.base import Refunded, RefundOutcome
from billing.models import EntryKind, LedgerEntry, Payment, Refund
from config.kit.errors import BusinessError
from config.kit.money import MAX_AMOUNT_NANOS, NANOS_PER_CENT, format_usd


def refundable_nanos(payment: Payment) -> int:
    """What of a purchase is neither refunded nor used: at most its rest, at most the balance (T7)."""
    if payment.status != Payment.Status.SUCCEEDED:
        return 0
    given = payment.refunds.exclude(status=Refund.Status.FAILED).aggregate(sum=Sum("amount_nanos"))["sum"] or 0
    account = account_of(payment.organization)
    whole_cents = account.balance_nanos // NANOS_PER_CENT * NANOS_PER_CENT
    return max(0, min(payment.amount_nanos - given, whole_cents))


@transaction.atomic
def start_refund(payment: Payment, *, amount_nanos: int, reason: str, operator: User, now: dt.datetime) -> Refund:
    """Take an amount out of the balance to give it back to the card; the caller then asks the gateway.

    Raises BusinessError `refund_amount` beyond what is unused, or `reason_missing`.
    """
    locked = lock_organization(payment.organization_id)
    payment = Payment.objects.select_related("organization").get(pk=payment.pk)
    _check_reason(reason)
    left = refundable_nanos(payment)
    if amount_nanos <= 0 or amount_nanos % NANOS_PER_CENT or amount_nanos > left:
        words = {"left": format_usd(left), "amount": format_usd(amount_nanos)}
        raise BusinessError(
            _("%(amount)s can't be refunded: %(left)s of this purchase is unused. Enter whole cents up to that.")
            % words,
            code="refund_amount", status=422, field="amount",
        )  # fmt: skip
    refund = Refund.objects.create(
        payment=payment, amount_nanos=amount_nanos, key=uuid.uuid4().hex, reason=reason.strip(), created_by=operator,
        created_at=now, next_check_at=now + CLAIM, checks=1,
    )  # fmt: skip
    post_entry(
        locked, kind=EntryKind.REFUND, amount_nanos=-amount_nanos, payment=payment, refund=refund,
        reason=refund.reason, actor=operator, now=now,
    )  # fmt: skip
    return refund


def claim_refund(refund_id: int, *, now: dt.datetime) -> Refund | None:
    """Take an unsettled refund that is due; None when it is settled or somebody else is asking."""
    won = Refund.objects.due(now).filter(pk=refund_id).update(next_check_at=now + CLAIM, checks=F("checks") + 1)
    return Refund.objects.select_related("payment").get(pk=refund_id) if won else None


def put_off_refund(refund: Refund, *, now: dt.datetime) -> None:
    """Nobody knows yet: ask again later, with the same key."""
    wait = WAITS[min(refund.checks, len(WAITS)) - 1]
    Refund.objects.filter(pk=refund.pk, status=Refund.Status.STARTED).update(next_check_at=now + wait)


@transaction.atomic
def settle_refund(refund_id: int, outcome: RefundOutcome, *, now: dt.datetime) -> Refund:
    """Keep what the gateway says; where it failed, also after it had seemed to succeed, the balance gets it back once."""
    organization_id = Refund.objects.values_list("payment__organization_id", flat=True).get(pk=refund_id)
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
            locked, kind=EntryKind.ADJUSTMENT, amount_nanos=refund.amount_nanos, payment=refund.payment, refund=refund,
            reason=_("The refund failed: %(why)s") % {"why": refund.failure[:200]}, actor=refund.created_by, now=now,
        )  # fmt: skip
    return refund


@transaction.atomic
def post_credit(
    organization: Organization, *, amount_nanos: int, reason: str, operator: User, now: dt.datetime
) -> LedgerEntry:
    """Give a balance something (`credit`), or correct it downwards (`adjustment`, a negative amount), with a reason.

    Raises BusinessError `not_prepaid`, `credit_amount`, `reason_missing`.
    """
    locked = lock_organization(organization.pk)
    check_is_prepaid(locked)
    _check_reason(reason)
    if amount_nanos == 0 or amount_nanos % NANOS_PER_CENT or abs(amount_nanos) > MAX_AMOUNT_NANOS:
        sentence = _("Enter whole cents, other than zero and at most %(most)s.") % {
            "most": format_usd(MAX_AMOUNT_NANOS)
        }
        raise BusinessError(sentence, code="credit_amount", status=422, field="amount")
    kind = EntryKind.CREDIT if amount_nanos > 0 else EntryKind.ADJUSTMENT
    return post_entry(
        locked, kind=kind, amount_nanos=amount_nanos, reason=reason.strip()[:300], actor=operator, now=now
    )


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason.strip()) > 300:
        raise BusinessError(
            _("Say why, in at most 300 characters; owners read it in the ledger."),
            code="reason_missing", status=422, field="reason",
        )  # fmt: skip
