"""T6, T7 against localstripe, a Stripe written by others: where it is faithful, our
reading of the API must agree with it.
"""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import stripe as stripe_client

from accounts.actions.audit import Actor
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import GatewayNotice, Payment
from billing.payments import processing
from billing.payments.actions.cards import save_card, save_customer
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import Card, Refunded, RefundOrder
from config.kit.money import usd
from tests.billing.payments.gateways.conftest import SECRET
from tests.factories.balances import balance, buy, make_bolt, turn_on, use_up_included
from tests.factories.people import make_user
from tests.factories.usage import event
from tests.waiting import LONG, wait_until

ROOT = Path(__file__).resolve().parents[4]
NUMBERS = {
    "works": "4242424242424242",
    "declines": "4000000000000341",
    "action": "4000002500003155",
}


@pytest.fixture(scope="session")
def localstripe():
    """The address of a running localstripe."""
    # it takes over a port that is held already
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [
            sys.executable,
            "-m",
            "tests.billing.payments.gateways.run_localstripe",
            str(listening.fileno()),
        ]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listening.fileno()])
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    # answered once it is there
    urllib.request.urlopen(f"{url}/js.stripe.com/v3/", timeout=LONG).close()
    yield url
    process.terminate()
    process.wait(timeout=LONG)


@pytest.fixture
def now():
    """The real time."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.fixture
def at_localstripe(localstripe, settings):
    """Payments go there."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_local", SECRET
    settings.STRIPE_API_BASE, settings.PAYMENT_GATEWAY = localstripe, "stripe"
    return localstripe


@pytest.fixture
def client_of(at_localstripe):
    """Stripe's client, to look at the other side's record."""
    return stripe_client.StripeClient(
        "sk_test_local", base_addresses={"api": at_localstripe}
    )


@pytest.fixture
def give_card(client_of, now):
    """Save a card at localstripe, as Checkout would (which it has not), and take it over."""

    def give(bolt, kind):
        gateway = gateway_named("stripe")
        known = save_customer(
            bolt,
            customer_id=gateway.create_customer(
                reference=bolt.slug, name=bolt.name, email=bolt.billing_email
            ),
        )
        number = {
            "number": NUMBERS[kind],
            "exp_month": "12",
            "exp_year": "2030",
            "cvc": "123",
        }
        method = client_of.v1.payment_methods.create({"type": "card", "card": number})
        client_of.v1.payment_methods.attach(method.id, {"customer": known.customer_id})
        card = Card(
            known.customer_id,
            method.id,
            "Visa",
            NUMBERS[kind][-4:],
            dt.date(2030, 12, 31),
        )
        save_card(bolt, card=card, actor=Actor.person(bolt.primary_owner), now=now)

    return give


@pytest.fixture
def bolt(acme, give_card, now):
    """Bolt with a balance of $100, auto-reload of $50 at $25, and a card at localstripe."""
    made = make_bolt(now=now, card=None)
    give_card(made, "works")
    return made


@pytest.fixture
def off_session(monkeypatch):
    """localstripe knows no `return_url`, so every payment is asked for as auto-reload asks."""
    from dataclasses import replace

    order = processing._order_of
    monkeypatch.setattr(
        processing,
        "_order_of",
        lambda payment: replace(order(payment), on_session=False),
    )


@pytest.mark.django_db
def test_an_off_session_payment_is_taken_and_booked(bolt, client_of, off_session, now):
    payment = buy(bolt, "50", now=now)
    theirs = client_of.v1.payment_intents.retrieve(payment.gateway_id)
    assert (payment.status, theirs.status, theirs.amount) == (
        "succeeded",
        "succeeded",
        5000,
    )
    assert theirs.metadata["payment_key"] == payment.key and balance(bolt) == usd(50)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "code"),
    [("declines", "card_declined"), ("action", "authentication_required")],
)
def test_t5_reloads_that_localstripe_declines_or_wants_confirmed_are_declined(
    bolt, client_of, give_card, off_session, now, kind, code
):
    use_up_included(bolt)
    turn_on(bolt, balance="100", reload=("25", "50"), now=now)
    give_card(bolt, kind)
    record_usage(
        [event("mia@bolt.example", at=now, usd="90")], organization_id=bolt.pk, now=now
    )
    payment = processing.reload_if_due(bolt.pk, now=now)
    assert (payment.status, payment.decline_code) == ("declined", code) and balance(
        bolt
    ) == usd(10)
    if kind == "action":  # called off there, so that nobody can confirm it later
        assert (
            client_of.v1.payment_intents.retrieve(payment.gateway_id).status
            == "canceled"
        )


@pytest.mark.django_db
def test_t7_a_refund_is_made_there_too(bolt, client_of, off_session, now):
    payment = buy(bolt, "50", now=now)
    olga = make_user("olga@example.com", "Olga Operator")
    refund = processing.refund(
        payment, amount_nanos=usd(20), reason="Bought twice", operator=olga, now=now
    )
    theirs = client_of.v1.refunds.retrieve(refund.gateway_id)
    assert (refund.status, theirs.status, theirs.amount) == (
        "succeeded",
        "succeeded",
        2000,
    )
    assert balance(bolt) == usd(30) and list(differences()) == []
    late = RefundOrder(
        refund.key, payment.gateway_id, 2000, started_at=now - dt.timedelta(days=1)
    )
    # found in its list, not made again
    assert gateway_named("stripe").refund(late) == Refunded(refund.gateway_id)


@pytest.mark.django_db(transaction=True)
def test_t6_localstripes_signed_webhook_is_accepted(
    transactional_db, _seeded, at_localstripe, give_card, off_session, live_server, now
):
    from tests.factories.people import make_cast

    make_cast(now=now)
    bolt = make_bolt(now=now, card=None)
    give_card(bolt, "works")
    send_webhooks(at_localstripe, f"{live_server.url}/webhooks/stripe/")
    payment = buy(bolt, "50", now=now)
    # A moment after a test before this one, localstripe may still tell of what was paid there.
    ours = GatewayNotice.objects.filter(
        kind="payment_intent.succeeded", payment=payment
    )
    wait_until(ours.exists, "the webhook")
    send_webhooks(
        at_localstripe, "http://127.0.0.1:9/"
    )  # nobody's: later tests are not told of it
    assert (
        ours.count() == 1
        and payment == Payment.objects.get()
        and balance(bolt) == usd(50)
    )


def send_webhooks(localstripe: str, url: str) -> None:
    """Have payments that succeeded told to `url` from now on."""
    form = f"url={url}&secret={SECRET}&events[]=payment_intent.succeeded".encode()
    urllib.request.urlopen(
        f"{localstripe}/_config/webhooks/ours", data=form, timeout=LONG
    ).close()
