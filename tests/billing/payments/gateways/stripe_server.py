"""A small local Stripe: what localstripe lacks.

Idempotency keys, time-outs, Checkout's setup page, authentication, 3DS.

Speaks as https://docs.stripe.com/api documents: form bodies in, JSON out, errors as
`{"error": {...}}`. Its record is in `payments` and `refunds`; what it would send as a
webhook is in `events`.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe import RequestOptions, params
from stripe.params import checkout

from tests.billing.payments.gateways.stripe_invoices import (
    Json,
    LocalInvoices,
    StripeError,
)
from tests.billing.payments.gateways.stripe_outside import OutsideOurHands

# What the installed client knows to send in the version of the API that it speaks;
# Stripe refuses any other name.
KNOWN = {
    ("POST", "customers"): params.CustomerCreateParams,
    ("POST", "checkout sessions"): checkout.SessionCreateParams,
    ("GET", "checkout sessions *"): checkout.SessionRetrieveParams,
    ("POST", "payment_intents"): params.PaymentIntentCreateParams,
    ("GET", "payment_intents"): params.PaymentIntentListParams,
    ("GET", "payment_intents *"): params.PaymentIntentRetrieveParams,
    ("POST", "payment_intents * cancel"): params.PaymentIntentCancelParams,
    ("POST", "refunds"): params.RefundCreateParams,
    ("GET", "refunds"): params.RefundListParams,
    ("GET", "events"): params.EventListParams,
    ("POST", "invoices"): params.InvoiceCreateParams,
    ("GET", "invoices *"): params.InvoiceRetrieveParams,
    ("GET", "invoices"): params.InvoiceListParams,
    ("POST", "invoiceitems"): params.InvoiceItemCreateParams,
    ("POST", "invoices * finalize"): params.InvoiceFinalizeInvoiceParams,
    ("POST", "invoices * void"): params.InvoiceVoidInvoiceParams,
    ("POST", "invoices * pay"): params.InvoicePayParams,
    ("POST", "credit_notes"): params.CreditNoteCreateParams,
}


class StripeServer:
    """Listens on loopback; `fail_next` decides what happens to the next payment: see
    `Handler`.
    """

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.customers: dict[str, Json] = {}
        self.sessions: dict[str, Json] = {}
        self.payments: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.invoices = LocalInvoices(self)
        self.outside = OutsideOurHands(self)
        self.clock: Callable[[], int] = lambda: int(time.time())
        self.events: list[Json] = []
        self.answered: dict[str, tuple[str, int, Json]] = {}
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[Json] = []
        self.fail_next: str = ""
        self.before_answer: Callable[[Json], None] = lambda payment: None
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"stripe": self})
        )
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.http.shutdown()
        self.http.server_close()

    def taken_cents(self) -> int:
        """What was taken from cards, by this server's own record."""
        return sum(
            one["amount"]
            for one in self.payments.values()
            if one["status"] == "succeeded"
        )

    def enter_card(self, url: str, card: str) -> str:
        """Play the owner on Checkout's page: enter a card; where it leads back to."""
        session = self.sessions[url.rsplit("/", 1)[1]]
        method = {
            "id": f"pm_{card}",
            "object": "payment_method",
            "type": "card",
            "card": {
                "brand": "visa",
                "last4": "4242",
                "exp_month": 12,
                "exp_year": 2030,
            },
        }
        session["setup_intent"] = {
            "id": self.new("seti"),
            "object": "setup_intent",
            "status": "succeeded",
            "payment_method": method,
        }
        session["status"] = "complete"
        return str(session["success_url"]).replace(
            "{CHECKOUT_SESSION_ID}", session["id"]
        )

    def confirm(self, payment_id: str, *, agree: bool) -> None:
        """Play the owner at their bank."""
        payment = self.payments[payment_id]
        payment["next_action"] = None
        if agree:
            self.tell(payment | {"status": "succeeded"}, "payment_intent.succeeded")
            payment["status"] = "succeeded"
        else:
            payment["status"] = "requires_payment_method"
            payment["last_payment_error"] = {
                "code": "payment_intent_authentication_failure",
                "message": "Refused.",
            }
            self.tell(payment, "payment_intent.payment_failed")

    def new(self, prefix: str) -> str:
        """A fresh id."""
        return f"{prefix}_{next(self.ids)}"

    def tell(self, about: Json, kind: str) -> Json:
        """Make an event as a webhook would carry it."""
        event = {
            "id": self.new("evt"),
            "object": "event",
            "type": kind,
            "api_version": "2026-01-01",
            "created": self.clock(),
            "livemode": False,
            "pending_webhooks": 1,
            "request": None,
            "data": {"object": dict(about)},
        }
        self.events.append(event)
        return event

    # -- the API -----------------------------------------------------------------------

    def post(self, path: str, data: Json) -> Json:
        match path.strip("/").split("/")[1:]:
            case ["customers"]:
                return self._keep(self.customers, "cus", {"object": "customer", **data})
            case ["checkout", "sessions"]:
                made = self._keep(
                    self.sessions,
                    "cs_test",
                    {
                        "object": "checkout.session",
                        "status": "open",
                        "setup_intent": None,
                        **data,
                    },
                )
                made["url"] = f"{self.url}/pay/{made['id']}"
                return made
            case ["payment_intents"]:
                return self._pay(data)
            case ["payment_intents", payment_id, "cancel"]:
                payment = self.payments[payment_id]
                if payment["status"] in ("succeeded", "canceled"):
                    raise StripeError(
                        400,
                        type="invalid_request_error",
                        message="You cannot cancel this PaymentIntent.",
                    )
                payment["status"], payment["next_action"] = "canceled", None
                return payment
            case ["refunds"]:
                return self._refund(data)
            case [("invoices" | "invoiceitems" | "credit_notes") as kind, *rest]:
                return self.invoices.post(kind, rest, data)
            case _other:
                raise StripeError(
                    404,
                    type="invalid_request_error",
                    message=f"Unrecognized request URL {path}.",
                )

    def get(self, path: str, query: Json) -> Json:
        match path.strip("/").split("/")[1:]:
            case ["checkout", "sessions", session_id] if session_id in self.sessions:
                return self.sessions[session_id]
            case ["payment_intents"]:
                mine = [
                    one
                    for one in self.payments.values()
                    if one["customer"] == query.get("customer")
                ]
                return {
                    "object": "list",
                    "data": mine,
                    "has_more": False,
                    "url": "/v1/payment_intents",
                }
            case ["payment_intents", payment_id] if payment_id in self.payments:
                return self.payments[payment_id]
            case ["invoices", *rest]:
                return self.invoices.get(rest, query)
            case ["events"]:
                return self.outside.past_events(query)
            case ["refunds"]:
                mine = [
                    one
                    for one in self.refunds.values()
                    if one["payment_intent"] == query.get("payment_intent")
                ]
                return {
                    "object": "list",
                    "data": mine,
                    "has_more": False,
                    "url": "/v1/refunds",
                }
            case _other:
                raise StripeError(
                    404,
                    type="invalid_request_error",
                    code="resource_missing",
                    message=f"No such {path}.",
                )

    def _keep(self, table: dict[str, Json], prefix: str, value: Json) -> Json:
        value = {"id": self.new(prefix), **value}
        table[value["id"]] = value
        return value

    def _pay(self, data: Json) -> Json:
        payment = self._keep(
            self.payments,
            "pi",
            {
                "object": "payment_intent",
                "amount": int(data["amount"]),
                "currency": data["currency"],
                "customer": data["customer"],
                "payment_method": data["payment_method"],
                "metadata": data["metadata"],
                "next_action": None,
                "last_payment_error": None,
                "status": "succeeded",
            },
        )
        kind, off_session = (
            data["payment_method"].removeprefix("pm_"),
            data.get("off_session") == "true",
        )
        if kind == "declines":
            self._decline(
                payment,
                code="card_declined",
                decline_code="insufficient_funds",
                message="Your card has insufficient funds.",
            )
        if kind == "action" and off_session:
            self._decline(
                payment,
                code="authentication_required",
                message="This transaction requires authentication.",
            )
        if kind == "action":
            payment["status"] = "requires_action"
            redirect = {
                "url": f"{self.url}/3ds/{payment['id']}",
                "return_url": data["return_url"],
            }
            payment["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": redirect,
            }
            return payment
        self.tell(payment, "payment_intent.succeeded")
        return payment

    def _decline(self, payment: Json, **error: Any) -> None:
        payment["status"], payment["last_payment_error"] = (
            "requires_payment_method",
            error,
        )
        self.tell(payment, "payment_intent.payment_failed")
        raise StripeError(402, type="card_error", payment_intent=payment, **error)

    def _refund(self, data: Json) -> Json:
        payment = self.payments[data["payment_intent"]]
        given = sum(
            one["amount"]
            for one in self.refunds.values()
            if one["payment_intent"] == payment["id"]
        )
        if given + int(data["amount"]) > payment["amount"]:
            raise StripeError(
                400,
                type="invalid_request_error",
                message="Refund amount is greater than unrefunded amount.",
            )
        refund = {
            "object": "refund",
            "amount": int(data["amount"]),
            "currency": payment["currency"],
            "payment_intent": payment["id"],
            "status": "succeeded",
            "metadata": data["metadata"],
        }
        return self._keep(self.refunds, "re", refund)


