"""bugs.md row 4, N1, N3: what owners and operators read of money that went back, on the
page and by mail: amounts, what it means, what to do.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core import mail

from accounts.models import User
from accounts.tasks import send_due_mails
from billing.metering.actions.recording import record_usage
from billing.payments import processing
from config.kit.money import usd
from tests.billing.payments.gateways.telling import dispute_and, tell
from tests.factories.usage import event


@pytest.fixture
def now():
    """The real time: Stripe's client and signatures read the clock."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def delivered():
    """The mails by recipient, newest state of each outbox."""
    mail.outbox.clear()
    send_due_mails()
    return {one.to[0]: one for one in mail.outbox}


def words(page):
    return page.content.decode().replace("&#x27;", "'")


def test_row_4_a_refund_is_told_with_its_amount_and_what_it_left(
    bolt,
    bought,
    stripe,
    client,
):
    tell(client, *stripe.outside.refund(bought.gateway_id, 8_000))
    sent = delivered()
    hers, olgas = sent["bea@bolt.example"], sent["olga@example.com"]
    assert hers.subject == "$80.00 was refunded to Visa 4242 for Bolt"
    assert "left the balance, which is now $20.00." in hers.body
    assert "Auto-reload was turned off" in hers.body
    assert olgas.subject == "Bolt: $80.00 was refunded in Stripe"
    assert "refunded in Stripe (requested by the customer)" in olgas.body
    assert f"/admin/billing/payment/{bought.pk}/change/" in olgas.body
    assert "you are an operator" in olgas.body


def test_row_4_a_dispute_is_told_with_what_to_do_and_the_page_says_why_nothing_is_bought(
    bolt,
    bought,
    stripe,
    client,
):
    tell(client, *stripe.outside.dispute(bought.gateway_id, 9_000))
    sent = delivered()
    hers, olgas = sent["bea@bolt.example"], sent["olga@example.com"]
    assert hers.subject == "The bank of Visa 4242 took back $90.00 bought for Bolt"
    for text in (
        "disputed: the cardholder did not authorize it",
        "the balance, which is now $10.00",
        "Auto-reload doesn't buy anything while the dispute is open.",
        "ask the cardholder to tell the bank so",
    ):
        assert text in hers.body, text
    assert olgas.subject == "Bolt: $90.00 is disputed"
    assert re.search(r"Answer it in Stripe's dashboard by \w+", olgas.body)
    client.force_login(bolt.primary_owner)
    page = words(client.get("/o/bolt/settings/usage/"))
    assert "The bank of Visa 4242 took back $90.00" in page
    assert "On hold: payment disputed" in page
    assert "Auto-reload doesn't buy anything until the bank has decided" in page
    billing = words(client.get("/o/bolt/settings/billing/"))
    assert "Dispute of $90.00: Open" in billing
    assert "taken back by the bank of Visa 4242" in billing


def test_row_4_below_zero_the_page_says_so_and_that_the_next_purchase_pays_it_first(
    bolt,
    bought,
    stripe,
    client,
    now,
):
    sent = event("mia@bolt.example", at=now, usd="30")
    record_usage([sent], organization_id=bolt.pk, now=now)
    tell(client, *stripe.outside.dispute(bought.gateway_id, 10_000))
    hers = delivered()["bea@bolt.example"]
    assert "which is now -$30.00" in hers.body
    assert "the next purchase first covers what is below zero" in hers.body
    client.force_login(bolt.primary_owner)
    page = words(client.get("/o/bolt/settings/usage/"))
    assert "extra usage is paused for everyone" in page and "is disputed" in page


@pytest.mark.parametrize(
    ("outcome", "subject", "says"),
    [
        (
            "won",
            "The dispute about $100.00 for Bolt is over: the payment stands",
            "The amount is back in the balance. Auto-reload works again.",
        ),
        (
            "lost",
            "The dispute about $100.00 for Bolt is over: the money went back",
            "gave the amount back to the cardholder for good. The balance is $0.00.",
        ),
    ],
)
def test_row_4_how_a_dispute_ended_is_told(
    bolt,
    bought,
    stripe,
    client,
    outcome,
    subject,
    says,
):
    tell(client, *dispute_and(stripe, bought, outcome))
    mail.outbox.clear()
    send_due_mails()
    [hers] = [one for one in mail.outbox if one.subject == subject]
    assert says in hers.body.replace("\n", " ")


def test_row_4_an_operator_who_left_or_may_not_see_payments_is_not_mailed(
    bolt,
    bought,
    stripe,
    client,
    olga,
):
    tell(client, *stripe.outside.refund(bought.gateway_id, 100))
    User.objects.filter(pk=olga.pk).update(is_superuser=False)
    assert set(delivered()) == {"bea@bolt.example"}


def test_row_4_a_low_balance_while_a_dispute_is_open_says_why_nothing_is_bought(
    bolt,
    bought,
    stripe,
    client,
    now,
):
    tell(client, *stripe.outside.dispute(bought.gateway_id, 9_000))
    delivered()
    processing.reload_if_due(bolt.pk, now=now)
    hers = delivered()["bea@bolt.example"]
    assert hers.subject == "$10.00 left: the balance of Bolt is low"
    assert "doesn't buy anything while a payment is disputed" in hers.body
    assert "Auto-reload is off" not in hers.body


def test_row_4_a_dispute_is_on_the_operators_page_of_the_payment(
    bolt,
    bought,
    stripe,
    client,
    olga,
):
    tell(client, *stripe.outside.dispute(bought.gateway_id, 9_000))
    client.force_login(olga)
    page = words(client.get(f"/admin/billing/payment/{bought.pk}/change/"))
    assert "It is disputed, so the bank decides who gets the money." in page
    listed = words(client.get("/admin/billing/dispute/"))
    assert "$90.00" in listed and "fraudulent" in listed
    assert usd(90) == bought.disputes.get().amount_nanos
