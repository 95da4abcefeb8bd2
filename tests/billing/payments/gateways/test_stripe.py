"""T5, T6, T7 through Stripe's own client against a local Stripe server: every way a
payment can go.
"""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest
import stripe as stripe_client
import time_machine

from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import GatewayNotice, LedgerEntry, Payment, PaymentCard, Refund
from billing.payments import cards, processing, tasks
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.actions.settling import ACTION_LASTS
from billing.payments.gateways import gateway_named
from billing.payments.gateways.base import GatewayRefused
from billing.webhooks import record_gateway_event
from config.kit.money import usd
from tests.billing.payments.gateways.conftest import SECRET
from tests.billing.payments.gateways.stripe_server import signature
from tests.factories.balances import (
    balance,
    bea_of,
    buy,
    came_away,
    turn_on,
    use_up_included,
)
from tests.factories.usage import event

WEBHOOK = "/webhooks/stripe/"


@pytest.fixture
def now():
    """The real time: Stripe's client and signatures read the clock."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def settle_at(moment):
    """The sweep, at `moment`."""
    with time_machine.travel(moment, tick=False):
        tasks.settle_unknown()


def tell(client, notice, *, secret=SECRET, at=None):
    """Post a webhook as Stripe would; the status of the answer."""
    body = json.dumps(notice).encode()
    headers = {"Stripe-Signature": signature(body, secret, at=at)}
    return client.post(
        WEBHOOK, body, content_type="application/json", headers=headers
    ).status_code


def test_the_card_is_entered_on_stripes_page_and_only_its_last_digits_come_back(
    bolt, stripe
):
    card = PaymentCard.objects.get()
    assert (card.gateway, card.card_id, card.brand, card.last4) == (
        "stripe",
        "pm_works",
        "Visa",
        "4242",
    )
    assert card.expires_on == dt.date(2030, 12, 31)
    [session] = stripe.sessions.values()
    assert (session["mode"], session["customer"]) == ("setup", card.customer_id)


def test_t6_cards_alone_are_asked_for_by_the_name_the_client_of_today_knows(
    bolt, stripe, now
):
    assert buy(bolt, "50", now=now).status == "succeeded"
    asked = [
        body["allowed_payment_method_types"]
        for body in stripe.bodies
        if "allowed_payment_method_types" in body
    ]
    assert asked == [{"0": "card"}, {"0": "card"}]  # Checkout's page, then the payment
    assert not any("payment_method_types" in body for body in stripe.bodies)


def test_t6_a_parameter_the_clients_version_does_not_have_is_refused_as_stripe_refuses_it(
    bolt, stripe
):
    with pytest.raises(
        stripe_client.InvalidRequestError,
        match="unknown parameter: payment_method_types",
    ):
        gateway_named("stripe").client.v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}  # type: ignore[typeddict-unknown-key]
        )


def test_t6_a_saved_method_that_is_no_card_is_refused_in_words(bolt, stripe, client):
    url = cards.card_form_url(
        bolt, return_url="http://testserver/", cancel_url="http://testserver/"
    )
    session = stripe.enter_card(url, "works").rsplit("session=", 1)[1]
    bank = {
        "id": "pm_bank",
        "object": "payment_method",
        "type": "us_bank_account",
        "us_bank_account": {"last4": "6789"},
    }
    stripe.sessions[session]["setup_intent"]["payment_method"] = bank
    client.force_login(bolt.primary_owner)
    away = came_away(client, bolt)
    page = client.get(
        f"/o/bolt/settings/billing/card/back/?session={session}{away}", follow=True
    ).content.decode()
    assert (
        "Extra usage can only be bought by card, and you entered something else."
        in page
    )
    assert PaymentCard.objects.get().card_id == "pm_works"


def test_t6_coming_back_without_a_session_is_no_card(bolt, stripe, client):
    client.force_login(bolt.primary_owner)
    away = came_away(client, bolt)
    page = client.get(
        f"/o/bolt/settings/billing/card/back/?{away}", follow=True
    ).content.decode()
    assert (
        "No card was entered." in page
        and PaymentCard.objects.get().card_id == "pm_works"
    )


def test_a_session_of_somebody_else_or_without_a_card_is_not_taken_over(
    bolt, stripe, now
):
    other = make_bolt_two(now)
    url = cards.card_form_url(
        other, return_url="http://testserver/", cancel_url="http://testserver/"
    )
    theirs = stripe.enter_card(url, "works").rsplit("session=", 1)[1]
    for session in (theirs, "cs_test_unknown"):
        with pytest.raises(GatewayRefused):
            gateway_named("stripe").card_entered(
                customer_id=PaymentCard.objects.get(organization=bolt).customer_id,
                session_id=session,
            )


def make_bolt_two(now):
    """Another prepaid organization."""
    from tests.factories.people import make_organization, make_user

    owner = make_user("zoe@other.example", "Zoe")
    return make_organization("other", owner=owner, now=now, plan="team")


def test_buying_takes_the_money_once_and_books_it(bolt, stripe, now):
    payment = buy(bolt, "50", now=now)
    assert (payment.status, payment.gateway_id) == (
        "succeeded",
        next(iter(stripe.payments)),
    )
    assert balance(bolt) == usd(50) and stripe.taken_cents() == 5000
    assert stripe.payments[payment.gateway_id]["metadata"] == {
        "payment_key": payment.key
    }
    assert stripe.requests[-1] == ("/v1/payment_intents", payment.key)


def test_a_decline_carries_stripes_reason(bolt, stripe, give_card, now):
    give_card(bolt, "declines")
    payment = buy(bolt, "50", now=now)
    assert (payment.status, payment.decline_code) == ("declined", "insufficient_funds")
    assert (
        payment.decline_message == "Your card has insufficient funds."
        and balance(bolt) == 0
    )


def test_authentication_on_session_sends_the_owner_to_the_bank_and_settles_on_return(
    bolt, stripe, give_card, now
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    assert (
        payment.status == "action"
        and payment.action_url == f"{stripe.url}/3ds/{payment.gateway_id}"
    )
    assert stripe.payments[payment.gateway_id]["next_action"]["redirect_to_url"][
        "return_url"
    ].endswith(f"/{payment.key}/back/")
    stripe.confirm(payment.gateway_id, agree=True)
    assert processing.refresh(payment, now=now).status == "succeeded" and balance(
        bolt
    ) == usd(50)


def test_authentication_refused_is_declined_and_called_off_is_canceled_at_stripe_too(
    bolt, stripe, give_card, now
):
    give_card(bolt, "action")
    refused = buy(bolt, "50", now=now)
    stripe.confirm(refused.gateway_id, agree=False)
    assert processing.refresh(refused, now=now).status == "declined"
    given_up = buy(bolt, "50", now=now)
    assert processing.cancel(given_up, now=now).status == "canceled"
    assert (
        stripe.payments[given_up.gateway_id]["status"] == "canceled"
        and stripe.taken_cents() == 0
    )


def test_calling_off_what_was_paid_meanwhile_books_it(bolt, stripe, give_card, now):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    stripe.confirm(payment.gateway_id, agree=True)
    assert processing.cancel(payment, now=now).status == "succeeded" and balance(
        bolt
    ) == usd(50)


def gone(stripe):
    """Stripe has no record of any payment, say because the key is another account's."""
    stripe.payments.clear()
    stripe.post = lambda path, data: (_ for _ in ()).throw(
        _invalid("No such payment_intent")
    )


