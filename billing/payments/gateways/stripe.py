"""Stripe behind our gateway interface (T6): customers, hosted card form,
PaymentIntents, refunds, signed webhooks.

Cards are entered on Stripe's own Checkout page (`mode=setup`, a SetupIntent behind it),
so no card data comes here. Documented at https://docs.stripe.com/api (PaymentIntents,
Checkout Sessions, Refunds, idempotent requests, webhooks).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import stripe
from django.utils import timezone

from billing.payments.gateways.base import (
    Canceled,
    Card,
    Declined,
    GatewayEvent,
    GatewayForgot,
    GatewayRefused,
    GatewayUnknown,
    InvoiceOrder,
    NeedsAction,
    Outcome,
    PayOrder,
    Refunded,
    RefundFailed,
    RefundOrder,
    RefundOutcome,
    SentInvoice,
)
from billing.payments.gateways.stripe_answers import (
    card_from,
    declined,
    event_of,
    outcome_of,
    refund_outcome,
    text_of,
)
from billing.payments.gateways.stripe_invoices import sync_invoice
from billing.payments.gateways.stripe_money_back import MONEY_BACK_EVENTS
from billing.payments.gateways.stripe_webhooks import read_webhook

TIMEOUT_SECONDS = 30
# Stripe keeps idempotency keys for at least 24 hours; after that the same key could pay
# anew, so we only look.
KEYS_HOLD = dt.timedelta(hours=23)
# Balance is paid by card alone, whatever else the account's dashboard offers.
CARDS_ONLY = {"allowed_payment_method_types": ["card"]}


class StripeGateway:
    """Implements `Gateway` with Stripe's own client."""

    name = "stripe"

    def __init__(
        self, secret_key: str, *, webhook_secret: str = "", api_base: str = ""
    ) -> None:
        self.webhook_secret = webhook_secret
        self.livemode = secret_key.startswith(("sk_live_", "rk_live_"))
        self.client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else {},
            max_network_retries=0,  # who asked decides when to ask again, with the same key
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def create_customer(self, *, reference: str, name: str, email: str) -> str:
        """See `Gateway`."""
        params: Any = {
            "name": name,
            "email": email,
            "metadata": {"organization": reference},
        }
        # One customer an organization also when two owners begin at once; later the id
        # is in our own row.
        options: Any = {"idempotency_key": f"customer-{reference}-{email}-{name}"[:255]}
        return str(
            _ask(lambda: self.client.v1.customers.create(params, options=options)).id
        )

    def card_form_url(
        self, *, customer_id: str, return_url: str, cancel_url: str
    ) -> str:
        """See `Gateway`."""
        back = f"{return_url}{'&' if '?' in return_url else '?'}session={{CHECKOUT_SESSION_ID}}"
        params: Any = {
            "mode": "setup",
            "currency": "usd",
            "customer": customer_id,
            "success_url": back,
            "cancel_url": cancel_url,
            **CARDS_ONLY,
        }
        return str(_ask(lambda: self.client.v1.checkout.sessions.create(params)).url)

    def card_entered(self, *, customer_id: str, session_id: str) -> Card:
        """See `Gateway`."""
        params: Any = {"expand": ["setup_intent.payment_method"]}
        session: Any = _ask(
            lambda: self.client.v1.checkout.sessions.retrieve(session_id, params)
        )
        intent = session.setup_intent
        if (
            session.customer != customer_id
            or not intent
            or intent.status != "succeeded"
        ):
            raise GatewayRefused("no_card_entered")
        return card_from(intent.payment_method, customer_id=customer_id)

    def pay(self, order: PayOrder) -> Outcome:
        """See `Gateway`."""
        if _key_may_be_gone(order):
            return self.find(order) or Declined(
                "never_arrived", "Stripe has no record of this payment."
            )
        params: Any = {
            "amount": order.amount_cents,
            "currency": "usd",
            "customer": order.customer_id,
            "payment_method": order.card_id,
            "confirm": True,
            "metadata": {"payment_key": order.key},
            **CARDS_ONLY,
        }
        if order.on_session:
            params["return_url"] = order.return_url
        else:
            params["off_session"] = True
        try:
            intent = self.client.v1.payment_intents.create(
                params, options={"idempotency_key": order.key}
            )
        except stripe.CardError as error:
            return declined(error)
        except stripe.StripeError as error:
            return self._outcome_after(error, order)
        return self._settled(intent, order)

    def _outcome_after(self, error: stripe.StripeError, order: PayOrder) -> Outcome:
        """A request that failed otherwise: refused for sure, or unknown and looked up."""
        # A wrong key of ours (401, 403) is not the card's fault: nothing was done, so
        # it stays to be asked again.
        if isinstance(error, stripe.InvalidRequestError):
            if error.http_status != 409:
                return Declined(
                    "gateway_refused", str(error.user_message or error)[:300]
                )
        elif isinstance(error, stripe.APIError) and (error.http_status or 0) >= 500:
            # Stripe repeats a 500 for its key; the payment may exist all the same
            outcome = self.find(order)
            if outcome is not None:
                return outcome
        raise GatewayUnknown(f"{type(error).__name__}: {error}") from error

    def find(self, order: PayOrder) -> Outcome | None:
        """See `Gateway`: by our key in the metadata, among the customer's payments
        since it was started.
        """
        params: Any = {
            "customer": order.customer_id,
            "limit": 100,
            "created": {"gte": int(order.started_at.timestamp()) - 3600},
        }
        try:
            listed: Any = _ask(lambda: self.client.v1.payment_intents.list(params))
        except GatewayForgot:  # not even the customer is there
            return None
        for intent in _ask(lambda: list(listed.auto_paging_iter())):
            if text_of(intent.metadata, "payment_key") == order.key:
                return self._settled(intent, order)
        return None

    def _settled(self, intent: Any, order: PayOrder) -> Outcome:
        waits_for_nobody = (
            isinstance(outcome_of(intent), NeedsAction) and not order.on_session
        )
        if not waits_for_nobody and intent.status != "requires_confirmation":
            return _settled_outcome(intent)
        # Nobody is there to confirm it, or Stripe stopped half-way: canceled, so that it
        # can't be taken later behind our back.
        ended = self.cancel(order, gateway_id=intent.id)
        if order.on_session or not isinstance(ended, Canceled):
            return ended
        if waits_for_nobody:
            return Declined(
                "authentication_required",
                "The bank asks the cardholder to confirm.",
                intent.id,
            )
        return Declined(
            "not_confirmed",
            "The payment was interrupted, so it was canceled.",
            intent.id,
        )

    def look(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """See `Gateway`."""
        return self._settled(
            _ask(lambda: self.client.v1.payment_intents.retrieve(gateway_id)), order
        )

    def cancel(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """See `Gateway`."""
        try:
            intent: Any = self.client.v1.payment_intents.cancel(gateway_id)
        except stripe.InvalidRequestError:  # too late to call off: what is it then?
            intent = _ask(lambda: self.client.v1.payment_intents.retrieve(gateway_id))
        except stripe.StripeError as error:
            raise GatewayUnknown(str(error)) from error
        return _settled_outcome(intent)

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """See `Gateway`."""
        if _key_may_be_gone(order):
            return self._find_refund(order) or RefundFailed(
                "Stripe has no record of this refund."
            )
        params: Any = {
            "payment_intent": order.gateway_id,
            "amount": order.amount_cents,
            "metadata": {"refund_key": order.key},
        }
        try:
            refund: Any = self.client.v1.refunds.create(
                params, options={"idempotency_key": order.key}
            )
        except stripe.InvalidRequestError as error:
            if error.http_status == 409:
                raise GatewayUnknown(str(error)) from error
            return RefundFailed(str(error.user_message or error)[:300])
        except stripe.StripeError as error:
            raise GatewayUnknown(str(error)) from error
        return refund_outcome(refund) or Refunded(refund.id)

    def _find_refund(self, order: RefundOrder) -> RefundOutcome | None:
        """The refund by our key in its metadata, among those of its payment."""
        params: Any = {"payment_intent": order.gateway_id, "limit": 100}
        listed: Any = _ask(lambda: self.client.v1.refunds.list(params))
        for refund in _ask(lambda: list(listed.auto_paging_iter())):
            if text_of(refund.metadata, "refund_key") == order.key:
                return refund_outcome(refund) or Refunded(refund.id)
        return None

    def send_invoice(self, order: InvoiceOrder) -> SentInvoice:
        """See `Gateway`."""
        return sync_invoice(self.client, order)

    def read_event(self, body: bytes, signature: str) -> GatewayEvent:
        """See `Gateway`."""
        return read_webhook(body, signature, secret=self.webhook_secret)

    def past_events(self, *, since: dt.datetime) -> Iterator[GatewayEvent]:
        """See `Gateway`: Stripe keeps its events for 30 days."""
        params: Any = {
            "types": sorted(MONEY_BACK_EVENTS),
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
        }
        listed: Any = _ask(lambda: self.client.v1.events.list(params))
        newest_first = _ask(lambda: list(listed.auto_paging_iter()))
        return (event_of(event) for event in reversed(newest_first))


def _settled_outcome(intent: Any) -> Outcome:
    """What a PaymentIntent says. Raises GatewayUnknown while Stripe itself does not know."""
    outcome = outcome_of(intent)
    if outcome is None:
        raise GatewayUnknown(f"The payment is {intent.status}.")
    return outcome


def _key_may_be_gone(order: PayOrder | RefundOrder) -> bool:
    return timezone.now() - order.started_at >= KEYS_HOLD


def _ask(ask: Any) -> Any:
    """An answer of a call that moves no money; its failures as ours."""
    try:
        return ask()
    except (
        stripe.InvalidRequestError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    ) as error:
        is_gone = error.code == "resource_missing" or error.http_status == 404
        raise (GatewayForgot if is_gone else GatewayRefused)(
            str(error.user_message or error)
        ) from error
    except stripe.StripeError as error:
        raise GatewayUnknown(f"{type(error).__name__}: {error}") from error
