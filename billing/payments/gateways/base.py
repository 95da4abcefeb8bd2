"""What every payment gateway can do for us, and its answers as plain values.

Amounts are whole cents of USD.

Each call that moves money carries the idempotency key of our own row: asking again with
it never pays again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from billing.payments.gateways.money_back import MoneyBack


class GatewayUnknown(Exception):
    """The gateway did not answer, so nobody knows what it did. Ask again with the same key."""


class GatewayRefused(Exception):
    """The gateway said no to something that is not a payment; the text is for the
    person who asked.
    """


class GatewayForgot(GatewayRefused):
    """The gateway does not know what it was asked about: it never had it, or another
    account of it has.
    """


class ForgedEvent(Exception):
    """A webhook whose signature is not the gateway's."""


class UnreadableEvent(Exception):
    """A webhook whose signature is the gateway's, but which is no event as documented."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card kept at the gateway; the number stays there."""

    customer_id: str
    card_id: str
    brand: str
    last4: str
    expires_on: dt.date


@dataclass(frozen=True, slots=True)
class PayOrder:
    """One payment to make.

    `on_session`: the owner is there and can be sent to their bank and back to
    `return_url`.
    """

    key: str
    amount_cents: int
    customer_id: str
    card_id: str
    on_session: bool
    return_url: str
    started_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Paid:
    """The money was taken."""

    gateway_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It was not taken, and will not be; `message` is the gateway's own sentence."""

    code: str
    message: str
    gateway_id: str = ""


@dataclass(frozen=True, slots=True)
class NeedsAction:
    """The owner's bank wants their confirmation at `url`."""

    url: str
    gateway_id: str


@dataclass(frozen=True, slots=True)
class Canceled:
    """It was called off before anything was taken; without an id the gateway never
    heard of it.
    """

    gateway_id: str


Outcome = Paid | Declined | NeedsAction | Canceled


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Money of one payment to give back."""

    key: str
    gateway_id: str
    amount_cents: int
    started_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money is on its way back."""

    gateway_id: str


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """It is not, and will not be; `message` is the gateway's own sentence."""

    message: str
    gateway_id: str = ""


RefundOutcome = Refunded | RefundFailed


@dataclass(frozen=True, slots=True)
class InvoiceOrder:
    """Our invoice as the gateway's should be: `status` open, paid or void; `gateway_id`
    empty before it was made there.
    """

    key: str
    number: str
    gateway_id: str
    customer_id: str
    description: str
    amount_cents: int
    credited_cents: int
    status: str
    due_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SentInvoice:
    """The gateway's invoice: its id, the page to pay it on, whether the gateway itself
    took money for it, and by which payment.
    """

    gateway_id: str
    url: str
    is_paid: bool
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """A verified webhook: the payment, refund or invoice it names by our key, and what
    became of it; or money that went back of the payment `gateway_id`, by any hand.

    The key could be copied, so all else has to be what our row has, or it is about
    something else: amount in cents, currency, customer, mode, and `gateway_id`, which
    is the payment's also where it is about a refund.
    """

    id: str
    kind: str
    payment_key: str = ""
    outcome: Outcome | None = None
    refund_key: str = ""
    refund_outcome: RefundOutcome | None = None
    money_back: MoneyBack | None = None
    invoice_key: str = ""  # of an invoice that was paid
    invoice_id: str = ""  # of one whose payment is named
    payment_id: str = ""  # which payment paid that invoice
    amount_cents: int | None = None
    currency: str = ""
    customer_id: str = ""
    gateway_id: str = ""
    livemode: bool | None = None


class Gateway(Protocol):
    """Every method may raise GatewayUnknown; those that only read or prepare also
    GatewayRefused.
    """

    name: str
    livemode: bool  # whether real money moves

    def create_customer(self, *, reference: str, name: str, email: str) -> str:
        """The id of the customer for `reference` (our organization); the same reference
        gives the same customer.
        """

    def card_form_url(
        self, *, customer_id: str, return_url: str, cancel_url: str
    ) -> str:
        """Where the owner enters a card: a page of the gateway's own, which leads back
        to `return_url`.
        """

    def card_entered(self, *, customer_id: str, session_id: str) -> Card:
        """The card entered in the form with `session_id`.

        Raises GatewayRefused `no_card_entered`, `not_a_card`.
        """

    def pay(self, order: PayOrder) -> Outcome:
        """Make the payment, or answer what became of it where it was asked for before."""

    def find(self, order: PayOrder) -> Outcome | None:
        """What became of a payment, by our key; None where the gateway was never asked
        for it. Moves no money.
        """

    def look(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """What is true now of a payment that waited for the owner's bank; moves no
        money. Raises GatewayForgot.
        """

    def cancel(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """Call off a payment that waits for the bank; what is true now, which may be
        `Paid`. Raises GatewayForgot.
        """

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Give money back, or answer what became of it where it was asked for before."""

    def send_invoice(self, order: InvoiceOrder) -> SentInvoice:
        """Make the gateway's invoice what ours is. Raises GatewayForgot, GatewayRefused."""

    def read_event(self, body: bytes, signature: str) -> GatewayEvent:
        """A webhook's content. Raises ForgedEvent, UnreadableEvent."""

    def past_events(self, *, since: dt.datetime) -> Iterable[GatewayEvent]:
        """What the gateway told, or meant to tell, since then of money that went back,
        oldest first.
        """