def test_t6_a_purchase_that_stripe_does_not_know_any_more_ends_after_the_time_to_confirm_it(
    bolt, stripe, give_card, now
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    gone(stripe)
    assert (
        processing.cancel(payment, now=now).status == "action"
    )  # perhaps only Stripe is behind
    settle_at(now + ACTION_LASTS - dt.timedelta(minutes=1))
    assert Payment.objects.get().status == "action"
    settle_at(now + ACTION_LASTS + dt.timedelta(minutes=5))
    assert Payment.objects.get().status == "canceled"


def test_t6_calling_off_what_stripe_does_not_know_ends_it_once_the_time_is_over(
    bolt, stripe, give_card, now
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    gone(stripe)
    assert processing.cancel(payment, now=now + ACTION_LASTS).status == "canceled"


def test_t6_calling_off_while_stripe_is_not_configured_leaves_it_waiting(
    bolt, stripe, give_card, now, settings
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    settings.STRIPE_SECRET_KEY, settings.PAYMENT_GATEWAY = "", "sandbox"
    assert processing.cancel(payment, now=now + ACTION_LASTS).status == "action"


def test_t6_money_that_stripe_took_after_all_counts_also_when_the_purchase_had_ended(
    bolt, stripe, give_card, now, client
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    theirs = stripe.payments[payment.gateway_id] | {"status": "succeeded"}
    gone(stripe)
    settle_at(now + ACTION_LASTS)
    assert tell(client, stripe.tell(theirs, "payment_intent.succeeded")) == 200
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)


def stop_half_way(stripe):
    """Stripe keeps the next payment unconfirmed."""
    pay = stripe._pay

    def unconfirmed(data):
        payment = pay(data)
        payment["status"] = "requires_confirmation"
        return payment

    stripe._pay = unconfirmed


def test_t6_a_purchase_that_stripe_left_unconfirmed_is_called_off_there(
    bolt, stripe, now
):
    stop_half_way(stripe)
    payment = buy(bolt, "50", now=now)
    assert (
        payment.status == "canceled"
        and stripe.payments[payment.gateway_id]["status"] == "canceled"
    )
    assert balance(bolt) == 0


def test_t6_a_reload_that_stripe_left_unconfirmed_counts_as_declined_and_is_not_tried_at_once(
    bolt, stripe, now
):
    use_up_included(bolt)
    turn_on(bolt, balance="100", reload=("25", "50"), now=now)
    stop_half_way(stripe)
    record_usage(
        [event("mia@bolt.example", at=now, usd="90")], organization_id=bolt.pk, now=now
    )
    payment = processing.reload_if_due(bolt.pk, now=now)
    assert (payment.status, payment.decline_code) == ("declined", "not_confirmed")
    assert stripe.payments[payment.gateway_id]["status"] == "canceled"
    assert processing.reload_if_due(bolt.pk, now=now + dt.timedelta(minutes=1)) is None


@pytest.mark.parametrize(
    ("failure", "status"), [("drop_before", "canceled"), ("drop_after", "succeeded")]
)
def test_c7_a_reload_nobody_wants_any_more_is_only_looked_up(
    bolt, stripe, now, failure, status
):
    use_up_included(bolt)
    turn_on(bolt, balance="100", reload=("25", "50"), now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="90")], organization_id=bolt.pk, now=now
    )
    stripe.fail_next = failure
    payment = processing.reload_if_due(bolt.pk, now=now)
    set_auto_reload(bolt, enabled=False, actor=bea_of(bolt), now=now)
    asked = len(stripe.requests)
    settle_at(now + dt.timedelta(minutes=1))
    assert (
        Payment.objects.get(pk=payment.pk).status == status
        and stripe.requests[asked:] == []
    )


def test_t5_a_payment_whose_gateway_is_not_configured_stays_unknown_and_is_asked_again(
    bolt, stripe, now, at_stripe
):
    stripe.fail_next = "drop_after"
    buy(bolt, "50", now=now)
    key = at_stripe.STRIPE_SECRET_KEY
    at_stripe.STRIPE_SECRET_KEY, at_stripe.PAYMENT_GATEWAY = "", "sandbox"
    for hours in (1, 3, 30):
        settle_at(now + dt.timedelta(hours=hours))
    assert Payment.objects.get().status == "started"  # money may have moved
    at_stripe.STRIPE_SECRET_KEY, at_stripe.PAYMENT_GATEWAY = key, "stripe"
    settle_at(now + dt.timedelta(hours=32))
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)


