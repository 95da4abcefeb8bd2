"""Asking the payment gateway: a door, so it reads the clock and talks to the outside,
never inside a transaction.

Started rows are written before (`actions.payments`, `actions.refunds`), answers settled
after. Whatever happens in between, the sweep asks again with the same key.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable

import structlog
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization, User
from accounts.tasks import send_soon
from billing.models import Payment, Refund
from billing.payments.actions.purchases import (
    ACTION_LASTS,
    Settled,
    claim_payment,
    put_off_payment,
    settle_payment,
    start_purchase,
)
from billing.payments.actions.refunds import (
    claim_refund,
    put_off_refund,
    settle_refund,
    start_refund,
)
from billing.payments.actions.reloads import tend_balance
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import (
    Canceled,
    Gateway,
    GatewayForgot,
    GatewayRefused,
    GatewayUnknown,
    NeedsAction,
    Outcome,
    PayOrder,
    RefundOrder,
)
from billing.payments.queries.reloads import is_wanted
from config.kit.links import absolute
from config.kit.money import to_cents

log = structlog.get_logger(__name__)


def buy(
    organization: Organization,
    *,
    amount_nanos: int,
    buyer: User,
    key: str = "",
    now: dt.datetime,
) -> Payment:
    """Buy balance for a person who is there; with the same `key` again it is the same purchase.

    Raises what `start_purchase` raises; the outcome is in the row's status.
    """
    payment, is_new = start_purchase(
        organization,
        amount_nanos=amount_nanos,
        buyer=buyer,
        key=key or uuid.uuid4().hex,
        now=now,
    )
    return _settle_now(payment, now=now) if is_new else payment


def tend(organization_id: int, *, now: dt.datetime) -> Payment | None:
    """Look after a prepaid balance: buy the reload that is due, send what owners have
    to know.
    """
    tended = tend_balance(organization_id, now=now)
    send_soon(tended.mails)
    return _settle_now(tended.payment, now=now) if tended.payment else None


def settle_later(payment_id: int) -> Payment | None:
    """Ask about one unsettled payment that is due; None when it is settled or in other
    hands.
    """
    now = timezone.now()
    payment = claim_payment(payment_id, now=now)
    return _settle_now(payment, now=now) if payment else None


def look_now(payment: Payment, *, now: dt.datetime) -> Payment:
    """The owner comes back from their bank: what is true now."""
    return _settle_now(payment, now=now) if payment.status in Payment.OPEN else payment


def call_off(payment: Payment, *, now: dt.datetime) -> Payment:
    """The owner gives up a purchase that waits for their bank; it may have been paid
    all the same.
    """
    if payment.status != Payment.Status.ACTION:
        return payment
    return _settle_now(payment, now=now, ask=_cancel)


Ask = Callable[[Gateway, Payment, dt.datetime], Outcome]


def _ask(gateway: Gateway, payment: Payment, now: dt.datetime) -> Outcome:
    order = _order(payment)
    if payment.status == Payment.Status.ACTION:
        outcome = gateway.look(order, gateway_id=payment.gateway_id)
        return (
            _cancel(gateway, payment, now)
            if isinstance(outcome, NeedsAction) and _is_over(payment, now)
            else outcome
        )
    is_asked_again = payment.purpose == Payment.Purpose.RELOAD and payment.checks > 1
    if is_asked_again and not is_wanted(payment.organization_id, now=now):
        # Whoever started it may have died before asking, and since then it, or extra
        # usage, was switched off (C7).
        return gateway.find(order) or Canceled("")
    return gateway.pay(order)


def _cancel(gateway: Gateway, payment: Payment, now: dt.datetime) -> Outcome:
    return gateway.cancel(_order(payment), gateway_id=payment.gateway_id)


def _is_over(payment: Payment, now: dt.datetime) -> bool:
    """The owner's time to confirm at their bank has passed."""
    return (
        payment.status == Payment.Status.ACTION
        and now >= payment.created_at + ACTION_LASTS
    )


def _settle_now(payment: Payment, *, now: dt.datetime, ask: Ask = _ask) -> Payment:
    """Ask the gateway and keep its answer; without one the row stays unsettled and is
    asked about again.
    """
    asked_at = time.monotonic()
    try:
        outcome = ask(gateway_named(payment.gateway), payment, now)
    except (GatewayUnknown, GatewayRefused, LookupError) as error:
        if not (isinstance(error, GatewayForgot) and _is_over(payment, now)):
            return _unknown(payment, error, now=now)
        outcome = Canceled(
            payment.gateway_id
        )  # nobody can confirm what the gateway does not have
    return _keep(
        payment, outcome, now=now + dt.timedelta(seconds=time.monotonic() - asked_at)
    )


def _order(payment: Payment) -> PayOrder:
    back = reverse("payment_back", args=[payment.organization.slug, payment.key])
    return PayOrder(
        key=payment.key,
        amount_cents=to_cents(payment.amount_nanos),
        customer_id=payment.customer_id,
        card_id=payment.card_id,
        on_session=payment.purpose == Payment.Purpose.PURCHASE,
        return_url=absolute(back),
        started_at=payment.created_at,
    )


def _unknown(payment: Payment, error: Exception, *, now: dt.datetime) -> Payment:
    log.warning("payment.unknown", payment=payment.pk, error=str(error))
    put_off_payment(payment, now=now)
    return Payment.objects.get(pk=payment.pk)


def _keep(payment: Payment, outcome: Outcome, *, now: dt.datetime) -> Payment:
    settled: Settled = settle_payment(payment.pk, outcome, now=now)
    if settled.is_news:
        log.info("payment.settled", payment=payment.pk, status=settled.payment.status)
    send_soon(settled.mails)
    return settled.payment


def give_back(
    payment: Payment,
    *,
    amount_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> Refund:
    """Refund an unused purchase, or a part of it; with the same `key` again it is the
    same refund.

    Raises what `start_refund` raises.
    """
    refund, is_new = start_refund(
        payment,
        amount_nanos=amount_nanos,
        reason=reason,
        operator=operator,
        key=key,
        now=now,
    )
    return _refund_now(refund, now=now) if is_new else refund


def refund_later(refund_id: int) -> Refund | None:
    """Ask about one unsettled refund that is due; None when it is settled or in other hands."""
    now = timezone.now()
    refund = claim_refund(refund_id, now=now)
    return _refund_now(refund, now=now) if refund else None


def _refund_now(refund: Refund, *, now: dt.datetime) -> Refund:
    order = RefundOrder(
        refund.key,
        refund.payment.gateway_id,
        to_cents(refund.amount_nanos),
        refund.created_at,
    )
    try:
        outcome = gateway_named(refund.payment.gateway).refund(order)
    except (GatewayUnknown, GatewayRefused, LookupError) as error:
        log.warning("refund.unknown", refund=refund.pk, error=str(error))
        put_off_refund(refund, now=now)
        return refund
    return settle_refund(refund.pk, outcome, now=now)
