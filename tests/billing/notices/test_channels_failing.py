"""Deliveries that fail (N3): tried again, given up and told; and sent again, once each."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import AuditEntry
from billing.models import (
    ChannelDelivery,
    EventType,
    Notice,
    NoticeKind,
)
from billing.notices import processing
from billing.notices.actions.channels import (
    pause_channel,
    remove_channel,
    resume_channel,
)
from billing.notices.actions.deliveries import (
    Outcome,
    claim_delivery,
    resend,
    settle_delivery,
    start_test,
)
from billing.notices.actions.publishing import publish, publish_notice
from billing.notices.tasks import send_due_deliveries
from config.kit import outgoing
from config.kit.errors import BusinessError
from tests.billing.notices.conftest import ALICE, added, fresh, make_notice, published
from tests.billing.notices.receiver import (
    answers,
    drips,
    floods,
    hangs_up,
    receiving,
)
from tests.conftest import NOW

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


# -- Failing -------------------------------------------------------------------------------

BAD = {
    "500": answers(500, "down"),
    "redirect": answers(302, "", "Location: http://169.254.169.254/latest/"),
    "closed": hangs_up,
    "not-http": lambda peer, receiver: peer.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
}


@pytest.mark.parametrize("how", BAD)
def test_n3_what_fails_is_tried_again_after_1_5_and_30_minutes(
    how, acme, receiver, channel, clock
):
    receiver.answer = BAD[how]
    delivery = published(acme)
    at = NOW
    for wait in (MINUTE, 5 * MINUTE, 30 * MINUTE):
        clock.move_to(at)
        assert processing.deliver(delivery.pk) is False
        at += wait
        assert fresh(delivery).next_try_at == at
        clock.move_to(at - dt.timedelta(seconds=1))
        assert processing.deliver(delivery.pk) is None
    # Nothing was followed: the receiver alone was asked, once a try.
    assert len(receiver.taken) == 3
    ids = {taken.headers["webhook-id"] for taken in receiver.taken}
    assert ids == {delivery.message_id}


def test_n3_a_slow_receiver_is_asked_once_more_and_not_for_each_event(
    acme, channel, clock
):
    late, other = published(acme), published(acme, "switch:2")
    elsewhere, _secret = added(acme, "https://hooks.example/else")
    third = ChannelDelivery.objects.create(
        channel=elsewhere,
        event=other.event,
        message_id="msg_third",
        created_at=NOW,
        next_try_at=NOW,
    )
    claimed = claim_delivery(late.pk, now=NOW)
    settle_delivery(claimed, Outcome(False, fault="timeout", took_ms=10_000), now=NOW)
    assert fresh(late).next_try_at == fresh(other).next_try_at == NOW + MINUTE
    assert fresh(third).next_try_at == NOW


def test_n3_a_receiver_that_fails_fast_holds_up_no_other_event(acme, channel, clock):
    late, other = published(acme), published(acme, "switch:2")
    claimed = claim_delivery(late.pk, now=NOW)
    settle_delivery(claimed, Outcome(False, status=500, took_ms=80), now=NOW)
    assert fresh(other).next_try_at == NOW


def test_n3_after_the_last_wait_it_is_given_up_the_channel_paused_and_owners_told(
    acme, receiver, channel, clock
):
    receiver.answer = answers(500, "down")
    delivery, waiting = published(acme), published(acme, "switch:2")
    at = NOW
    waits = [
        MINUTE,
        5 * MINUTE,
        30 * MINUTE,
        *(n * HOUR for n in (2, 5, 10, 14, 20, 24)),
    ]
    for wait in waits:
        clock.move_to(at)
        processing.deliver(delivery.pk)
        at += wait
        assert fresh(delivery).next_try_at == at
    clock.move_to(at)
    processing.deliver(delivery.pk)
    given_up = fresh(delivery)
    assert (given_up.tries, given_up.failed_at) == (10, at)
    assert given_up.channel.paused_why == "failed"
    notice = Notice.objects.get(kind=NoticeKind.CHANNEL_PAUSED)
    assert notice.facts["answer"] == "500 Internal Server Error"
    assert (notice.facts["channel"], notice.facts["tries"]) == ("Usage", 10)
    assert fresh(waiting).next_try_at is None
    assert send_due_deliveries() == 0


def test_n3_410_pauses_at_once_and_a_resumed_channel_gets_what_waited(
    acme, receiver, channel, clock
):
    receiver.answer = answers(410, "gone")
    delivery, waiting = published(acme), published(acme, "switch:2")
    processing.deliver(delivery.pk)
    assert fresh(delivery).failed_at == NOW
    assert fresh(delivery).channel.paused_why == "gone"
    assert processing.deliver(waiting.pk) is None
    later = published(acme, "switch:3")
    assert later.next_try_at is None
    receiver.answer = answers(204, "")
    resume_channel(channel, actor=ALICE, now=NOW)
    assert send_due_deliveries() == 2
    assert fresh(waiting).sent_at and fresh(later).sent_at
    assert Notice.objects.live().count() == 0
    # The second time owners are told again.
    receiver.answer = answers(410, "gone")
    processing.deliver(published(acme, "switch:4").pk)
    assert Notice.objects.live().get().kind == NoticeKind.CHANNEL_PAUSED


def test_n3_slack_that_knows_no_such_service_is_paused(acme, receiver):
    channel, _secret = added(acme, receiver.url, kind="slack")
    receiver.answer = answers(404, "no_service")
    processing.deliver(published(acme).pk)
    channel.refresh_from_db()
    assert channel.paused_why == "gone"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Retry-After: 600", 10 * MINUTE),
        ("Retry-After: 3", MINUTE),
        ("Retry-After: 99999999999", 24 * HOUR),
        ("Retry-After: Mon, 23 Nov 2026 20:28:00 GMT", HOUR),
        ("Retry-After: soon", MINUTE),
        ("Retry-After: Mon, 01 Jan 99999999999999999999 00:00:00 GMT", MINUTE),
    ],
)
def test_n3_429_says_when_to_come_back(header, wait, acme, receiver, channel):
    receiver.answer = answers(429, "slow down", header)
    delivery = published(acme)
    processing.deliver(delivery.pk)
    assert fresh(delivery).next_try_at == NOW + wait


@pytest.mark.parametrize(
    "answer",
    [
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Slow: yes\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"."),
        drips(b"", b""),
    ],
    ids=["headers", "body", "silence"],
)
def test_n3_who_drips_is_left_after_the_whole_time(
    answer, acme, receiver, channel, monkeypatch
):
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 0.5)
    receiver.answer = answer
    delivery = published(acme)
    assert processing.deliver(delivery.pk) is False
    tried = fresh(delivery)
    assert (tried.fault, tried.status_code) == ("timeout", None)
    assert tried.next_try_at == NOW + MINUTE


def test_n3_of_ten_megabytes_the_beginning_is_read(acme, receiver, channel):
    receiver.answer = floods(10)
    delivery = published(acme)
    assert processing.deliver(delivery.pk) is True
    assert len(fresh(delivery).answer) == 200
    assert receiver.sent < 8 * 1_048_576


def test_n3_nobody_there_is_tried_again(acme, receiver, channel):
    with receiving() as gone:
        url = gone.url
    added(acme, url)
    publish(acme, EventType.SWITCHED, key="x", data={}, now=NOW)
    delivery = ChannelDelivery.objects.exclude(channel=channel).get()
    assert processing.deliver(delivery.pk) is False
    assert fresh(delivery).fault == "connect"


# -- Once, and again -----------------------------------------------------------------------


def test_n3_a_worker_that_died_after_its_claim_is_followed_by_one_with_the_same_id(
    acme, receiver, channel, clock
):
    delivery = published(acme)
    assert ChannelDelivery.objects.claim(delivery.pk, now=NOW)  # and then it dies
    assert processing.deliver(delivery.pk) is None
    clock.move_to(NOW + MINUTE)
    assert processing.deliver(delivery.pk) is True
    assert receiver.taken[-1].headers["webhook-id"] == delivery.message_id


def test_n3_a_delivery_is_sent_again_with_its_id(acme, receiver, channel):
    delivery = published(acme)
    processing.deliver(delivery.pk)
    resend(fresh(delivery), actor=ALICE, now=NOW)
    assert processing.deliver(delivery.pk) is True
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert AuditEntry.objects.filter(action="channel.resend").count() == 1


def test_n3_what_is_being_sent_or_paused_is_not_sent_again(acme, receiver, channel):
    delivery = published(acme)
    with pytest.raises(BusinessError) as refused:
        resend(delivery, actor=ALICE, now=NOW)
    assert refused.value.code == "on_its_way"
    pause_channel(channel, actor=ALICE, now=NOW)
    with pytest.raises(BusinessError) as refused:
        resend(delivery, actor=ALICE, now=NOW)
    assert refused.value.code == "channel_paused"


def test_n1a_an_overtaken_notice_is_not_sent(acme, receiver, channel):
    notice = make_notice(acme)
    [delivery_id] = publish_notice(notice, now=NOW)
    Notice.objects.filter(pk=notice.pk).update(overtaken_at=NOW)
    assert processing.deliver(delivery_id) is None
    assert receiver.taken == []
    overtaken = ChannelDelivery.objects.get(pk=delivery_id)
    assert (overtaken.overtaken_at, overtaken.tries) == (NOW, 0)


def test_n3_a_removed_channel_has_no_secrets_and_gets_nothing(acme, receiver, channel):
    delivery = published(acme)
    remove_channel(channel, actor=ALICE, now=NOW)
    assert processing.deliver(delivery.pk) is None
    channel.refresh_from_db()
    assert (
        channel.sealed_url == channel.sealed_secret == channel.sealed_old_secret == ""
    )
    assert publish(acme, EventType.SWITCHED, key="z", data={}, now=NOW) == []
    assert receiver.taken == []


def test_n3_what_waits_for_no_pause_is_let_go_by_the_sweep(acme, receiver, channel):
    delivery = published(acme)
    ChannelDelivery.objects.filter(pk=delivery.pk).update(next_try_at=None)
    send_due_deliveries()
    assert fresh(delivery).sent_at is not None


def test_n3_a_failing_channel_holds_up_no_other(acme, receiver, channel):
    with receiving() as good:
        other, _secret = added(acme, good.url)
        receiver.answer = answers(410)
        publish(acme, EventType.SWITCHED, key="x", data={}, now=NOW)
        send_due_deliveries()
        assert len(good.taken) == 1
    other.refresh_from_db()
    assert other.is_on


def test_n3_tests_whose_receivers_take_their_time_hold_few_threads(acme, channel):
    first = start_test(channel, now=NOW)
    start_test(channel, now=NOW)
    with pytest.raises(BusinessError) as refused:
        start_test(channel, now=NOW)
    assert refused.value.code == "too_many_tests"
    settle_delivery(first, Outcome(True, status=200), now=NOW)
    start_test(channel, now=NOW)
