"""S22: coming back from a gateway's page acts only for the session that left, and once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from billing.models import PaymentCard
from billing.payments import cards
from billing.payments.gateways.base import GatewayUnknown
from tests.factories.balances import make_bolt

BILLING = "/o/bolt/settings/billing/"
OTHER = "card_succeeds_1881"


@pytest.fixture
def bolt(db, now):
    return make_bolt(now=now)


@pytest.fixture
def owner(client, bolt):
    client.force_login(bolt.primary_owner)
    return client


def leave(client):
    """Press “Change card”; the address that the gateway would lead back to."""
    form = client.post(f"{BILLING}card/")["Location"]
    back = parse_qs(urlsplit(form).query)["back"][0]
    return f"{back}&session={OTHER}"


def last4():
    return PaymentCard.objects.get().last4


def test_s22_a_link_from_elsewhere_changes_no_card(owner):
    before = last4()
    answer = owner.get(f"{BILLING}card/back/?session={OTHER}", follow=True)
    assert last4() == before
    assert "used or isn" in answer.content.decode()
    owner.get(f"{BILLING}card/back/?session={OTHER}&state=")
    leave(owner)
    owner.get(f"{BILLING}card/back/?session={OTHER}&state=guess")
    assert last4() == before


def test_s22_who_left_comes_back_once(owner):
    back = leave(owner)
    owner.get(back)
    assert last4() == "1881"
    again = owner.get(back.replace("1881", "4242"), follow=True)
    assert last4() == "1881" and "used or isn" in again.content.decode()


def test_s22_another_session_of_the_same_owner_did_not_leave(owner, bolt):
    before, back = last4(), leave(owner)
    elsewhere = Client()
    elsewhere.force_login(bolt.primary_owner)
    elsewhere.get(back)
    assert last4() == before


def test_s22_while_the_gateway_is_silent_one_may_try_again(owner, monkeypatch):
    back = leave(owner)

    def silent(*args, **kwargs):
        raise GatewayUnknown("silent")

    with monkeypatch.context() as patched:
        patched.setattr(cards, "keep_card", silent)
        owner.get(back)
    owner.get(back)
    assert last4() == "1881"
