"""T1, T5, T6: buying with each of the test gateway's cards; what the gateway's own
record says is what the ledger has.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from billing.books import differences
from billing.models import LedgerEntry, Payment, SandboxPayment
from billing.models.payments import GATEWAY_ANSWERS_WITHIN as CLAIM
from billing.payments import processing, tasks
from billing.payments.actions.settling import ACTION_LASTS, settle_payment
from billing.payments.gateways.base import Declined, GatewayUnknown, Paid
from billing.payments.gateways.sandbox import SandboxGateway
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_CENT, usd
from tests.factories.balances import balance, buy, give_card, make_bolt

MINUTE = dt.timedelta(minutes=1)


def taken(bolt) -> int:
    """What the gateway itself says it took, in nano-USD."""
    mine = SandboxPayment.objects.filter(
        customer_id=f"customer-{bolt.slug}", status="succeeded"
    )
    return sum(mine.values_list("amount_cents", flat=True)) * NANOS_PER_CENT


def settle_at(moment) -> None:
    """The sweep, with the clock at `moment`."""
    with time_machine.travel(moment, tick=False):
        tasks.settle_unknown()


def test_t2_a_purchase_enters_the_ledger_once_with_its_payment(bolt, now):
    payment = buy(bolt, "25.50", now=now)
    entry = LedgerEntry.objects.get(organization=bolt)
    assert (payment.status, payment.card_label) == ("succeeded", "Visa 4242")
    assert (entry.kind, entry.amount_nanos, entry.payment, entry.actor) == (
        "purchase",
        usd("25.50"),
        payment,
        bolt.primary_owner,
    )
    assert balance(bolt) == taken(bolt) == usd("25.50")
    assert list(differences()) == []


def test_pressing_the_button_twice_buys_once(bolt, now):
    first, second = [
        processing.purchase(
            bolt, amount_nanos=usd(50), buyer=bolt.primary_owner, key="a" * 32, now=now
        )
        for _press in range(2)
    ]
    assert first.pk == second.pk and balance(bolt) == taken(bolt) == usd(50)


@pytest.mark.parametrize(
    ("amount", "later"), [("60", dt.timedelta()), ("50", dt.timedelta(minutes=1))]
)
def test_a_form_used_again_later_or_for_another_amount_buys_nothing_and_says_so(
    bolt, now, amount, later
):
    processing.purchase(
        bolt, amount_nanos=usd(50), buyer=bolt.primary_owner, key="a" * 32, now=now
    )
    with pytest.raises(
        BusinessError,
        match=r"already used to buy \$50\.00, so nothing was bought this time",
    ) as refused:
        processing.purchase(
            bolt,
            amount_nanos=usd(amount),
            buyer=bolt.primary_owner,
            key="a" * 32,
            now=now + later,
        )
    assert refused.value.code == "already_bought" and balance(bolt) == usd(50)


def test_t5_a_declined_purchase_changes_nothing_and_says_why(bolt, now):
    give_card(bolt, "declines", now=now)
    payment = buy(bolt, "50", now=now)
    assert (payment.status, payment.decline_code) == ("declined", "card_declined")
    assert "declined" in payment.decline_message and balance(bolt) == taken(bolt) == 0
    give_card(bolt, "works", now=now)
    assert buy(bolt, "50", now=now).status == "succeeded"


@pytest.mark.parametrize(
    ("card", "taken_at_first"), [("timeout_paid", True), ("timeout_lost", False)]
)
def test_t5_an_unknown_outcome_is_settled_by_asking_with_the_same_key(
    bolt, now, card, taken_at_first
):
    give_card(bolt, card, now=now)
    payment = buy(bolt, "50", now=now)
    assert (payment.status, balance(bolt), taken(bolt)) == (
        "started",
        0,
        usd(50) if taken_at_first else 0,
    )
    settle_at(now + 30 * dt.timedelta(seconds=1))  # not due yet
    assert Payment.objects.get().status == "started"
    settle_at(now + MINUTE)
    settle_at(now + 10 * MINUTE)
    assert Payment.objects.get().status == "succeeded"
    assert (
        balance(bolt) == taken(bolt) == usd(50) and SandboxPayment.objects.count() == 1
    )


def test_t5_nothing_can_be_bought_while_the_outcome_of_another_is_unknown(bolt, now):
    give_card(bolt, "timeout_paid", now=now)
    buy(bolt, "50", now=now)
    with pytest.raises(
        BusinessError, match=r"\$50\.00 with Visa 5001 is still being settled"
    ) as refused:
        buy(bolt, "50", now=now)
    assert refused.value.code == "payment_in_flight"


def test_t5_a_gateway_that_stays_silent_is_asked_less_and_less_often_and_never_paid_again(
    bolt, now, monkeypatch
):
    asked = []

    def silent(self, order):
        asked.append(order.key)
        raise GatewayUnknown("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "pay", silent)
        buy(bolt, "50", now=now)
        for minutes in range(1, 180):
            settle_at(now + minutes * MINUTE)
    # at once, after 1, 6, 21 minutes, then hourly
    assert len(set(asked)) == 1 and 5 <= len(asked) <= 7
    settle_at(now + 300 * MINUTE)
    assert (Payment.objects.get().status, balance(bolt), taken(bolt)) == (
        "succeeded",
        usd(50),
        usd(50),
    )


def test_t5_a_process_that_dies_between_started_and_paid_loses_no_purchase(
    bolt, now, monkeypatch
):
    class Killed(BaseException):
        """Like SIGKILL: nothing is cleaned up."""

    def die(self, order):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "pay", die)
        with pytest.raises(Killed):
            buy(bolt, "50", now=now)
    settle_at(now + CLAIM - dt.timedelta(seconds=1))
    assert Payment.objects.get().status == "started"
    settle_at(now + CLAIM)
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == taken(
        bolt
    ) == usd(50)


def test_t5_money_that_was_taken_counts_whatever_was_thought_before_and_counts_once(
    bolt, now
):
    give_card(bolt, "timeout_paid", now=now)
    payment = buy(bolt, "50", now=now)
    settle_payment(payment.pk, Declined("never_arrived", "no record"), now=now)
    assert Payment.objects.get().status == "declined" and balance(bolt) == 0
    for _time in range(2):
        settle_payment(payment.pk, Paid("sandbox_1"), now=now)
        settle_payment(payment.pk, Declined("late", "late"), now=now)
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)
    assert list(differences()) == []


def test_t6_a_purchase_that_waits_for_the_bank_is_paid_once_confirmed(bolt, now):
    give_card(bolt, "action", now=now)
    payment = buy(bolt, "50", now=now)
    assert (
        payment.status == "action"
        and "/test-gateway/bank/" in payment.action_url
        and balance(bolt) == 0
    )
    assert processing.refresh(payment, now=now).status == "action"
    SandboxGateway().confirm(payment.key, agree=True)
    assert processing.refresh(payment, now=now).status == "succeeded" and balance(
        bolt
    ) == usd(50)


def test_t6_refused_at_the_bank_is_declined_and_called_off_is_canceled(bolt, now):
    give_card(bolt, "action", now=now)
    refused = buy(bolt, "50", now=now)
    SandboxGateway().confirm(refused.key, agree=False)
    assert processing.refresh(refused, now=now).status == "declined"
    canceled = buy(bolt, "50", now=now)
    assert processing.cancel(canceled, now=now).status == "canceled"
    assert balance(bolt) == taken(bolt) == 0


def test_t6_a_purchase_nobody_confirms_is_called_off_after_an_hour_but_not_when_it_was_paid(
    bolt, now
):
    give_card(bolt, "action", now=now)
    left = buy(bolt, "50", now=now)
    settle_at(now + ACTION_LASTS - MINUTE)
    assert Payment.objects.get(pk=left.pk).status == "action"
    settle_at(now + ACTION_LASTS)
    assert Payment.objects.get(pk=left.pk).status == "canceled"
    confirmed = buy(bolt, "50", now=now)  # confirmed, but the browser never came back
    SandboxGateway().confirm(confirmed.key, agree=True)
    settle_at(now + ACTION_LASTS)
    assert Payment.objects.get(pk=confirmed.pk).status == "succeeded" and balance(
        bolt
    ) == usd(50)


@pytest.mark.parametrize("card", ["timeout_paid", "timeout_lost", "action"])
def test_t6_what_the_test_gateway_pretended_is_no_balance_once_payments_go_to_stripe(
    bolt, now, settings, card
):
    give_card(bolt, card, now=now)
    payment = buy(bolt, "5000", now=now)
    if card == "action":
        SandboxGateway().confirm(payment.key, agree=True)
    settings.STRIPE_SECRET_KEY, settings.PAYMENT_GATEWAY = "sk_live_x", "stripe"
    settle_at(now + ACTION_LASTS)
    payment.refresh_from_db()
    assert (payment.status, payment.decline_code) == ("declined", "test_gateway_closed")
    assert balance(bolt) == 0 and list(differences()) == []


def test_t6_calling_off_at_the_closed_test_gateway_ends_it(bolt, now, settings):
    give_card(bolt, "action", now=now)
    payment = buy(bolt, "50", now=now)
    settings.STRIPE_SECRET_KEY, settings.PAYMENT_GATEWAY = "sk_live_x", "stripe"
    assert processing.cancel(payment, now=now).status == "declined"


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("4.99", r"\$4\.99 is below the minimum purchase of \$5\.00"),
        ("100000.01", r"over the maximum purchase of \$100,000\.00"),
        ("5.001", "whole cents"),
    ],
)
def test_m1_purchases_are_whole_cents_within_bounds(bolt, now, amount, sentence):
    with pytest.raises(BusinessError, match=sentence):
        buy(bolt, amount, now=now)
    assert not Payment.objects.exists()


def test_without_a_card_or_without_prepaying_nothing_is_bought(acme, alice, now):
    bolt = make_bolt(now=now, card=None)
    with pytest.raises(BusinessError) as no_card:
        buy(bolt, "50", now=now)
    with pytest.raises(BusinessError) as not_prepaid:
        buy(acme, "50", now=now)
    assert (no_card.value.code, not_prepaid.value.code) == ("no_card", "not_prepaid")
