"""T1: the flow that enables extra usage where it is prepaid: pay, auto-reload, cap, for
whom; left and resumed.
"""

from __future__ import annotations

import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Plan, Settlement
from billing.models import BillingAccount, Payment, SpendCap
from billing.payments import cards, processing
from billing.payments.gateways.sandbox import SandboxGateway
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import CARD, balance, bea_of, buy, give_card, make_bolt

FLOW = "/o/bolt/settings/usage/enable/"
USAGE = "/o/bolt/settings/usage/"


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(bolt) -> Client:
    """Bea, signed in."""
    client = Client()
    client.force_login(bolt.primary_owner)
    return client


def key_of(html: str) -> str:
    """The form's own key."""
    return re.search(r'name="key" value="([0-9a-f]{32})"', html)[1]


def pay(client, amount="50"):
    """Press Buy on the first step."""
    html = client.get(f"{FLOW}pay/").content.decode()
    return client.post(f"{FLOW}pay/", {"amount": amount, "key": key_of(html)})


def step(client) -> str:
    """Where Enable leads: the step an owner is at, or the usage page."""
    return (
        client.get(FLOW, follow=True)
        .redirect_chain[-1][0]
        .removeprefix(FLOW)
        .strip("/")
    )


def test_t1_from_nothing_to_running(acme, now):
    bolt = make_bolt(now=now, card=None)
    client = Client()
    client.force_login(bolt.primary_owner)
    html = client.get(f"{FLOW}pay/").content.decode()
    assert "Add card" in html and ">Buy extra usage</button>" not in html
    # The card is entered on the gateway's page, which leads back into the flow.
    to_gateway = client.post("/o/bolt/settings/billing/card/", {"then": f"{FLOW}pay/"})
    assert to_gateway["Location"].startswith(
        "/o/bolt/settings/billing/test-gateway/card/?"
    )
    back = client.post(to_gateway["Location"], {"number": "4242 4242 4242 4242"})
    assert client.get(back["Location"])["Location"] == f"{FLOW}pay/"
    assert pay(client)["Location"] == f"{FLOW}reload/"
    assert (
        client.post(f"{FLOW}reload/", {"threshold": "25", "amount": "50"})["Location"]
        == f"{FLOW}cap/"
    )
    assert (
        client.post(f"{FLOW}cap/", {"organization_cap": "400"})["Location"]
        == f"{FLOW}whom/"
    )
    account = BillingAccount.objects.get(organization=bolt)
    assert not account.extra_usage_enabled and account.setup_step == "whom"
    html = client.get(f"{FLOW}whom/").content.decode()
    assert "$50.00 at $25.00" in html and "$400.00" in html
    assert client.post(f"{FLOW}whom/", {"scope": "everyone"})["Location"] == USAGE
    account.refresh_from_db()
    assert (
        account.extra_usage_enabled
        and account.auto_reload_enabled
        and account.setup_step == ""
    )
    assert SpendCap.objects.get().amount_nanos == usd(400) and balance(bolt) == usd(50)


def test_t1_leaving_half_way_loses_nothing_and_leaves_it_off(owner, bolt):
    assert step(owner) == "pay"
    pay(owner)
    assert step(owner) == "reload"
    owner.post(f"{FLOW}reload/", {"skip": "1"})
    assert step(owner) == "cap"
    account = BillingAccount.objects.get(organization=bolt)
    assert (
        not account.extra_usage_enabled
        and not account.auto_reload_enabled
        and balance(bolt) == usd(50)
    )
    html = owner.get(USAGE).content.decode()
    assert ">Enable</a>" in html and "$50.00" in html


def test_t1_no_step_can_be_jumped(owner):
    for name in ("reload", "cap", "whom", "nonsense"):
        assert owner.get(f"{FLOW}{name}/")["Location"] == f"{FLOW}pay/"
        assert (
            owner.post(f"{FLOW}{name}/", {"scope": "everyone"})["Location"]
            == f"{FLOW}pay/"
        )
    pay(owner)
    assert (
        owner.post(f"{FLOW}whom/", {"scope": "everyone"})["Location"]
        == f"{FLOW}reload/"
    )


def test_t1_going_back_to_an_earlier_step_keeps_the_later_ones(owner, bolt):
    pay(owner)
    owner.post(f"{FLOW}reload/", {"skip": "1"})
    owner.post(f"{FLOW}cap/", {"organization_cap": "", "unlimited": "1"})
    assert (
        owner.post(f"{FLOW}reload/", {"threshold": "10", "amount": "20"})["Location"]
        == f"{FLOW}cap/"
    )
    assert step(owner) == "whom"
    html = owner.get(f"{FLOW}pay/").content.decode()
    assert "The balance is $50.00." in html
    assert owner.post(f"{FLOW}pay/", {"go_on": "1"})["Location"] == f"{FLOW}reload/"
    assert BillingAccount.objects.get(organization=bolt).auto_reload_enabled


def test_t1_a_declined_card_stays_at_the_first_step_and_says_why(owner, bolt, now):
    give_card(bolt, "declines", now=now)
    response = pay(owner)
    html = response.content.decode()
    assert response.status_code == 422
    assert (
        "Visa 0341 was declined for $50.00: “Your card was declined.” Nothing was charged."
        in html
    )
    assert step(owner) == "pay" and balance(bolt) == 0


def test_a_decline_gives_the_form_a_fresh_key_so_that_the_next_press_is_another_purchase(
    owner, bolt, now
):
    give_card(bolt, "declines", now=now)
    first = key_of(owner.get(f"{FLOW}pay/").content.decode())
    answer = owner.post(f"{FLOW}pay/", {"amount": "50", "key": first})
    second = key_of(answer.content.decode())
    assert second != first
    give_card(bolt, "works", now=now)
    owner.post(f"{FLOW}pay/", {"amount": "50", "key": second})
    assert balance(bolt) == usd(50)


