"""bugs.md row 4, T2, T7: refunds in Stripe's dashboard and disputes of a purchase, in any
order and however often they are told, through Stripe's client and a local Stripe.
"""

from __future__ import annotations

import datetime as dt
import html
import itertools
import re

import pytest
import time_machine
from django.db import IntegrityError, transaction

from accounts.audit import audit_row
from accounts.models import AuditEntry, OutgoingMail
from billing.books import differences
from billing.documents import tasks as document_tasks
from billing.documents.gateway_events import catch_up
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    Dispute,
    GatewayNotice,
    LedgerEntry,
    Payment,
    Refund,
)
from billing.payments import processing, tasks
from billing.payments.actions.disputes import take_dispute
from billing.payments.actions.refunds import refundable_nanos, settle_refund
from billing.payments.gateways.base import RefundFailed
from billing.payments.gateways.money_back import DisputeTold
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.billing.payments.gateways.telling import dispute_and, tell
from tests.factories.balances import balance, buy
from tests.factories.usage import event


@pytest.fixture
def now():
    """The real time: Stripe's client and signatures read the clock."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def kinds(bolt):
    """Kind and dollars of the entries since the purchase."""
    entries = LedgerEntry.objects.filter(organization=bolt).order_by("pk")[1:]
    return [(one.kind, one.amount_nanos // usd(1)) for one in entries]


def mails(kind):
    """To whom mails of this kind are queued, and their steps."""
    queued = OutgoingMail.objects.filter(kind=f"balance.{kind}").order_by("pk")
    return sorted(mail.user.email for mail in queued)


# -- refunds ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_row_4_two_dashboard_refunds_are_booked_once_in_any_order_and_repetition(
    bolt, bought, stripe, client, order
):
    events = [
        *stripe.outside.refund(bought.gateway_id, 2_000),
        *stripe.outside.refund(bought.gateway_id, 3_000),
    ]
    for place in order:
        tell(client, events[place], events[place])
    tell(client, *events)
    assert balance(bolt) == usd(50)
    held = Refund.objects.not_failed().order_by("amount_nanos")
    assert [(one.gateway_id, one.amount_nanos) for one in held] == [
        (refund["id"], usd(refund["amount"] // 100))
        for refund in stripe.refunds.values()
    ]
    assert list(differences()) == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_row_4_a_dashboard_refund_that_fails_comes_back_once_in_any_order(
    bolt, bought, stripe, client, order
):
    created, charged = stripe.outside.refund(bought.gateway_id, 2_000)
    failed = stripe.outside.fail(created["data"]["object"]["id"])
    events = [created, charged, failed]
    for place in order:
        tell(client, events[place], events[place])
    assert balance(bolt) == usd(100)
    assert Refund.objects.get(gateway_id__startswith="re_").status == "failed"
    assert list(differences()) == []


def test_row_4_the_sum_of_a_charge_alone_books_what_it_grew_by(
    bolt, bought, stripe, client
):
    _created, first = stripe.outside.refund(bought.gateway_id, 2_000)
    _created, second = stripe.outside.refund(bought.gateway_id, 3_000)
    tell(client, first, second, first)
    assert kinds(bolt) == [("refund", -20), ("refund", -30)]
    assert list(differences()) == []


def test_row_4_a_refund_takes_the_balance_below_zero_where_it_was_used(
    bolt, bought, stripe, client, now
):
    sent = event("mia@bolt.example", at=now, usd="70")
    record_usage([sent], organization_id=bolt.pk, now=now)
    tell(client, *stripe.outside.refund(bought.gateway_id, 10_000))
    assert balance(bolt) == usd(-70) and list(differences()) == []


def test_row_4_owners_and_operators_are_told_once_and_it_is_in_the_activity(
    bolt, bought, stripe, client
):
    tell(client, *stripe.outside.refund(bought.gateway_id, 2_000))
    assert mails("refunded") == ["bea@bolt.example", "olga@example.com"]
    row = audit_row(one_row(bolt))
    assert (row.who, row.action) == ("Stripe", "Refund in Stripe")
    assert row.before == "Balance: $100.00"
    assert row.after == "$20.00 refunded. Balance: $80.00"
    assert (row.before_nanos, row.after_nanos) == (usd(100), usd(80))
    assert row.subject == f"Visa 4242 · {bought.gateway_id}"


def one_row(bolt) -> AuditEntry:
    """The only change of the balance since the purchase in Bolt's activity."""
    [entry] = AuditEntry.objects.filter(
        organization=bolt, action__startswith="balance."
    ).exclude(
        action__in=["balance.purchase", "balance.auto_reload", "balance.card"],
    )
    return entry


