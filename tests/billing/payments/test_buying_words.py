"""N2, bugs.md row 23: who buys reads before and after what stops people all the same."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import mail

from accounts.tasks import send_due_mails
from billing.caps.actions.caps import set_organization_cap
from billing.caps.actions.switch import set_extra_usage
from billing.metering.actions.recording import record_usage
from billing.notices.tasks import tell_of_organization
from billing.payments import processing
from billing.payments.actions.credits import post_credit
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import bea_of, buy, turn_on, use_up_included
from tests.factories.usage import event

BUY = "/o/bolt/settings/billing/buy/"
CAP_REACHED = (
    "The organization spend cap of $50.00 has been reached ($60.00 spent), so everybody "
    "stays paused until"
)


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def running(bolt, now, client):
    """$100 bought, $60 of it used; Bea is signed in."""
    use_up_included(bolt)
    turn_on(bolt, now=now)
    sent = event("mia@bolt.example", at=now, usd="60")
    record_usage([sent], organization_id=bolt.pk, now=now)
    client.force_login(bolt.primary_owner)
    return bolt


def dialog(client):
    return client.get(BUY).content.decode().replace("&#x27;", "'")


def bought_toast(client):
    """What the page says after buying $50."""
    import re

    [key] = re.findall(
        r'name="key" value="([0-9a-f]{32})"', client.get(BUY).content.decode()
    )
    answer = client.post(BUY, {"amount": "50", "key": key}, follow=True)
    return answer.content.decode().replace("&#x27;", "'")


def test_n2_a_reached_organization_cap_is_said_before_and_after_buying(
    running, client, now
):
    set_organization_cap(running, amount_nanos=usd(50), actor=bea_of(running), now=now)
    assert CAP_REACHED in dialog(client)
    page = bought_toast(client)
    assert "$50.00 bought. The balance is now $90.00." in page and CAP_REACHED in page


def test_n2_extra_usage_that_is_off_is_said_before_and_after_buying(
    running, client, now
):
    set_extra_usage(running, enabled=False, actor=bea_of(running), now=now)
    off = (
        "Extra usage is off, so nobody can use the balance until an owner turns it on."
    )
    assert off in dialog(client) and off in bought_toast(client)


def test_n2_what_a_purchase_covers_first_is_said(running, client, now):
    sent = event("mia@bolt.example", at=now, usd="70")
    record_usage([sent], organization_id=running.pk, now=now)
    assert "The balance is $30.00 below zero; a purchase covers that first." in dialog(
        client
    )


def test_n2_that_nobody_was_chosen_is_said(running, client, now):
    set_extra_usage(
        running, enabled=True, scope="selected", actor=bea_of(running), now=now
    )
    assert "Nobody has been chosen for extra usage yet." in dialog(client)


def test_n2_where_buying_is_all_that_is_needed_nothing_more_is_said(running, client):
    assert "xu-preview" not in dialog(client)


def test_n2_the_mails_of_a_purchase_and_of_a_balance_that_is_gone_say_it_too(
    running, client, now
):
    set_organization_cap(running, amount_nanos=usd(50), actor=bea_of(running), now=now)
    send_due_mails()
    mail.outbox.clear()
    buy(running, "20", now=now)
    with time_machine.travel(NOW + dt.timedelta(seconds=50), tick=False):
        send_due_mails()
    assert CAP_REACHED in mail.outbox[-1].body
    sent = event("mia@bolt.example", at=now, usd="60")
    record_usage([sent], organization_id=running.pk, now=now)
    processing.reload_if_due(running.pk, now=now)
    # once auto-reload had its time to lift it
    with time_machine.travel(NOW + dt.timedelta(minutes=5), tick=False):
        tell_of_organization(running.pk)
        send_due_mails()
    [subject] = [one.subject for one in mail.outbox if "is used up" in one.subject]
    mail.outbox[:] = [one for one in mail.outbox if one.subject == subject]
    assert subject == "$0.00 left: the balance of Bolt is used up"
    assert "Buying extra usage alone is not enough." in mail.outbox[-1].body
    assert "has been reached ($120.00 spent)" in mail.outbox[-1].body


def test_n2_the_month_says_it_where_both_the_cap_and_the_balance_stop_people(
    running, client, now
):
    set_organization_cap(running, amount_nanos=usd(50), actor=bea_of(running), now=now)
    sent = event("mia@bolt.example", at=now, usd="1")
    record_usage([sent], organization_id=running.pk, now=now)
    page = client.get("/o/bolt/settings/usage/").content.decode()
    assert "Raise it and people can continue right away." in page
    adjust_down(running, now=now)
    page = client.get("/o/bolt/settings/usage/").content.decode()
    assert "Raise the cap and buy extra usage, and people can continue" in page


def adjust_down(bolt, *, now):
    """An operator takes what is left."""
    post_credit(
        bolt,
        amount_nanos=-usd(39),
        reason="Booked twice",
        operator=bolt.primary_owner,
        now=now,
    )
