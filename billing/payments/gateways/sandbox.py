"""The built-in test gateway (T6): pretends to take money, by card numbers that say what
happens. Needs no network.

It keeps its own record (`models.sandbox`), as a real gateway does on its side, and
honours idempotency keys.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db import IntegrityError, transaction
from django.urls import reverse

from billing.models import SandboxPayment, SandboxRefund
from billing.payments.gateways.base import (
    Canceled,
    Card,
    Declined,
    ForgedEvent,
    GatewayEvent,
    GatewayForgot,
    GatewayRefused,
    GatewayUnknown,
    InvoiceOrder,
    NeedsAction,
    Outcome,
    Paid,
    PayOrder,
    Refunded,
    RefundFailed,
    RefundOrder,
    RefundOutcome,
    SentInvoice,
)

SUCCEEDS = "succeeds"
DECLINES = "declines"
NO_FUNDS = "no_funds"
LOST = "lost_card"
ACTION = "action"
TIMEOUT_PAID = "timeout_paid"
TIMEOUT_LOST = "timeout_lost"
REFUSED = "refused"
# The numbers up to the blank line are those that Stripe's own test mode gives the same meaning.
NUMBERS = {
    "4242424242424242": SUCCEEDS,
    "4000000000000341": DECLINES,
    "4000000000009995": NO_FUNDS,
    "4000000000009987": LOST,
    "4000002500003155": ACTION,
    "4000000000000002": REFUSED,
    "4000000000005001": TIMEOUT_PAID,
    "4000000000005002": TIMEOUT_LOST,
}
DECLINE_WORDS = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
CLOSED = Declined(
    "test_gateway_closed", "The test gateway is closed, so nothing was charged."
)


@dataclass(frozen=True, slots=True)
class Number:
    """A card number as typed into the test gateway's form."""

    behaviour: str
    last4: str

    @property
    def card_id(self) -> str:
        """What the gateway calls the card; it never keeps the number."""
        return f"card_{self.behaviour}_{self.last4}"


def read_number(typed: str) -> Number:
    """A test card's number. Raises GatewayRefused for any other: no real card belongs here."""
    digits = "".join(sign for sign in typed if sign.isdigit())
    if digits not in NUMBERS:
        raise GatewayRefused("unknown_number")
    if NUMBERS[digits] == REFUSED:
        raise GatewayRefused("card_declined")
    return Number(NUMBERS[digits], digits[-4:])


def _path(url: str) -> str:
    """An address of ours without the host: this gateway's pages are ours too, whatever
    host they are opened by.
    """
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path, parts.query, ""))


