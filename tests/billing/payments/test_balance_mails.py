"""N1, T4, T5: what owners are mailed about money: only owners, in their language, the
number first, with what to do.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command

from accounts.models import Role
from accounts.tasks import send_due_mails
from billing.caps.actions.switch import set_extra_usage
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, PaymentCard
from billing.payments import processing, tasks
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.actions.reloads import start_reload_if_due
from billing.payments.actions.settling import settle_payment
from billing.payments.gateways.base import Declined
from tests.conftest import NOW
from tests.factories.balances import bea_of, give_card, turn_on, use_up_included
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import event


def deliver(at):
    """Send what is due within the minute of `at`, when even a busy machine's gateway has
    answered; the mails.
    """
    with time_machine.travel(at + dt.timedelta(seconds=50), tick=False):
        send_due_mails()
    sent, mail.outbox = mail.outbox, []
    return sent


def use(bolt, amount, at=NOW):
    """Mia's extra usage."""
    record_usage(
        [event("mia@bolt.example", at=at, usd=amount)], organization_id=bolt.pk, now=at
    )


@pytest.fixture
def running(bolt, now):
    """$100, auto-reload of $50 at $25, at most $100 a month; a second owner who reads
    Japanese; an admin.
    """
    use_up_included(bolt)
    ken = make_user("ken@bolt.example", "田中 健", language="ja")
    MembershipFactory(organization=bolt, user=ken, base_role=Role.OWNER)
    MembershipFactory(
        organization=bolt,
        user=make_user("ann@bolt.example", "Ann"),
        base_role=Role.ADMIN,
    )
    turn_on(bolt, reload=("25", "50"), limit="100", now=now)
    return bolt


def test_every_purchase_is_mailed_to_the_owners_once(running):
    sent = deliver(NOW)
    assert sorted(one.to[0] for one in sent) == ["bea@bolt.example", "ken@bolt.example"]
    [hers] = [one for one in sent if one.to == ["bea@bolt.example"]]
    assert hers.subject == "$100.00 bought for Bolt"
    assert "Bought by Bea Solano. Visa 4242 was charged at 11:28 today." in hers.body
    assert "(Los Angeles time)" in hers.body  # "11:28" needs a place
    assert (
        "This brought the balance to $100.00." in hers.body
        and "/o/bolt/settings/billing/" in hers.body
    )
    [his] = [one for one in sent if one.to == ["ken@bolt.example"]]
    assert his.subject == "Boltで$100.00を購入しました"
    assert deliver(NOW + dt.timedelta(hours=1)) == []


def test_t4_each_reload_is_mailed_with_what_is_left_of_the_limit(running, now):
    deliver(NOW)
    use(running, "80")
    processing.reload_if_due(running.pk, now=now)
    first = deliver(NOW)[0]
    assert first.subject == "$50.00 bought by auto-reload for Bolt"
    assert "$50.00 of $100.00 reloaded this month." in first.body


def test_t5_declines_say_why_what_is_left_and_when_it_is_tried_again(running, now):
    deliver(NOW)
    give_card(running, "declines", now=now)
    use(running, "80")
    processing.reload_if_due(running.pk, now=now)
    first = deliver(NOW)[0]
    assert (
        first.subject
        == "Visa 0341 was declined for $50.00: the balance of Bolt was not reloaded"
    )
    for words in (
        "“Your card was declined.”",
        "We'll try again at 12:28 today.",
        "The balance is $20.00;",
        "/o/bolt/settings/billing/card/",
    ):
        assert words in first.body, words
    for hours in (1, 6, 24):
        with time_machine.travel(
            now + dt.timedelta(hours=hours, minutes=1), tick=False
        ):
            tasks.reload_due_balances()
    subjects = [
        one.subject
        for one in deliver(now + dt.timedelta(hours=25))
        if one.to == ["bea@bolt.example"]
    ]
    assert sorted(subjects) == sorted(
        [first.subject, first.subject, "Auto-reload is off for Bolt"]
    )


