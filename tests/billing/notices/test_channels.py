"""Channels (N3): signed webhooks and Slack, sent, tried again, given up, sent again."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.actions.audit import Actor
from accounts.models import AuditEntry
from billing.models import (
    Channel,
    ChannelDelivery,
    ChannelEvent,
    EventType,
    Notice,
    NoticeKind,
)
from billing.notices import processing
from billing.notices.actions.adding import MOST_CHANNELS, add_channel
from billing.notices.actions.channels import (
    change_channel,
    pause_channel,
    remove_channel,
    resume_channel,
    rotate_secret,
)
from billing.notices.actions.deliveries import MOST_TESTS, resend
from billing.notices.actions.publishing import publish, publish_notice
from billing.notices.tasks import send_due_deliveries
from config.kit import outgoing
from config.kit.errors import BusinessError
from tests.billing.notices.conftest import make_notice
from tests.billing.notices.receiver import (
    Receiver,
    answers,
    drips,
    floods,
    hangs_up,
    receiving,
)
from tests.conftest import NOW

ALICE = Actor(label="alice")
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def clock():
    """The time of the doors, that moves."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def receiver(settings, clock):
    """A receiver inside, which the setting allows."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with receiving() as found:
        yield found


def added(acme, url: str, kind: str = "webhook", **extra) -> tuple[Channel, str]:
    return add_channel(
        acme, kind=kind, name="Usage", url=url, actor=ALICE, now=NOW, **extra
    )


@pytest.fixture
def channel(acme, receiver: Receiver) -> Channel:
    """A webhook for everything."""
    return added(acme, receiver.url)[0]


def told(acme, key: str = "switch:1", now: dt.datetime = NOW) -> ChannelDelivery:
    """The delivery of an event."""
    data = {"enabled": True, "scope": "everyone"}
    publish(acme, EventType.SWITCHED, key=key, data=data, now=now)
    return ChannelDelivery.objects.get(event__key=key)


def fresh(delivery: ChannelDelivery) -> ChannelDelivery:
    return ChannelDelivery.objects.select_related("channel").get(pk=delivery.pk)


# -- Sending -------------------------------------------------------------------------------


def test_n3_a_webhook_verifies_with_the_library_and_says_what_happened(acme, receiver):
    _channel, secret = added(acme, receiver.url)
    delivery = told(acme)
    assert processing.deliver(delivery.pk) is True
    [taken] = receiver.taken
    assert Webhook(secret).verify(taken.body, taken.headers) == {
        "type": "extra_usage.switched",
        "version": 1,
        "timestamp": "2026-11-23T19:28:00Z",
        "organization": {"slug": "acme", "name": "Acme"},
        "data": {"enabled": True, "scope": "everyone"},
    }
    assert taken.path == "/hooks/usage?token=k9Xy"
    assert taken.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert taken.headers["webhook-id"] == delivery.message_id
    assert taken.headers["User-Agent"] == "extra-usage-webhooks/1"
    sent = fresh(delivery)
    assert (sent.status_code, sent.tries, sent.sent_at) == (200, 1, NOW)


def test_n3_a_changed_body_does_not_verify(acme, receiver):
    _channel, secret = added(acme, receiver.url)
    processing.deliver(told(acme).pk)
    [taken] = receiver.taken
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(taken.body.replace(b"true", b"false"), taken.headers)


def test_n3_after_a_rotation_both_secrets_verify_for_24_hours(acme, receiver, clock):
    channel, old = added(acme, receiver.url)
    new = rotate_secret(channel, actor=ALICE, now=NOW)
    processing.deliver(told(acme).pk)
    for secret in (old, new):
        Webhook(secret).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    later = NOW + dt.timedelta(hours=24)
    clock.move_to(later)
    processing.deliver(told(acme, "later", now=later).pk)
    last = receiver.taken[-1]
    Webhook(new).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(last.body, last.headers)


def test_n3_people_stand_in_the_row_by_number_and_in_the_message_by_address(
    acme, bob, receiver, channel
):
    notice = make_notice(acme, NoticeKind.MEMBER_CAP, member=bob)
    [delivery_id] = publish_notice(notice, now=NOW)
    assert ChannelEvent.objects.get().data["member"] == {"id": bob.pk}
    processing.deliver(delivery_id)
    data = json.loads(receiver.taken[-1].body)["data"]
    assert data["member"] == {
        "id": bob.pk,
        "email": "bob@acme.example",
        "name": str(bob.user),
    }
    assert (data["cap_usd"], data["spent_usd"]) == ("1600.00", "1200.000000000")


def test_n3_slack_gets_blocks_with_a_button_in_the_owners_language(acme, receiver):
    acme.primary_owner.language = "en"
    acme.primary_owner.save(update_fields=["language"])
    added(acme, receiver.url, kind="slack")
    [delivery_id] = publish_notice(make_notice(acme), now=NOW)
    assert processing.deliver(delivery_id) is True
    message = json.loads(receiver.taken[-1].body)
    assert message["text"] == (
        "Acme has used 75 % of $1,600.00. $1,200.00 spent in November 2026."
    )
    [section, actions, _context] = message["blocks"]
    assert section["text"]["text"].startswith("*Acme has used 75 % of $1,600.00*\n")
    assert actions["elements"][0]["url"].endswith("/o/acme/settings/usage/")
    assert "webhook-signature" not in receiver.taken[-1].headers


def test_n3_a_name_can_mention_nobody_in_slack(acme, bob, receiver):
    bob.user.name = "<!channel> *Bob* & co"
    bob.user.save(update_fields=["name"])
    added(acme, receiver.url, kind="slack")
    notice = make_notice(acme, NoticeKind.MEMBER_CAP, member=bob)
    [delivery_id] = publish_notice(notice, now=NOW)
    processing.deliver(delivery_id)
    message = json.loads(receiver.taken[-1].body)
    assert "<!channel>" not in receiver.taken[-1].body.decode()
    assert "&lt;!channel&gt;" in message["text"]
    assert "&amp; co" in message["text"]


def test_n3_slack_is_only_done_when_it_says_ok(acme, receiver):
    added(acme, receiver.url, kind="slack")
    receiver.answer = answers(200, "<html>sign in</html>")
    delivery = told(acme)
    assert processing.deliver(delivery.pk) is False
    assert fresh(delivery).sent_at is None


# -- Choosing what goes there --------------------------------------------------------------


def test_n3_only_chosen_events_go_there(acme, receiver):
    added(acme, receiver.url, events=["invoice.paid"])
    publish(acme, EventType.SWITCHED, key="a", data={}, now=NOW)
    assert ChannelEvent.objects.count() == 0
    publish(acme, EventType.INVOICE_PAID, key="b", data={}, now=NOW)
    assert ChannelDelivery.objects.count() == 1


def test_n3_without_a_channel_publishing_costs_one_query_and_writes_nothing(
    acme, django_assert_num_queries
):
    with django_assert_num_queries(1):
        publish(acme, EventType.SWITCHED, key="a", data={}, now=NOW)
    assert not ChannelEvent.objects.exists()


def test_n3_the_same_key_twice_is_one_event_and_one_delivery(acme, channel):
    told(acme)
    told(acme)
    assert ChannelEvent.objects.count() == ChannelDelivery.objects.count() == 1


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
    delivery = told(acme)
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


def test_n3_after_the_last_wait_it_is_given_up_the_channel_paused_and_owners_told(
    acme, receiver, channel, clock
):
    receiver.answer = answers(500, "down")
    delivery, waiting = told(acme), told(acme, "switch:2")
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
    delivery, waiting = told(acme), told(acme, "switch:2")
    processing.deliver(delivery.pk)
    assert fresh(delivery).failed_at == NOW
    assert fresh(delivery).channel.paused_why == "gone"
    assert processing.deliver(waiting.pk) is None
    later = told(acme, "switch:3")
    assert later.next_try_at is None
    receiver.answer = answers(204, "")
    resume_channel(channel, actor=ALICE, now=NOW)
    assert send_due_deliveries() == 2
    assert fresh(waiting).sent_at and fresh(later).sent_at
    assert Notice.objects.live().count() == 0
    # The second time owners are told again.
    receiver.answer = answers(410, "gone")
    processing.deliver(told(acme, "switch:4").pk)
    assert Notice.objects.live().get().kind == NoticeKind.CHANNEL_PAUSED


def test_n3_slack_that_knows_no_such_service_is_paused(acme, receiver):
    channel, _secret = added(acme, receiver.url, kind="slack")
    receiver.answer = answers(404, "no_service")
    processing.deliver(told(acme).pk)
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
    ],
)
def test_n3_429_says_when_to_come_back(header, wait, acme, receiver, channel):
    receiver.answer = answers(429, "slow down", header)
    delivery = told(acme)
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
    delivery = told(acme)
    assert processing.deliver(delivery.pk) is False
    tried = fresh(delivery)
    assert (tried.fault, tried.status_code) == ("timeout", None)
    assert tried.next_try_at == NOW + MINUTE


def test_n3_of_ten_megabytes_the_beginning_is_read(acme, receiver, channel):
    receiver.answer = floods(10)
    delivery = told(acme)
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
    delivery = told(acme)
    assert ChannelDelivery.objects.claim(delivery.pk, now=NOW)  # and then it dies
    assert processing.deliver(delivery.pk) is None
    clock.move_to(NOW + MINUTE)
    assert processing.deliver(delivery.pk) is True
    assert receiver.taken[-1].headers["webhook-id"] == delivery.message_id


def test_n3_a_delivery_is_sent_again_with_its_id(acme, receiver, channel):
    delivery = told(acme)
    processing.deliver(delivery.pk)
    resend(fresh(delivery), actor=ALICE, now=NOW)
    assert processing.deliver(delivery.pk) is True
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert AuditEntry.objects.filter(action="channel.resend").count() == 1


def test_n3_what_is_being_sent_or_paused_is_not_sent_again(acme, receiver, channel):
    delivery = told(acme)
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
    delivery = told(acme)
    remove_channel(channel, actor=ALICE, now=NOW)
    assert processing.deliver(delivery.pk) is None
    channel.refresh_from_db()
    assert (
        channel.sealed_url == channel.sealed_secret == channel.sealed_old_secret == ""
    )
    assert publish(acme, EventType.SWITCHED, key="z", data={}, now=NOW) == []
    assert receiver.taken == []


def test_n3_what_waits_for_no_pause_is_let_go_by_the_sweep(acme, receiver, channel):
    delivery = told(acme)
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


# -- Tests ---------------------------------------------------------------------------------


def test_n3_a_test_is_answered_in_place_and_tried_once(acme, receiver, channel):
    receiver.answer = answers(403, "no")
    delivery = processing.send_test(channel, now=NOW)
    assert (delivery.status_code, delivery.answer) == (403, "no")
    assert (delivery.failed_at, delivery.tries) == (NOW, 1)
    channel.refresh_from_db()
    assert channel.is_on
    receiver.answer = answers(200)
    assert processing.send_test(channel, now=NOW).sent_at == NOW
    body = json.loads(receiver.taken[-1].body)
    assert body["type"] == "channel.test"


def test_n3_tests_are_limited(acme, receiver, channel):
    for _ in range(MOST_TESTS):
        processing.send_test(channel, now=NOW)
    with pytest.raises(BusinessError) as refused:
        processing.send_test(channel, now=NOW)
    assert (refused.value.code, refused.value.status) == ("too_many_tests", 429)
    assert len(receiver.taken) == MOST_TESTS


# -- Owners' acts --------------------------------------------------------------------------


def test_c8_every_act_is_audited_without_a_secret(acme, receiver):
    channel, secret = added(acme, receiver.url)
    change_channel(channel, name="Ops", events=["invoice.paid"], actor=ALICE, now=NOW)
    pause_channel(channel, actor=ALICE, now=NOW)
    resume_channel(channel, actor=ALICE, now=NOW)
    new = rotate_secret(channel, actor=ALICE, now=NOW)
    remove_channel(channel, actor=ALICE, now=NOW)
    entries = AuditEntry.objects.filter(action__startswith="channel.").order_by("pk")
    assert [entry.action.partition(".")[2] for entry in entries] == [
        "add",
        "change",
        "pause",
        "resume",
        "rotate",
        "remove",
    ]
    kept = json.dumps(list(entries.values("subject", "from_value", "to_value")))
    for word in (secret, new, "k9Xy", "/hooks/usage"):
        assert word not in kept


def test_n3_the_address_and_the_secret_are_sealed_in_the_row(acme, receiver):
    channel, secret = added(acme, receiver.url)
    row = json.dumps(Channel.objects.filter(pk=channel.pk).values()[0], default=str)
    assert secret not in row and "/hooks/usage" not in row
    assert channel.shown_address == f"127.0.0.1:{receiver.port}/…k9Xy"


def test_n3_there_are_ten_channels_at_most(acme, receiver):
    for _ in range(MOST_CHANNELS):
        channel, _secret = added(acme, receiver.url)
    with pytest.raises(BusinessError) as refused:
        added(acme, receiver.url)
    assert refused.value.code == "too_many_channels"
    remove_channel(channel, actor=ALICE, now=NOW)
    added(acme, receiver.url)


def test_n3_an_unknown_event_is_refused(acme, receiver):
    with pytest.raises(BusinessError) as refused:
        added(acme, receiver.url, events=["cap.exploded"])
    assert refused.value.code == "unknown_event"


def test_n3_slack_addresses_are_of_slack(acme):
    with pytest.raises(BusinessError) as refused:
        added(acme, "https://hooks.slack.com.evil.example/services/T/B/x", kind="slack")
    assert refused.value.code == "not_slack"
    url = "https://hooks.slack.com/services/T000/B000/abcdefghKx91"
    channel, secret = added(acme, url, kind="slack")
    assert (channel.shown_address, secret) == ("hooks.slack.com/…Kx91", "")