def test_t5_authentication_required_off_session_declines_the_reload(
    bolt, stripe, give_card, now
):
    use_up_included(bolt)
    turn_on(bolt, balance="100", reload=("25", "50"), now=now)
    give_card(bolt, "action")
    record_usage(
        [event("mia@bolt.example", at=now, usd="90")], organization_id=bolt.pk, now=now
    )
    payment = processing.reload_if_due(bolt.pk, now=now)
    assert (payment.purpose, payment.status, payment.decline_code) == (
        "reload",
        "declined",
        "authentication_required",
    )


@pytest.mark.parametrize("failure", ["drop_before", "drop_after", "500", "429"])
def test_t5_no_answer_is_settled_by_the_same_key_and_paid_once(
    bolt, stripe, now, failure
):
    stripe.fail_next = failure
    payment = buy(bolt, "50", now=now)
    # A 500 is looked up at once by the key in the payment's metadata.
    assert payment.status == ("succeeded" if failure == "500" else "started")
    settle_at(now + dt.timedelta(minutes=1))
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)
    assert stripe.taken_cents() == 5000 and len(stripe.payments) == 1
    keys = {key for path, key in stripe.requests if path == "/v1/payment_intents"}
    assert keys == {payment.key}


@pytest.mark.parametrize(
    ("failure", "status", "taken"),
    [("drop_before", "declined", 0), ("drop_after", "succeeded", 5000)],
)
def test_t5_after_stripes_keys_may_have_run_out_the_payment_is_only_looked_up(
    bolt, stripe, now, failure, status, taken
):
    stripe.fail_next = failure
    buy(bolt, "50", now=now)
    asked = len(stripe.requests)
    settle_at(now + dt.timedelta(hours=23))
    assert Payment.objects.get().status == status and stripe.taken_cents() == taken
    assert stripe.requests[asked:] == []  # nothing was posted
    assert list(differences()) == []