class Handler(BaseHTTPRequestHandler):
    """`stripe.fail_next`: `drop_before` loses the request, `drop_after` the answer,
    `500` answers so after acting, `429`.
    """

    stripe: StripeServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        key, path = self.headers.get("Idempotency-Key", ""), urlsplit(self.path).path
        with self.stripe.lock:
            self.stripe.requests.append((path, key))
            failing, self.stripe.fail_next = self.stripe.fail_next, ""
            if failing == "drop_before":
                self.close_connection = True
                self.connection.close()
                return
            status, answer = (
                (
                    429,
                    {
                        "error": {
                            "type": "rate_limit_error",
                            "message": "Too many requests.",
                        }
                    },
                )
                if failing == "429"
                else self._once(path, body, key)
            )
        if path == "/v1/payment_intents":
            self.stripe.before_answer(answer)
        if failing == "drop_after":
            self.close_connection = True
            self.connection.close()
            return
        if failing == "500":
            status, answer = (
                500,
                {"error": {"type": "api_error", "message": "Something went wrong."}},
            )
        self._answer(status, answer)

    def _once(self, path: str, body: str, key: str) -> tuple[int, Json]:
        """The same key with the same body answers as before; with another body it is
        refused.
        """
        if key in self.stripe.answered:
            known, status, answer = self.stripe.answered[key]
            if known != path + body:
                return 400, {
                    "error": {
                        "type": "idempotency_error",
                        "message": "Keys can only be used with the same parameters.",
                    }
                }
            return status, json.loads(json.dumps(answer))
        try:
            data = _tree(parse_qsl(body))
            self.stripe.bodies.append(data)
            _check_names("POST", path, data)
            status, answer = 200, self.stripe.post(path, data)
        except StripeError as error:
            status, answer = error.status, error.body
        answer = json.loads(json.dumps(answer))  # as it is now, whatever becomes of it
        if key:
            self.stripe.answered[key] = (path + body, status, answer)
        return status, answer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        try:
            _check_names("GET", parts.path, _tree(list(query.items())))
            self._answer(200, self.stripe.get(parts.path, query))
        except StripeError as error:
            self._answer(error.status, error.body)

    def _answer(self, status: int, answer: Json) -> None:
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: Any) -> None:
        """Silent."""


def _check_names(method: str, path: str, data: Json) -> None:
    """400 for a parameter that the installed client's typed parameters of this call do
    not have, as Stripe does.
    """
    parts = path.strip("/").split("/")[1:]
    place = " ".join(
        "*" if "_" in part and part not in ("payment_intents", "credit_notes") else part
        for part in parts
    )
    if (method, place) not in KNOWN:
        return
    known = set(KNOWN[method, place].__annotations__) - set(
        RequestOptions.__annotations__
    )
    for name in data:
        if name not in known:
            raise StripeError(
                400,
                type="invalid_request_error",
                code="parameter_unknown",
                param=name,
                message=f"Received unknown parameter: {name}",
            )


def _tree(pairs: list[tuple[str, str]]) -> Json:
    """`metadata[key]=x` as nested dictionaries."""
    found: Json = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        if bracket:
            found.setdefault(outer, {})[inner.rstrip("]")] = value
        else:
            found[outer] = value
    return found


def signature(body: bytes, secret: str, *, at: int | None = None) -> str:
    """A Stripe-Signature header: https://docs.stripe.com/webhooks#verify-manually."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(
        secret.encode(), f"{moment}.".encode() + body, hashlib.sha256
    ).hexdigest()
    return f"t={moment},v1={digest}"
