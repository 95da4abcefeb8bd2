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
    GatewayRefused,
    NeedsAction,
    Notice,
    Outcome,
    Paid,
    Refunded,
    RefundFailed,
    RefundOutcome,
)

PAYMENT_EVENTS = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
    }
)
REFUND_EVENTS = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
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


def card_of(method: Any, *, customer_id: str) -> Card:
    """The card that a PaymentMethod is.

    Raises GatewayRefused for a bank account, a wallet or whatever else it may be.
    """
    card = getattr(method, "card", None)
    if method is None or method.type != "card" or card is None:
        raise GatewayRefused("not_a_card")
    last = dt.date(
        card.exp_year + card.exp_month // 12, card.exp_month % 12 + 1, 1
    ) - dt.timedelta(days=1)
    return Card(
        customer_id,
        method.id,
        BRANDS.get(card.brand, card.brand.title()),
        card.last4,
        last,
    )


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
            error = intent.last_payment_error
            code = (
                (getattr(error, "decline_code", None) or getattr(error, "code", None))
                if error
                else None
            )
            words = getattr(error, "message", None) if error else None
            return Declined(
                code or "card_declined",
                (words or "The card was declined.")[:300],
                intent.id,
            )
        case _other:
            return None


def declined(error: stripe.CardError) -> Declined:
    """Why a card was declined, in Stripe's words."""
    body: Any = (
        (error.json_body or {}).get("error", {})
        if isinstance(error.json_body, dict)
        else {}
    )
    code = body.get("decline_code") if body.get("code") == "card_declined" else None
    intent = body.get("payment_intent") or {}
    words = str(error.user_message or "The card was declined.")
    return Declined(
        code or error.code or "card_declined", words[:300], intent.get("id", "")
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


def notice_of(event: Any) -> Notice:
    """A verified event, as far as it is about a payment, a refund or a paid invoice."""
    about = event.data.object
    if event.type == "invoice.paid":
        return Notice(
            event.id,
            event.type,
            invoice_key=text_of(getattr(about, "metadata", None), "invoice_key"),
            amount_cents=getattr(about, "total", None),
            currency=getattr(about, "currency", None) or "",
            customer_id=_id(getattr(about, "customer", None)),
            gateway_id=about.id,
            livemode=event.livemode,
        )
    if event.type not in PAYMENT_EVENTS | REFUND_EVENTS:
        return Notice(event.id, event.type)
    metadata = getattr(about, "metadata", None)
    says: dict[str, Any] = {
        "amount_cents": getattr(about, "amount", None),
        "currency": getattr(about, "currency", None) or "",
        "livemode": event.livemode,
    }
    if event.type in PAYMENT_EVENTS:
        says |= {
            "payment_key": text_of(metadata, "payment_key"),
            "outcome": outcome_of(about),
        }
        says |= {
            "customer_id": _id(getattr(about, "customer", None)),
            "gateway_id": about.id,
        }
    else:
        says |= {
            "refund_key": text_of(metadata, "refund_key"),
            "refund_outcome": refund_outcome(about),
        }
        says |= {"gateway_id": _id(getattr(about, "payment_intent", None))}
    return Notice(event.id, event.type, **says)


def _id(named: Any) -> str:
    """The id of what Stripe names by its id or, expanded, as the whole object."""
    return str(getattr(named, "id", named) or "")


def text_of(metadata: Any, name: str) -> str:
    """One value of an object's metadata; empty where it has none."""
    return (
        str((metadata or {}).get(name) or "")
        if hasattr(metadata or {}, "get")
        else str(getattr(metadata, name, ""))
    )
