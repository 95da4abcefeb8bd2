"""What Stripe's objects say, as our own values.

Reads only: nothing here asks Stripe or moves money.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import stripe

from billing.payments.gateways.base import (
    Canceled,
    Card,
    Declined,
    GatewayEvent,
    GatewayRefused,
    NeedsAction,
    Outcome,
    Paid,
    Refunded,
    RefundFailed,
    RefundOutcome,
)
from billing.payments.gateways.stripe_money_back import (
    MONEY_BACK_EVENTS,
    REFUND_EVENTS,
    money_back_of,
)

PAYMENT_EVENTS = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
    }
)
BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "jcb": "JCB",
    "diners": "Diners",
    "discover": "Discover",
    "unionpay": "UnionPay",
}


def card_from(method: Any, *, customer_id: str) -> Card:
    """The card that a PaymentMethod is.

    Raises GatewayRefused for a bank account, a wallet or whatever else it may be.
    """
    card = getattr(method, "card", None)
    if method is None or method.type != "card" or card is None:
        raise GatewayRefused("not_a_card")
    return Card(
        customer_id,
        method.id,
        BRANDS.get(card.brand, card.brand.title()),
        card.last4,
        _last_of_month(card.exp_year, card.exp_month),
    )


def _last_of_month(year: int, month: int) -> dt.date:
    next_first = dt.date(year + month // 12, month % 12 + 1, 1)
    return next_first - dt.timedelta(days=1)


def outcome_of(intent: Any) -> Outcome | None:
    """What a PaymentIntent says; None while Stripe itself does not know (`processing`)."""
    match intent.status:
        case "succeeded":
            return Paid(intent.id)
        case "canceled":
            return Canceled(intent.id)
        case "requires_action":
            action = intent.next_action
            redirect = getattr(action, "redirect_to_url", None) if action else None
            return NeedsAction(str(redirect.url) if redirect else "", intent.id)
        case "requires_payment_method":
            return _declined_intent(intent)
        case _other:
            return None


def _declined_intent(intent: Any) -> Declined:
    error = intent.last_payment_error or None
    code = getattr(error, "decline_code", None) or getattr(error, "code", None)
    message = getattr(error, "message", None) or "The card was declined."
    return Declined(code or "card_declined", message[:300], intent.id)


def declined(error: stripe.CardError) -> Declined:
    """Why a card was declined, in Stripe's words."""
    body: Any = {}
    if isinstance(error.json_body, dict):
        body = error.json_body.get("error", {})
    code = body.get("decline_code") if body.get("code") == "card_declined" else None
    intent = body.get("payment_intent") or {}
    message = str(error.user_message or "The card was declined.")
    return Declined(
        code or error.code or "card_declined", message[:300], intent.get("id", "")
    )


def refund_outcome(refund: Any) -> RefundOutcome | None:
    """What a Refund says; None for `pending`, which Stripe settles by itself and tells
    by webhook.
    """
    if refund.status == "succeeded":
        return Refunded(refund.id)
    if refund.status in ("failed", "canceled"):
        return RefundFailed(
            getattr(refund, "failure_reason", None) or refund.status, refund.id
        )
    return None


def event_of(event: Any) -> GatewayEvent:
    """A verified event, as far as it is about a payment, a refund, a dispute or a paid
    invoice.
    """
    if event.type == "invoice.paid":
        return _invoice_event(event)
    if event.type == "invoice_payment.paid":
        return _invoice_payment_event(event)
    if event.type in PAYMENT_EVENTS:
        return _payment_event(event)
    if event.type in REFUND_EVENTS:
        return _refund_event(event)
    if event.type in MONEY_BACK_EVENTS:
        return _money_back_event(event)
    return GatewayEvent(event.id, event.type)


def _invoice_event(event: Any) -> GatewayEvent:
    invoice = event.data.object
    return GatewayEvent(
        event.id,
        event.type,
        invoice_key=text_of(getattr(invoice, "metadata", None), "invoice_key"),
        amount_cents=getattr(invoice, "total", None),
        currency=getattr(invoice, "currency", None) or "",
        customer_id=_id_of(getattr(invoice, "customer", None)),
        gateway_id=invoice.id,
        invoice_id=invoice.id,
        payment_id=payment_of_invoice(invoice),
        livemode=event.livemode,
    )


def payment_of_invoice(invoice: Any) -> str:
    """The PaymentIntent that paid it, where the invoice says so: by name in Stripe's
    versions before 2025-03-31, later among its `payments`, where these were asked for.
    """
    named = _id_of(getattr(invoice, "payment_intent", None))
    if named:
        return named
    listed = getattr(getattr(invoice, "payments", None), "data", None) or []
    paid = [one for one in listed if getattr(one, "status", "") == "paid"]
    return next(filter(None, map(_payment_intent_of, paid)), "")


def _payment_intent_of(invoice_payment: Any) -> str:
    payment = getattr(invoice_payment, "payment", None)
    return _id_of(getattr(payment, "payment_intent", None))


def _invoice_payment_event(event: Any) -> GatewayEvent:
    about = event.data.object
    return GatewayEvent(
        event.id,
        event.type,
        invoice_id=_id_of(getattr(about, "invoice", None)),
        payment_id=_payment_intent_of(about),
        livemode=event.livemode,
    )


def _payment_event(event: Any) -> GatewayEvent:
    intent = event.data.object
    return GatewayEvent(
        event.id,
        event.type,
        payment_key=text_of(getattr(intent, "metadata", None), "payment_key"),
        outcome=outcome_of(intent),
        amount_cents=getattr(intent, "amount", None),
        currency=getattr(intent, "currency", None) or "",
        customer_id=_id_of(getattr(intent, "customer", None)),
        gateway_id=intent.id,
        livemode=event.livemode,
    )


def _refund_event(event: Any) -> GatewayEvent:
    refund = event.data.object
    return GatewayEvent(
        event.id,
        event.type,
        refund_key=text_of(getattr(refund, "metadata", None), "refund_key"),
        refund_outcome=refund_outcome(refund),
        money_back=money_back_of(event),
        amount_cents=getattr(refund, "amount", None),
        currency=getattr(refund, "currency", None) or "",
        gateway_id=_id_of(getattr(refund, "payment_intent", None)),
        livemode=event.livemode,
    )


def _money_back_event(event: Any) -> GatewayEvent:
    """A charge that was refunded, or a dispute; both name their PaymentIntent."""
    about = event.data.object
    return GatewayEvent(
        event.id,
        event.type,
        money_back=money_back_of(event),
        currency=getattr(about, "currency", None) or "",
        gateway_id=_id_of(getattr(about, "payment_intent", None)),
        livemode=event.livemode,
    )


def _id_of(reference: Any) -> str:
    """The id of what Stripe names by its id or, expanded, as the whole object."""
    return str(getattr(reference, "id", reference) or "")


def text_of(metadata: Any, name: str) -> str:
    """One value of an object's metadata; empty where it has none."""
    values = metadata or {}
    if hasattr(values, "get"):
        return str(values.get(name) or "")
    return str(getattr(values, name, ""))