def test_the_same_key_with_another_amount_pays_nothing(bolt, stripe, now):
    payment = buy(bolt, "50", now=now)
    Payment.objects.filter(pk=payment.pk).update(
        status="started", amount_nanos=usd(60), next_check_at=now
    )
    settle_at(now)
    assert Payment.objects.get().status == "started" and stripe.taken_cents() == 5000


def test_a_refused_request_is_a_decline_with_its_reason(bolt, stripe, now):
    PaymentCard.objects.update(customer_id="cus_gone")
    stripe.post = lambda path, data: (_ for _ in ()).throw(
        _invalid("No such customer: 'cus_gone'")
    )
    payment = buy(bolt, "50", now=now)
    assert (payment.status, payment.decline_code) == ("declined", "gateway_refused")
    assert "No such customer" in payment.decline_message


def _invalid(message):
    from tests.billing.payments.gateways.stripe_server import StripeError

    return StripeError(400, type="invalid_request_error", message=message)


# -- webhooks --------------------------------------------------------------------------


def test_a_webhook_before_the_answer_books_it_once(bolt, stripe, now, client):
    told = []

    def before_answer(payment):
        told.append(stripe.events[-1])

    stripe.before_answer = before_answer
    stripe.fail_next = "drop_after"
    payment = buy(bolt, "50", now=now)
    assert payment.status == "started"
    assert (
        tell(client, told[0]) == 200
    )  # Stripe says so before our own request has learnt it
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)
    settle_at(now + dt.timedelta(minutes=1))
    assert balance(bolt) == usd(50) and stripe.taken_cents() == 5000


def test_a_webhook_twice_and_late_changes_nothing(bolt, stripe, now, client):
    buy(bolt, "50", now=now)
    [event_] = stripe.events
    assert [tell(client, event_) for _time in range(3)] == [200, 200, 200]
    assert balance(bolt) == usd(50) and GatewayNotice.objects.count() == 1
    assert LedgerEntry.objects.count() == 1


def test_a_webhook_is_worked_off_once(bolt, stripe, now):
    buy(bolt, "50", now=now)
    body = json.dumps(stripe.events[0]).encode()
    notice = gateway_named("stripe").read_event(body, signature(body, SECRET))
    assert [
        record_gateway_event(notice, gateway="stripe", now=now) for _time in range(2)
    ] == [
        True,
        False,
    ]