def test_t1_a_purchase_that_waits_for_the_bank_comes_back_into_the_flow(
    owner, bolt, now
):
    give_card(bolt, "action", now=now)
    bank = pay(owner)["Location"]
    assert "/test-gateway/bank/" in bank
    html = owner.get(f"{FLOW}pay/").content.decode()
    assert "Your bank wants you to confirm $50.00." in html
    back = owner.post(bank, {"answer": "confirm"})["Location"]
    assert owner.get(back)["Location"] == FLOW
    assert balance(bolt) == usd(50)
    assert (
        owner.get(FLOW)["Location"] == f"{FLOW}reload/"
    )  # paying is done, however it was paid


def test_while_a_payment_is_being_settled_the_step_offers_no_second_one_and_goes_on_by_itself(
    owner, bolt, now
):
    give_card(bolt, "timeout_lost", now=now)
    pay(owner)
    html = owner.get(f"{FLOW}pay/").content.decode()
    assert (
        "A payment of $50.00 is being settled." in html
        and 'hx-trigger="every 10s"' in html
    )
    assert ">Buy extra usage</button>" not in html and 'name="amount"' not in html
    processing.refresh(Payment.objects.get(), now=now)
    html = owner.get(f"{FLOW}pay/").content.decode()
    assert (
        "The balance is $50.00." in html
        and "every 10s" not in html
        and ">Continue</button>" in html
    )


def test_canceling_the_card_comes_back_into_the_flow(owner):
    html = owner.get(f"/o/bolt/settings/billing/card/?then={FLOW}pay/").content.decode()
    assert f'href="{FLOW}pay/">Cancel</a>' in html


def test_the_usage_page_says_where_the_flow_goes_on(owner):
    html = owner.get(USAGE).content.decode()
    assert (
        "Next: payment, auto-reload, a cap, and who gets it." in html
        and "If someone does," in html
    )
    assert "Caps at two levels" in html and "seat tier" not in html
    pay(owner)
    html = owner.get(USAGE).content.decode()
    assert (
        "Picks up where you left off: Auto-reload." in html
        and "kept while extra usage is off" in html
    )
    assert "at this pace" not in html


def test_a_balance_nobody_bought_yet_is_not_told_as_used_up(owner):
    html = owner.get("/o/bolt/settings/billing/").content.decode()
    assert (
        "nothing bought yet" in html
        and "used up</p>" not in html
        and "xu-stop" not in html
    )


def test_a_purchase_given_up_at_the_bank_can_be_canceled(owner, bolt, now):
    give_card(bolt, "action", now=now)
    pay(owner)
    payment = Payment.objects.get()
    assert "Confirm or cancel it first" in pay(owner).content.decode()
    owner.post(f"/o/bolt/settings/billing/payments/{payment.key}/cancel/")
    assert Payment.objects.get().status == "canceled" and balance(bolt) == 0
    SandboxGateway().confirm(payment.key, agree=True)  # too late at the bank as well
    assert Payment.objects.get().status == "canceled"


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("3", "below the minimum purchase of $5.00"),
        ("1.234", "has 3 decimal places"),
        ("ten", "is not an amount"),
        ("", ""),
    ],
)
def test_wrong_amounts_are_told_at_the_field(owner, bolt, amount, sentence):
    response = pay(owner, amount)
    assert response.status_code == 422 and sentence in response.content.decode()
    assert not Payment.objects.exists()


def test_enabling_again_later_starts_from_what_is_there(owner, bolt, now):
    pay(owner)
    owner.post(f"{FLOW}reload/", {"threshold": "25", "amount": "50"})
    owner.post(f"{FLOW}cap/", {"organization_cap": "400"})
    owner.post(f"{FLOW}whom/", {"scope": "everyone"})
    owner.post("/o/bolt/settings/usage/turn-off/")
    html = owner.get(f"{FLOW}pay/").content.decode()
    assert "The balance is $50.00." in html
    owner.post(f"{FLOW}pay/", {"go_on": "1"})
    assert 'value="25.00"' in owner.get(f"{FLOW}reload/").content.decode()


def test_it_follows_the_settlement_not_the_plans_name(acme, alice, now):
    type(acme).objects.filter(pk=acme.pk).update(settlement=Settlement.PREPAID)
    client = Client()
    client.force_login(alice.user)
    acme.refresh_from_db()
    from billing.payments.actions.cards import save_customer

    save_customer(acme, customer_id="customer-acme")

    cards.keep_card(acme, session_id=CARD["works"], actor=bea_of(acme), now=now)
    buy(acme, "50", now=now)
    flow = reverse("enable_step", args=["acme", "pay"])
    client.post(flow, {"go_on": "1"})
    client.post(reverse("enable_step", args=["acme", "reload"]), {"skip": "1"})
    html = client.get(reverse("enable_step", args=["acme", "cap"])).content.decode()
    assert "Seat spend caps" in html and acme.plan == Plan.ENTERPRISE_SEAT


def test_d2_a_team_that_is_billed_afterwards_has_no_flow_and_no_balance(acme, bolt):
    type(bolt).objects.filter(pk=bolt.pk).update(settlement=Settlement.POSTPAID)
    client = Client()
    client.force_login(bolt.primary_owner)
    for name in ("buy_extra_usage", "auto_reload", "payment_card", "usage_balance"):
        asked = client.get(reverse(name, args=["bolt"]), headers={"HX-Request": "true"})
        assert asked.status_code == 404
    assert client.get(f"{FLOW}pay/").status_code == 404
    assert "Organization spend cap" in client.get(FLOW).content.decode()
