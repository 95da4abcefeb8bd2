"""Asking the payment gateway: a door, so it reads the clock and talks to the outside,
never inside a transaction.

Started rows are written before (`actions.purchases`, `.reloads`, `.refunds`), answers
settled after. Whatever happens in between, the sweep asks again with the same key.
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
    claim_payment,
    retry_payment_later,
    start_purchase,
)
from billing.payments.actions.refunds import (
    claim_refund,
    retry_refund_later,
    settle_refund,
    start_refund,
)
from billing.payments.actions.reloads import start_reload_if_due
from billing.payments.actions.settling import ACTION_LASTS, settle_payment
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
# No answer of a gateway: not reached, or it is not configured any more (LookupError).
NO_ANSWER = (GatewayUnknown, GatewayRefused, LookupError)


def purchase(
    organization: Organization,
    *,
    amount_nanos: int,
    buyer: User,
    key: str = "",
    now: dt.datetime,
) -> Payment:
    """Buy balance for a person who is there; with the same `key` again it is the same purchase.

    `amount_nanos` is nano-USD. Raises what `start_purchase` raises; the outcome is in
    the row's status.
    """
    payment, is_new = start_purchase(
        organization,
        amount_nanos=amount_nanos,
        buyer=buyer,
        key=key or uuid.uuid4().hex,
        now=now,
    )
    return _ask_and_settle(payment, now=now) if is_new else payment


def reload_if_due(organization_id: int, *, now: dt.datetime) -> Payment | None:
    """Buy the reload that is due for a prepaid balance, or send what owners have to
    know; the payment, if one was made.
    """
    started = start_reload_if_due(organization_id, now=now)
    send_soon(started.mails)
    if started.payment is None:
        return None
    return _ask_and_settle(started.payment, now=now)


def settle_due(payment_id: int) -> Payment | None:
    """Ask about one unsettled payment that is due; None when it is settled or in other
    hands.
    """
    now = timezone.now()
    payment = claim_payment(payment_id, now=now)
    return _ask_and_settle(payment, now=now) if payment else None


def refresh(payment: Payment, *, now: dt.datetime) -> Payment:
    """The owner comes back from their bank: ask what is true now."""
    if payment.status not in Payment.OPEN:
        return payment
    return _ask_and_settle(payment, now=now)


def cancel(payment: Payment, *, now: dt.datetime) -> Payment:
    """The owner gives up a purchase that waits for their bank; it may have been paid
    all the same.
    """
    if payment.status != Payment.Status.ACTION:
        return payment
    return _ask_and_settle(payment, now=now, ask=_cancel_at_gateway)


Ask = Callable[[Gateway, Payment, dt.datetime], Outcome]


def _pay_or_look(gateway: Gateway, payment: Payment, now: dt.datetime) -> Outcome:
    """What became of a payment; where nobody asked before, this makes it.

    1. One that waits for the owner's bank is only looked at, and canceled once their
       time has passed.
    2. A reload that is asked about again, and that nobody wants any more, is looked up:
       whoever started it may have died before asking, and since then auto-reload or
       extra usage was switched off (C7). Money that was taken counts, but none is taken
       now.
    3. All else is asked for with its key, which pays once however often it is asked.
    """
    order = _order_of(payment)
    if payment.status == Payment.Status.ACTION:
        outcome = gateway.look(order, gateway_id=payment.gateway_id)
        if isinstance(outcome, NeedsAction) and _is_over(payment, now):
            return _cancel_at_gateway(gateway, payment, now)
        return outcome
    is_asked_again = payment.purpose == Payment.Purpose.RELOAD and payment.checks > 1
    if is_asked_again and not is_wanted(payment.organization_id, now=now):
        return gateway.find(order) or Canceled("")
    return gateway.pay(order)


def _cancel_at_gateway(gateway: Gateway, payment: Payment, now: dt.datetime) -> Outcome:
    return gateway.cancel(_order_of(payment), gateway_id=payment.gateway_id)


def _is_over(payment: Payment, now: dt.datetime) -> bool:
    """The owner's time to confirm at their bank has passed."""
    return (
        payment.status == Payment.Status.ACTION
        and now >= payment.created_at + ACTION_LASTS
    )


def _ask_and_settle(
    payment: Payment, *, now: dt.datetime, ask: Ask = _pay_or_look
) -> Payment:
    """Ask the gateway and keep its answer; without one the row stays unsettled and is
    asked about again.
    """
    asked_at = time.monotonic()
    try:
        outcome = ask(gateway_named(payment.gateway), payment, now)
    except NO_ANSWER as error:
        if not (isinstance(error, GatewayForgot) and _is_over(payment, now)):
            return _retry_later(payment, error, now=now)
        # Nobody can confirm what the gateway does not have.
        outcome = Canceled(payment.gateway_id)
    answered_at = now + dt.timedelta(seconds=time.monotonic() - asked_at)
    return _settle(payment, outcome, now=answered_at)


def _order_of(payment: Payment) -> PayOrder:
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


def _retry_later(payment: Payment, error: Exception, *, now: dt.datetime) -> Payment:
    log.warning("payment.unknown", payment=payment.pk, error=str(error))
    retry_payment_later(payment, now=now)
    return Payment.objects.get(pk=payment.pk)


def _settle(payment: Payment, outcome: Outcome, *, now: dt.datetime) -> Payment:
    settled = settle_payment(payment.pk, outcome, now=now)
    if settled.is_news:
        log.info("payment.settled", payment=payment.pk, status=settled.payment.status)
    send_soon(settled.mails)
    return settled.payment


def refund(
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

    `amount_nanos` is nano-USD. Raises what `start_refund` raises; the outcome is in the
    row's status.
    """
    started, is_new = start_refund(
        payment,
        amount_nanos=amount_nanos,
        reason=reason,
        operator=operator,
        key=key,
        now=now,
    )
    return _ask_and_settle_refund(started, now=now) if is_new else started


def settle_due_refund(refund_id: int) -> Refund | None:
    """Ask about one unsettled refund that is due; None when it is settled or in other hands."""
    now = timezone.now()
    claimed = claim_refund(refund_id, now=now)
    return _ask_and_settle_refund(claimed, now=now) if claimed else None


def _ask_and_settle_refund(unsettled: Refund, *, now: dt.datetime) -> Refund:
    order = RefundOrder(
        unsettled.key,
        unsettled.payment.gateway_id,
        to_cents(unsettled.amount_nanos),
        unsettled.created_at,
    )
    try:
        outcome = gateway_named(unsettled.payment.gateway).refund(order)
    except NO_ANSWER as error:
        log.warning("refund.unknown", refund=unsettled.pk, error=str(error))
        retry_refund_later(unsettled, now=now)
        return unsettled
    return settle_refund(unsettled.pk, outcome, now=now)