class SandboxGateway:
    """Implements `Gateway` on the product's own database."""

    name = "sandbox"
    livemode = False

    def create_customer(self, *, reference: str, name: str, email: str) -> str:
        """See `Gateway`."""
        return f"customer-{reference}"

    def card_form_url(
        self, *, customer_id: str, return_url: str, cancel_url: str
    ) -> str:
        """See `Gateway`: a page of ours that plays the gateway's."""
        slug = customer_id.removeprefix("customer-")
        back, cancel = _path(return_url), _path(cancel_url)
        return (
            reverse("sandbox_card", args=[slug])
            + "?"
            + urlencode({"back": back, "cancel": cancel})
        )

    def card_entered(self, *, customer_id: str, session_id: str) -> Card:
        """See `Gateway`: the session is the id of the card itself.

        Anybody could type it; no real money hangs on it.
        """
        behaviour, _sign, last4 = session_id.removeprefix("card_").rpartition("_")
        if (
            behaviour not in NUMBERS.values()
            or behaviour == REFUSED
            or not (last4.isdigit() and len(last4) == 4)
        ):
            raise GatewayRefused("no_card_entered")
        expires_on = dt.date(2099, 12, 31)
        return Card(customer_id, session_id, "Visa", last4, expires_on)

    def pay(self, order: PayOrder) -> Outcome:
        """See `Gateway`."""
        behaviour = order.card_id.removeprefix("card_").rsplit("_", 1)[0]
        record, is_new = self._record(order, behaviour)
        if is_new and behaviour in (TIMEOUT_PAID, TIMEOUT_LOST):
            raise GatewayUnknown("The test gateway did not answer in time.")
        if record.status == "lost":  # this time it arrives
            SandboxPayment.objects.filter(pk=record.pk, status="lost").update(
                status="succeeded"
            )
            record.refresh_from_db()
        return self._outcome(record, order)

    def find(self, order: PayOrder) -> Outcome | None:
        """See `Gateway`."""
        record = (
            SandboxPayment.objects.filter(key=order.key).exclude(status="lost").first()
        )
        return self._outcome(record, order) if record else None

    def look(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """See `Gateway`."""
        outcome = self.find(order)
        if outcome is None:
            raise GatewayForgot("The test gateway has no record of this payment.")
        return outcome

    def cancel(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """See `Gateway`."""
        SandboxPayment.objects.filter(key=order.key, status="requires_action").update(
            status="canceled"
        )
        return self.look(order, gateway_id=gateway_id)

    def confirm(self, key: str, *, agree: bool) -> None:
        """What the owner answered their (pretended) bank."""
        status = "succeeded" if agree else "authentication_required"
        SandboxPayment.objects.filter(key=key, status="requires_action").update(
            status=status
        )

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """See `Gateway`."""
        with transaction.atomic():
            payment = SandboxPayment.objects.select_for_update().get(
                pk=order.gateway_id.removeprefix("sandbox_")
            )
            refund = SandboxRefund.objects.filter(key=order.key).first()
            if refund is None:
                left = payment.amount_cents - sum(
                    payment.refunds.values_list("amount_cents", flat=True)
                )
                if payment.status != "succeeded" or order.amount_cents > left:
                    return RefundFailed(
                        "The refund is larger than what is left to refund."
                    )
                refund = SandboxRefund.objects.create(
                    payment=payment, key=order.key, amount_cents=order.amount_cents
                )
        return Refunded(f"sandbox_refund_{refund.pk}")

    def send_invoice(self, order: InvoiceOrder) -> SentInvoice:
        """See `Gateway`: the test gateway has no page to pay invoices on; operators
        mark them as paid.
        """
        raise GatewayRefused("The test gateway sends no invoices.")

    def read_event(self, body: bytes, signature: str) -> GatewayEvent:
        """See `Gateway`: the test gateway sends none."""
        raise ForgedEvent

    def past_events(self, *, since: dt.datetime) -> Iterable[GatewayEvent]:
        """See `Gateway`: the test gateway gives nothing back by itself."""
        return ()

    def _record(self, order: PayOrder, behaviour: str) -> tuple[SandboxPayment, bool]:
        """The row for this key, and whether it is new: the unique key decides between
        two who ask at once.
        """
        statuses = {
            SUCCEEDS: "succeeded",
            TIMEOUT_PAID: "succeeded",
            TIMEOUT_LOST: "lost",
            DECLINES: "card_declined",
            NO_FUNDS: "insufficient_funds",
            LOST: "lost_card",
            ACTION: "authentication_required",
        }
        if order.on_session:  # only who is there can be sent to their bank
            statuses[ACTION] = "requires_action"
        record = SandboxPayment.objects.filter(key=order.key).first()
        if record is not None:
            return record, False
        try:
            with transaction.atomic():
                record = SandboxPayment.objects.create(
                    key=order.key,
                    customer_id=order.customer_id,
                    card_id=order.card_id,
                    amount_cents=order.amount_cents,
                    status=statuses[behaviour],
                )
        except IntegrityError:
            return SandboxPayment.objects.get(key=order.key), False
        return record, True

    def _outcome(self, record: SandboxPayment, order: PayOrder) -> Outcome:
        gateway_id = f"sandbox_{record.pk}"
        if record.status == "succeeded":
            return Paid(gateway_id)
        if record.status == "canceled":
            return Canceled(gateway_id)
        if record.status == "requires_action":
            slug = record.customer_id.removeprefix("customer-")
            url = reverse("sandbox_bank", args=[slug, record.key])
            return NeedsAction(
                f"{url}?{urlencode({'back': _path(order.return_url)})}", gateway_id
            )
        return Declined(
            record.status, DECLINE_WORDS.get(record.status, record.status), gateway_id
        )


class ClosedSandbox(SandboxGateway):
    """The test gateway once payments go to Stripe: what it only pretended to take never
    becomes balance any more.

    Its refunds go on, since they take pretended money out of a balance.
    """

    def pay(self, order: PayOrder) -> Outcome:
        """See `Gateway`."""
        return CLOSED

    def find(self, order: PayOrder) -> Outcome | None:
        """See `Gateway`."""
        return CLOSED

    def cancel(self, order: PayOrder, *, gateway_id: str) -> Outcome:
        """See `Gateway`."""
        return CLOSED