def test_c8_a_dispute_is_one_row_of_the_activity_with_the_balance(
    bolt, bought, stripe, client
):
    """Item 9: not one by Stripe and one by the system."""
    tell(client, *stripe.outside.dispute(bought.gateway_id, 4_000))
    row = audit_row(one_row(bolt))
    assert (row.who, row.before) == ("Stripe", "Balance: $100.00")
    assert row.after == "Open: $40.00 disputed, $40.00 taken back. Balance: $60.00"
    assert (row.before_nanos, row.after_nanos) == (usd(100), usd(60))


def test_c8_a_refund_that_failed_is_told_with_the_balance_that_has_it_again(
    bolt, bought, stripe, client
):
    created, charged = stripe.outside.refund(bought.gateway_id, 2_000)
    tell(client, charged, created)
    tell(client, stripe.outside.fail(created["data"]["object"]["id"]))
    rows = AuditEntry.objects.filter(action="balance.refunded_outside").order_by("pk")
    assert [audit_row(row).after for row in rows] == [
        "$20.00 refunded. Balance: $80.00",
        "$20.00 came back. Balance: $100.00",
    ]


def test_t7_a_dashboard_refund_to_the_threshold_switches_auto_reload_off_as_an_operators(
    bolt, bought, stripe, client, now
):
    tell(client, *stripe.outside.refund(bought.gateway_id, 8_000))
    assert not BillingAccount.objects.get(pk=bolt.pk).auto_reload_enabled
    assert processing.reload_if_due(bolt.pk, now=now) is None


def test_t7_an_operators_own_refund_is_not_booked_again_by_its_webhooks(
    bolt, bought, stripe, client, olga, now
):
    made = processing.refund(
        bought, amount_nanos=usd(20), reason="Bought twice", operator=olga, now=now
    )
    theirs = stripe.refunds[made.gateway_id]
    tell(
        client,
        stripe.tell(theirs, "refund.created"),
        stripe.outside.tell_charge(bought.gateway_id),
        stripe.tell(theirs, "refund.updated"),
    )
    assert kinds(bolt) == [("refund", -20)] and mails("refunded") == []


def test_t7_an_operators_refund_in_flight_is_not_booked_again_by_its_webhooks(
    bolt, bought, stripe, client, olga, now
):
    stripe.fail_next = "drop_after"
    processing.refund(
        bought, amount_nanos=usd(20), reason="Bought twice", operator=olga, now=now
    )
    [theirs] = stripe.refunds.values()
    tell(
        client,
        stripe.outside.tell_charge(bought.gateway_id),
        stripe.tell(theirs, "refund.created"),
    )
    assert Refund.objects.get().status == "succeeded"
    assert kinds(bolt) == [("refund", -20)] and list(differences()) == []


def test_t7_a_refund_given_up_as_never_arrived_that_was_made_all_the_same_is_booked(
    bolt, bought, stripe, client, olga, now
):
    stripe.fail_next = "drop_after"
    made = processing.refund(
        bought, amount_nanos=usd(20), reason="Bought twice", operator=olga, now=now
    )
    settle_refund(made.pk, RefundFailed("Stripe has no record of it."), now=now)
    [theirs] = stripe.refunds.values()
    tell(client, stripe.tell(theirs, "refund.created"))
    assert kinds(bolt) == [("refund", -20), ("adjustment", 20), ("refund", -20)]
    assert list(differences()) == []


def test_t7_what_was_refunded_in_the_dashboard_can_not_be_refunded_again(
    bolt, bought, stripe, client, olga, now
):
    tell(client, *stripe.outside.refund(bought.gateway_id, 6_000))
    assert refundable_nanos(bought) == usd(40)
    with pytest.raises(BusinessError) as refused:
        processing.refund(
            bought, amount_nanos=usd(50), reason="x", operator=olga, now=now
        )
    assert str(refused.value) == (
        "$50.00 can't be refunded: $40.00 of this purchase is unused. Enter an amount in "
        "whole cents up to that. $60.00 of it was already refunded."
    )