def test_t5_a_decline_after_the_balance_is_gone_does_not_say_that_it_will_be(
    running, now
):
    deliver(NOW)
    give_card(running, "declines", now=now)
    use(running, "101")
    processing.reload_if_due(running.pk, now=now)
    [body] = [
        one.body
        for one in deliver(NOW)
        if "declined" in one.subject and one.to == ["bea@bolt.example"]
    ]
    assert (
        "The balance is used up, so extra usage is paused for everyone." in body
        and "once it's used up" not in body
    )


def test_t5_a_decline_after_auto_reload_was_switched_off_promises_no_next_try(
    running, now
):
    deliver(NOW)
    give_card(running, "declines", now=now)
    use(running, "80")
    BillingAccount.objects.update(
        reload_declines=3, reload_declined_at=now - dt.timedelta(hours=24)
    )
    payment = start_reload_if_due(running.pk, now=now).payment
    set_auto_reload(running, enabled=False, actor=bea_of(running), now=now)
    settle_payment(
        payment.pk, Declined("card_declined", "Your card was declined."), now=now
    )
    first = deliver(NOW)[0]
    assert first.subject.startswith("Visa 0341 was declined for $50.00")
    assert (
        "Auto-reload has been turned off since, so we won't try again. The balance is $20.00"
        in first.body
    )
    assert "try again at" not in first.body


def test_t5_a_decline_while_extra_usage_is_off_says_that_it_waits(running, now):
    deliver(NOW)
    give_card(running, "declines", now=now)
    use(running, "80")
    payment = start_reload_if_due(running.pk, now=now).payment
    set_extra_usage(running, enabled=False, actor=bea_of(running), now=now)
    settle_payment(
        payment.pk, Declined("card_declined", "Your card was declined."), now=now
    )
    assert (
        "Extra usage has been turned off since; once it's back on, we'll try again."
        in deliver(NOW)[0].body
    )


def test_n1_a_low_balance_without_a_card_is_told_in_true_words(running, now):
    deliver(NOW)
    PaymentCard.objects.update(card_id="")
    use(running, "80")
    processing.reload_if_due(running.pk, now=now)
    first = deliver(NOW)[0]
    assert first.subject == "$20.00 left: the balance of Bolt is low"
    assert (
        "Auto-reload is on, but there is no card to charge" in first.body
        and "Auto-reload is off" not in first.body
    )
    assert "/o/bolt/settings/billing/card/" in first.body


def test_t4_a_reached_limit_is_told(running, now):
    deliver(NOW)
    for amount in ("80", "50", "60", "10"):
        use(running, amount)
        processing.reload_if_due(running.pk, now=now)
    subjects = [one.subject for one in deliver(NOW) if one.to == ["bea@bolt.example"]]
    assert sorted(subjects) == [
        "$50.00 bought by auto-reload for Bolt",
        "$50.00 bought by auto-reload for Bolt",
        "The monthly reload limit of $100.00 has been reached for Bolt",
    ]


def test_somebody_who_is_no_owner_any_more_gets_nothing(running):
    running.memberships.filter(user__email="ken@bolt.example").update(
        base_role=Role.MEMBER
    )
    assert [one.to for one in deliver(NOW)] == [["bea@bolt.example"]]


def test_html_and_text_say_the_same_and_nothing_is_left_untranslated(running, now):
    give_card(running, "declines", now=now)
    use(running, "80")
    processing.reload_if_due(running.pk, now=now)
    for one in deliver(NOW):
        html = one.alternatives[0][0]
        assert one.subject in re.sub(r"<[^>]+>", "", html).replace("&#x27;", "'")
        if one.to == ["ken@bolt.example"]:
            ours = re.sub(
                "「.*?」", "", one.body
            )  # the gateway's own words stay as they are
            assert not re.search(r"\b(?:The|was|You|balance)\b", ours), one.body


def test_audit_books_is_clean_after_all_that(running, now, capsys):
    use(running, "80")
    processing.reload_if_due(running.pk, now=now)
    call_command("audit_books")
    assert "The books are clean" in capsys.readouterr().out