def test_webhooks_in_the_wrong_order_keep_what_is_true(
    bolt, stripe, give_card, now, client
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)
    stripe.confirm(payment.gateway_id, agree=True)
    paid = stripe.events[-1]
    failed = stripe.tell(
        stripe.payments[payment.gateway_id] | {"status": "requires_payment_method"},
        "payment_intent.payment_failed",
    )
    assert [tell(client, paid), tell(client, failed)] == [200, 200]
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)


@pytest.mark.parametrize("forgery", ["other secret", "none", "too old", "changed"])
def test_a_forged_webhook_is_refused_and_changes_nothing(
    bolt, stripe, now, client, forgery
):
    stripe.fail_next = "drop_after"
    buy(bolt, "50", now=now)
    [event_] = stripe.events
    if forgery == "none":
        status = client.post(
            WEBHOOK, json.dumps(event_), content_type="application/json"
        ).status_code
    elif forgery == "changed":
        body = json.dumps(event_).encode()
        headers = {"Stripe-Signature": signature(body, SECRET)}
        status = client.post(
            WEBHOOK,
            body.replace(b"5000", b"9000"),
            content_type="application/json",
            headers=headers,
        ).status_code
    else:
        secret = "whsec_other" if forgery == "other secret" else SECRET
        status = tell(
            client,
            event_,
            secret=secret,
            at=int(time.time()) - 3600 if forgery == "too old" else None,
        )
    assert status == 400
    assert balance(bolt) == 0 and not GatewayNotice.objects.exists()


def test_webhooks_about_others_are_taken_and_passed_over(bolt, stripe, client):
    stranger = {
        "id": "pi_x",
        "object": "payment_intent",
        "status": "succeeded",
        "metadata": {},
    }
    assert tell(client, stripe.tell(stranger, "payment_intent.succeeded")) == 200
    assert (
        tell(client, stripe.tell({"id": "in_1", "object": "invoice"}, "invoice.paid"))
        == 200
    )
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 500},
        {"currency": "jpy"},
        {"customer": "cus_other"},
        {"customer": None},
        {"id": "pi_other"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_t6_a_webhook_that_is_not_what_our_row_says_is_noted_and_settles_nothing(
    bolt, stripe, give_card, now, client, other
):
    give_card(bolt, "action")
    payment = buy(bolt, "50", now=now)  # its id is known
    theirs = stripe.payments[payment.gateway_id]
    wrong = stripe.tell(
        {**theirs, "status": "succeeded", **other}, "payment_intent.succeeded"
    )
    assert tell(client, wrong) == 200
    assert (
        Payment.objects.get().status == "action"
        and balance(bolt) == 0
        and GatewayNotice.objects.count() == 1
    )
    assert (
        tell(
            client,
            stripe.tell({**theirs, "status": "succeeded"}, "payment_intent.succeeded"),
        )
        == 200
    )
    assert Payment.objects.get().status == "succeeded" and balance(bolt) == usd(50)


@pytest.mark.parametrize(
    ("key", "livemode", "status"),
    [
        ("sk_test_local", False, "succeeded"),
        ("sk_test_local", True, "started"),
        ("sk_live_local", True, "succeeded"),
        ("rk_live_local", False, "started"),
    ],
)
def test_t6_only_webhooks_of_the_keys_own_mode_settle(
    bolt, stripe, now, client, at_stripe, key, livemode, status
):
    stripe.fail_next = "drop_after"
    buy(bolt, "50", now=now)
    at_stripe.STRIPE_SECRET_KEY = key
    assert tell(client, {**stripe.events[-1], "livemode": livemode}) == 200
    assert Payment.objects.get().status == status and GatewayNotice.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [{"amount": 2001}, {"currency": "eur"}, {"payment_intent": "pi_x"}, {"id": "re_x"}],
)
def test_t7_a_webhook_about_another_refund_changes_none_of_ours(
    bolt, stripe, now, client, other
):
    made = refund(buy(bolt, "50", now=now), "20", now=now)
    failed = {**stripe.refunds[made.gateway_id], "status": "failed", **other}
    assert tell(client, stripe.tell(failed, "refund.failed")) == 200
    assert Refund.objects.get(pk=made.pk).status == "succeeded"
    assert balance(bolt) == usd(30)


