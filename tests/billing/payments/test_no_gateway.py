"""S28: where others reach us, nothing is sold for test cards unless that is asked for by
name; who is billed by invoice does not need a gateway.
"""

from __future__ import annotations

import pytest

from billing.models import Payment, PaymentCard
from billing.payments.actions.reloads import start_reload_if_due
from config.kit.errors import BusinessError
from tests.factories.balances import buy, give_card, make_bolt, turn_on
from tests.house.test_settings import manage

CARD = "/o/bolt/settings/billing/card/"


@pytest.fixture
def bolt(acme, now):
    """Bolt with a card, bought with while test cards were still taken."""
    made = make_bolt(now=now)
    turn_on(made, balance="20", reload=("25", "50"), now=now)
    return made


@pytest.fixture
def _no_gateway(bolt, settings):
    settings.PAYMENT_GATEWAY = "none"


def test_s28_nothing_is_bought_and_no_card_kept(bolt, _no_gateway, now):
    for act in (
        lambda: buy(bolt, "50", now=now),
        lambda: give_card(bolt, "works", now=now),
    ):
        with pytest.raises(BusinessError, match="not set up here yet") as refused:
            act()
        assert refused.value.code == "no_payments"
    assert Payment.objects.count() == 1 and PaymentCard.objects.count() == 1


def test_s28_no_reload_is_started(bolt, _no_gateway, settings, now):
    assert start_reload_if_due(bolt.pk, now=now).payment is None
    settings.PAYMENT_GATEWAY = "sandbox"
    assert start_reload_if_due(bolt.pk, now=now).payment is not None


def test_s28_owners_read_why_and_are_sent_nowhere(bolt, _no_gateway, client):
    client.force_login(bolt.primary_owner)
    page = client.get(CARD).content.decode()
    assert "Payments are not set up here yet" in page
    assert "Continue to the card form" not in page
    for place in ("/o/bolt/settings/billing/", "/o/bolt/settings/billing/buy/"):
        page = client.get(place).content.decode()
        assert page.count("Payments are not set up here yet") == 1
        assert "Add card</a>" not in page
    pressed = client.post(CARD)
    assert pressed.status_code == 422
    assert pressed.content.decode().count("Payments are not set up here yet") == 1
    back = client.get(f"{CARD}back/?session=card_succeeds_4242", follow=True)
    assert "Payments are not set up here yet" in back.content.decode()
    buying = {"amount": "50", "key": "a" * 32}
    answer = client.post("/o/bolt/settings/billing/buy/", buying)
    assert answer.status_code == 422
    assert "Payments are not set up here yet" in answer.content.decode()
    assert client.get("/o/bolt/settings/billing/test-gateway/card/").status_code == 404


@pytest.mark.parametrize(
    ("environment", "gateway"),
    [
        ({}, "sandbox"),
        ({"SITE_URL": "https://usage.example"}, "none"),
        (
            {"SITE_URL": "https://usage.example", "SANDBOX_PAYMENTS": "true"},
            "sandbox",
        ),
        ({"SANDBOX_PAYMENTS": "false"}, "none"),
        ({"STRIPE_SECRET_KEY": "sk_test_x", "SANDBOX_PAYMENTS": "true"}, "stripe"),
    ],
)
def test_s28_which_gateway_payments_go_to(environment, gateway, tmp_path):
    done = manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.conf import settings; print(settings.PAYMENT_GATEWAY)",
        VAR_DIR=str(tmp_path),
        **environment,
    )
    assert done.stdout.strip() == gateway, done.stderr