def test_t7_a_refund_that_stripe_refuses_since_it_was_made_there_meanwhile_comes_back(
    bolt, bought, stripe, client, olga, now
):
    told = stripe.outside.refund(bought.gateway_id, 10_000)  # not told yet
    made = processing.refund(
        bought, amount_nanos=usd(20), reason="x", operator=olga, now=now
    )
    assert made.status == "failed" and balance(bolt) == usd(100)
    tell(client, *told)
    assert balance(bolt) == 0 and list(differences()) == []


@pytest.mark.parametrize(
    "other", [{"currency": "eur"}, {"payment_intent": "pi_x"}, {"amount": 0}]
)
def test_row_4_a_refund_of_something_else_books_nothing(
    bolt, bought, stripe, client, other
):
    refund = stripe.outside.refund(bought.gateway_id, 2_000)[0]["data"]["object"]
    tell(client, stripe.tell({**refund, **other}, "refund.created"))
    assert kinds(bolt) == []


def test_row_4_a_refund_in_the_other_mode_books_nothing(bolt, bought, stripe, client):
    created, charged = stripe.outside.refund(bought.gateway_id, 2_000)
    tell(client, {**created, "livemode": True}, {**charged, "livemode": True})
    assert kinds(bolt) == []


def test_row_4_news_of_a_purchase_that_nobody_knows_yet_wait_for_it(
    bolt, stripe, client, now, ticking
):
    stripe.fail_next = "drop_after"
    buy(bolt, "50", now=now)
    [paid] = stripe.events
    intent = next(iter(stripe.payments))
    refunded = stripe.outside.refund(intent, 2_000)
    disputed = stripe.outside.dispute(intent, 3_000)
    tell(client, *refunded, *disputed)
    assert balance(bolt) == 0 and Payment.objects.get().status == "started"
    tell(client, paid)
    assert balance(bolt) == 0 and kinds(bolt) == [("refund", -20), ("dispute", -30)]
    assert not GatewayNotice.objects.filter(waiting__isnull=False).exists()
    assert list(differences()) == []


def test_row_4_a_sweep_takes_what_waits_when_the_purchase_was_settled_by_asking(
    bolt, stripe, client, now, ticking
):
    stripe.fail_next = "drop_after"
    buy(bolt, "50", now=now)
    tell(client, *stripe.outside.refund(next(iter(stripe.payments)), 2_000))
    with time_machine.travel(now + dt.timedelta(minutes=2), tick=False):
        tasks.settle_unknown()
        assert balance(bolt) == usd(50)
        assert document_tasks.take_waiting_notices() == 2
        assert document_tasks.take_waiting_notices() == 0
    assert balance(bolt) == usd(30) and list(differences()) == []


def test_row_4_lost_webhooks_are_found_by_asking_once_a_day(bolt, bought, stripe):
    stripe.outside.refund(bought.gateway_id, 2_000)
    [*_, taken] = stripe.outside.dispute(bought.gateway_id, 3_000)
    assert catch_up() == 4 and catch_up() == 0
    assert balance(bolt) == usd(50) and list(differences()) == []
    assert taken["type"] == "charge.dispute.funds_withdrawn"


def test_row_4_what_an_earlier_version_noted_without_booking_is_caught_up(
    bolt, bought, stripe, now
):
    created, _charged = stripe.outside.refund(bought.gateway_id, 2_000)
    stripe.events.pop()  # that endpoint never heard of the charge
    GatewayNotice.objects.create(
        gateway="stripe",
        notice_id=created["id"],
        kind="refund.created",
        received_at=now,
    )
    catch_up()
    assert kinds(bolt) == [("refund", -20)]


def test_row_4_a_key_that_may_not_read_events_stops_nothing(bolt, bought, stripe):
    from tests.billing.payments.gateways.stripe_server import StripeError

    def refuse(path, query):
        raise StripeError(
            400, type="invalid_request_error", message="This key may not."
        )

    stripe.get = refuse
    assert catch_up() == 0


