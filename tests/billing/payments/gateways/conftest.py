"""A local Stripe in place of the real one, and Bolt with a card at it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

import pytest

from accounts.actions.audit import Actor
from accounts.models import OutgoingMail
from billing.models import Payment
from billing.payments import cards
from tests.billing.payments.gateways.stripe_server import StripeServer
from tests.factories.balances import make_bolt, turn_on, use_up_included
from tests.factories.people import make_user

SECRET = "whsec_local"


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    """The server."""
    server = StripeServer()
    yield server
    server.close()


@pytest.fixture
def at_stripe(stripe, settings):
    """The settings of an installation whose payments go to it."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_local", SECRET
    settings.STRIPE_API_BASE, settings.PAYMENT_GATEWAY = stripe.url, "stripe"
    return settings


@pytest.fixture
def give_card(stripe, now):
    """`give_card(bolt, kind)`: the owner enters a card on Checkout's page and comes back."""

    def give(bolt, kind: str) -> None:
        url = cards.card_form_url(
            bolt,
            return_url="http://testserver/back/?then=x",
            cancel_url="http://testserver/",
        )
        back = stripe.enter_card(url, kind)
        session = back.rsplit("session=", 1)[1]
        cards.keep_card(
            bolt, session_id=session, actor=Actor.person(bolt.primary_owner), now=now
        )

    return give


@pytest.fixture
def bolt(acme, at_stripe, give_card, now):
    """Bolt with a card that works."""
    made = make_bolt(now=now, card=None)
    give_card(made, "works")
    return made


@pytest.fixture
def olga(db):
    """An operator."""
    return make_user(
        "olga@example.com", "Olga Operator", is_staff=True, is_superuser=True
    )


@pytest.fixture
def ticking(stripe):
    """Each event at Stripe a second after the one before."""
    moments = itertools.count(int(dt.datetime.now(dt.UTC).timestamp()))
    stripe.clock = lambda: next(moments)


@pytest.fixture
def bought(bolt, stripe, now, ticking, olga):
    """$100 bought, extra usage on, auto-reload of $50 at $25."""
    use_up_included(bolt)
    turn_on(bolt, balance="100", reload=("25", "50"), now=now)
    OutgoingMail.objects.all().delete()
    stripe.events.clear()
    return Payment.objects.get()
