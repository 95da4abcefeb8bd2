"""H7, H8: what a purchase or auto-reload would do is said before it is pressed."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from billing.models import Payment
from tests.conftest import NOW
from tests.factories.balances import buy, make_bolt, turn_on

BUY = "/o/bolt/settings/billing/buy/"
RELOAD = "/o/bolt/settings/billing/auto-reload/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(bolt) -> Client:
    client = Client()
    client.force_login(bolt.primary_owner)
    return client


def said(client: Client, path: str, **typed: str) -> str:
    answer = client.get(path, {"preview": "1", **typed}, headers=HTMX)
    assert answer.status_code == 200 and Payment.objects.count() == 1
    return " ".join(answer.content.decode().split()).replace("&#x27;", "'")


def test_h8_the_button_says_the_amount_and_the_new_balance_stands_beside(
    owner, bolt, now
):
    turn_on(bolt, now=now)
    html = said(owner, BUY, amount="40")
    assert (
        "New balance: $140.00" in html and ">Buy extra usage for $40.00</span>" in html
    )


@pytest.mark.parametrize(
    ("amount", "why"),
    [("", ""), ("x", "“x” is not an amount"), ("3", "$5.00"), ("1.234", "3 decimal")],
)
def test_h8_what_can_t_be_bought_is_said_and_the_button_promises_nothing(
    owner, bolt, now, amount, why
):
    turn_on(bolt, now=now)
    html = said(owner, BUY, amount=amount)
    assert why in html and ">Buy extra usage</span>" in html


def test_h7_auto_reload_that_charges_at_once_says_so_before_it_is_saved(
    owner, bolt, now
):
    turn_on(bolt, now=now)
    html = said(owner, RELOAD, enabled="on", threshold="150", amount="100")
    assert "saving charges" in html and "$100.00 right away." in html
    assert "right away" not in said(owner, RELOAD, threshold="25", amount="100")
    assert "right away" not in said(owner, RELOAD, threshold="x", amount="100")
    # The month's limit, and the cap that stands in for it, hold here too.
    limited = {"threshold": "150", "amount": "100", "limit": "50"}
    assert "right away" not in said(owner, RELOAD, **limited)


def test_h7_before_extra_usage_is_on_it_says_when_the_card_is_charged(owner, bolt, now):
    buy(bolt, "100", now=now)
    html = said(owner, RELOAD, threshold="150", amount="100")
    assert "is charged $100.00 as soon as extra usage is on." in html


def test_previews_of_money_are_for_owners_alone(acme, bob, charlie, now):
    bolt = make_bolt(now=now)
    mia = bolt.memberships.get(user__email="mia@bolt.example")
    for user, status in ((mia.user, 403), (charlie.user, 404)):
        client = Client()
        client.force_login(user)
        for path in (BUY, RELOAD):
            answer = client.get(f"{path}?preview=1&amount=9", headers=HTMX)
            assert answer.status_code == status