def test_a_refund_of_the_gateways_own_is_never_one_to_ask_about(bolt, bought):
    """Asking with a key of our own would make another one."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.create(
            payment=bought,
            amount_nanos=usd(1),
            key="k",
            created_at=bought.created_at,
            next_check_at=bought.created_at,
        )


# -- disputes --------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_row_4_a_dispute_won_is_booked_out_and_back_once_in_any_order(
    bolt, bought, stripe, client, order
):
    events = dispute_and(stripe, bought, "won")
    for place in order:
        tell(client, events[place], events[place])
    tell(client, *reversed(events))
    assert balance(bolt) == usd(100) and Dispute.objects.get().status == "won"
    assert sum(amount for _kind, amount in kinds(bolt)) == 0
    assert list(differences()) == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_row_4_a_dispute_lost_is_booked_out_once_in_any_order(
    bolt, bought, stripe, client, order
):
    events = dispute_and(stripe, bought, "lost")
    for place in order:
        tell(client, events[place], events[place])
    assert kinds(bolt) == [("dispute", -100)] and balance(bolt) == 0
    assert Dispute.objects.get().status == "lost" and list(differences()) == []


def test_row_4_the_money_is_out_while_the_dispute_is_open_and_back_when_reinstated(
    bolt, bought, stripe, client
):
    created, withdrawn = stripe.outside.dispute(bought.gateway_id, 4_000)
    tell(client, created)
    assert balance(bolt) == usd(60)  # Stripe takes it when it opens
    tell(client, withdrawn)
    assert balance(bolt) == usd(60)
    [dispute_id] = stripe.outside.disputes
    closed, reinstated = stripe.outside.close(dispute_id, "won")
    tell(client, closed)
    assert balance(bolt) == usd(60)  # decided, and not given back yet
    tell(client, reinstated, reinstated)
    assert kinds(bolt) == [("dispute", -40), ("dispute", 40)]


def test_row_4_an_inquiry_takes_nothing_until_it_becomes_a_dispute(
    bolt, bought, stripe, client, now
):
    events = stripe.outside.dispute(
        bought.gateway_id, 4_000, status="warning_needs_response"
    )
    tell(client, *events)
    assert balance(bolt) == usd(100) and Dispute.objects.open().exists()
    [dispute_id] = stripe.outside.disputes
    tell(client, stripe.outside.withdraw(dispute_id))
    assert balance(bolt) == usd(60)
    steps = OutgoingMail.objects.filter(user__email="bea@bolt.example").order_by("pk")
    assert [mail.facts["step"] for mail in steps] == ["opened", "taken"]


def test_row_4_an_inquiry_that_ends_leaves_everything_as_it_was(
    bolt, bought, stripe, client
):
    tell(
        client,
        *stripe.outside.dispute(
            bought.gateway_id, 4_000, status="warning_needs_response"
        ),
    )
    [dispute_id] = stripe.outside.disputes
    tell(client, *stripe.outside.close(dispute_id, "warning_closed"))
    assert kinds(bolt) == [] and Dispute.objects.get().status == "won"


def test_row_4_auto_reload_buys_nothing_while_a_dispute_is_open(
    bolt, bought, stripe, client, now
):
    tell(client, *stripe.outside.dispute(bought.gateway_id, 9_000))
    assert balance(bolt) == usd(10)
    assert processing.reload_if_due(bolt.pk, now=now) is None
    assert BillingAccount.objects.get(pk=bolt.pk).auto_reload_enabled
    [dispute_id] = stripe.outside.disputes
    tell(client, *stripe.outside.close(dispute_id, "won"))
    sent = event("mia@bolt.example", at=now, usd="80")
    record_usage([sent], organization_id=bolt.pk, now=now)
    assert processing.reload_if_due(bolt.pk, now=now).status == "succeeded"


def test_c7_a_reload_in_flight_when_a_dispute_opens_is_only_looked_up(
    bolt, bought, stripe, client, now
):
    sent = event("mia@bolt.example", at=now, usd="80")
    record_usage([sent], organization_id=bolt.pk, now=now)
    stripe.fail_next = "drop_before"
    reload = processing.reload_if_due(bolt.pk, now=now)
    tell(client, *stripe.outside.dispute(bought.gateway_id, 100))
    with time_machine.travel(now + dt.timedelta(minutes=2), tick=False):
        tasks.settle_unknown()
    assert Payment.objects.get(pk=reload.pk).status == "canceled"
    assert stripe.taken_cents() == 10_000


def test_row_4_a_lost_dispute_does_not_charge_the_card_again_at_once(
    bolt, bought, stripe, client, now
):
    tell(client, *dispute_and(stripe, bought, "lost"))
    assert not BillingAccount.objects.get(pk=bolt.pk).auto_reload_enabled
    assert processing.reload_if_due(bolt.pk, now=now) is None
    assert stripe.taken_cents() == 10_000


def test_row_4_each_step_of_a_dispute_is_told_once_to_owners_and_operators(
    bolt, bought, stripe, client
):
    events = dispute_and(stripe, bought, "lost")
    tell(client, *events, *events)
    assert mails("disputed") == ["bea@bolt.example"] * 2 + ["olga@example.com"] * 2
    rows = AuditEntry.objects.filter(action="balance.dispute_state").order_by("pk")
    assert [audit_row(row).after for row in rows] == [
        "Open: $100.00 disputed, $100.00 taken back. Balance: $0.00",
        "The money went back: $100.00 disputed, $100.00 taken back. Balance: $0.00",
    ]


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (None, "can't be refunded while $40.00 of it is disputed"),
        ("lost", "the bank already gave $40.00 of it back to the cardholder"),
    ],
)
def test_t7_a_disputed_purchase_can_not_be_refunded_by_an_operator(
    bolt, bought, stripe, client, olga, now, outcome, says
):
    tell(client, *stripe.outside.dispute(bought.gateway_id, 4_000))
    if outcome:
        [dispute_id] = stripe.outside.disputes
        tell(client, *stripe.outside.close(dispute_id, outcome))
    assert refundable_nanos(bought) == 0
    with pytest.raises(BusinessError, match=says.replace("$", r"\$")) as refused:
        processing.refund(
            bought, amount_nanos=usd(10), reason="x", operator=olga, now=now
        )
    assert refused.value.code == "payment_disputed"
    client.force_login(olga)
    step = f"/admin/accounts/organization/{bolt.pk}/steps/refund/"
    typed = {"payment": bought.pk, "amount": "10", "key": "0" * 32}
    page = client.post(step, typed).content.decode()
    assert re.search(says.replace("$", r"\$"), html.unescape(page))


def test_t7_a_dispute_that_is_won_lets_the_purchase_be_refunded_again(
    bolt, bought, stripe, client
):
    tell(client, *dispute_and(stripe, bought, "won", cents=4_000))
    assert refundable_nanos(bought) == usd(100)


def test_e8_a_falsified_dispute_is_named(bolt, bought, stripe, client):
    tell(client, *stripe.outside.dispute(bought.gateway_id, 4_000))
    Dispute.objects.update(amount_nanos=usd(39))
    [found] = differences()
    assert (found.table, found.column) == ("billing_dispute", "amount_nanos")


def test_e8_a_falsified_refund_of_the_gateway_is_named(bolt, bought, stripe, client):
    tell(client, *stripe.outside.refund(bought.gateway_id, 2_000))
    Refund.objects.update(amount_nanos=usd(19))
    [found] = differences()
    assert (found.table, found.column) == ("billing_refund", "amount_nanos")


def test_row_4_money_taken_again_after_an_appeal_stays_out_whatever_comes_late(
    bolt, bought, now
):
    """Taken at 1, given back at 5, taken again at 9; then the news of 5 come late."""

    def told(at, *, withdrawn, reinstated, status="open"):
        return DisputeTold(
            "du_1", 4_000, status, False, "", 1, 0, withdrawn, reinstated, at
        )

    for one in (
        told(1, withdrawn=1, reinstated=0),
        told(9, withdrawn=9, reinstated=5),
        told(5, withdrawn=1, reinstated=5, status="won"),
    ):
        take_dispute(bought.pk, one, now=now)
    assert balance(bolt) == usd(60) and Dispute.objects.get().status == "open"
    assert list(differences()) == []