def test_without_a_stripe_key_there_is_no_webhook(db, client):
    assert (
        client.post(WEBHOOK, b"{}", content_type="application/json").status_code == 404
    )


# -- refunds ---------------------------------------------------------------------------


def refund(payment, amount, *, now):
    """Olga refunds."""
    from tests.factories.people import make_user

    olga = make_user("olga@example.com", "Olga Operator")
    return processing.refund(
        payment, amount_nanos=usd(amount), reason="Bought twice", operator=olga, now=now
    )


def test_t7_a_refund_goes_back_to_the_card_and_out_of_the_balance(bolt, stripe, now):
    payment = buy(bolt, "50", now=now)
    assert refund(payment, "20", now=now).status == "succeeded"
    assert balance(bolt) == usd(30) and [
        one["amount"] for one in stripe.refunds.values()
    ] == [2000]
    assert list(differences()) == []


def test_t7_a_refund_without_an_answer_is_asked_again_with_its_key_and_made_once(
    bolt, stripe, now
):
    payment = buy(bolt, "50", now=now)
    stripe.fail_next = "drop_after"
    assert refund(payment, "20", now=now).status == "started"
    assert balance(bolt) == usd(30)  # already out of the balance
    settle_at(now + dt.timedelta(minutes=1))
    assert (
        Refund.objects.get().status == "succeeded"
        and len(stripe.refunds) == 1
        and balance(bolt) == usd(30)
    )


@pytest.mark.parametrize(("amount", "left"), [("20", 30), ("50", 0)])
def test_t7_after_stripes_keys_may_have_run_out_a_refund_is_only_looked_up(
    bolt, stripe, now, amount, left
):
    payment = buy(bolt, "50", now=now)
    stripe.fail_next = "drop_after"
    assert refund(payment, amount, now=now).status == "started"
    stripe.answered.clear()  # Stripe forgets its keys
    asked = len(stripe.requests)
    settle_at(now + dt.timedelta(hours=23))
    assert Refund.objects.get().status == "succeeded" and balance(bolt) == usd(left)
    assert stripe.requests[asked:] == [] and len(stripe.refunds) == 1


def test_t7_a_refund_that_never_arrived_comes_back_to_the_balance_and_is_not_made_late(
    bolt, stripe, now
):
    payment = buy(bolt, "50", now=now)
    stripe.fail_next = "drop_before"
    refund(payment, "20", now=now)
    settle_at(now + dt.timedelta(hours=23))
    assert Refund.objects.get().failure == "Stripe has no record of this refund."
    assert balance(bolt) == usd(50) and not stripe.refunds and list(differences()) == []


def test_t7_a_refund_whose_lookup_is_refused_stays_unknown(bolt, stripe, now):
    payment = buy(bolt, "50", now=now)
    stripe.fail_next = "drop_after"
    refund(payment, "20", now=now)
    get = stripe.get
    stripe.get = lambda path, query: (_ for _ in ()).throw(
        _invalid("This key may not list refunds.")
    )
    settle_at(now + dt.timedelta(hours=23))
    assert Refund.objects.get().status == "started"
    stripe.get = get
    settle_at(now + dt.timedelta(hours=25))
    assert Refund.objects.get().status == "succeeded"


def test_t7_a_refund_that_fails_later_comes_back_to_the_balance_once(
    bolt, stripe, now, client
):
    payment = buy(bolt, "50", now=now)
    made = refund(payment, "20", now=now)
    failed = {
        **stripe.refunds[made.gateway_id],
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
    }
    for _time in range(2):
        assert tell(client, stripe.tell(failed, "refund.failed")) == 200
    assert Refund.objects.get().status == "failed" and balance(bolt) == usd(50)
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", flat=True)) == [
        "purchase",
        "refund",
        "adjustment",
    ]
    assert list(differences()) == []
