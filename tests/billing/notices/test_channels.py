"""Channels (N3): signed webhooks and Slack, sent, tried again, given up, sent again."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from accounts.models import AuditEntry
from billing.models import (
    Channel,
    ChannelDelivery,
    ChannelEvent,
    EventType,
    NoticeKind,
)
from billing.notices import processing
from billing.notices.actions.adding import MOST_CHANNELS
from billing.notices.actions.channels import (
    change_channel,
    pause_channel,
    remove_channel,
    resume_channel,
    rotate_secret,
)
from billing.notices.actions.deliveries import MOST_TESTS
from billing.notices.actions.publishing import publish, publish_notice
from config.kit.errors import BusinessError
from tests.billing.notices.conftest import ALICE, added, fresh, make_notice, published
from tests.billing.notices.receiver import (
    answers,
)
from tests.conftest import NOW

# -- Sending -------------------------------------------------------------------------------


def test_n3_a_webhook_verifies_with_the_library_and_says_what_happened(acme, receiver):
    _channel, secret = added(acme, receiver.url)
    delivery = published(acme)
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
    processing.deliver(published(acme).pk)
    [taken] = receiver.taken
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(taken.body.replace(b"true", b"false"), taken.headers)


def test_n3_after_a_rotation_both_secrets_verify_for_24_hours(acme, receiver, clock):
    channel, old = added(acme, receiver.url)
    new = rotate_secret(channel, actor=ALICE, now=NOW)
    processing.deliver(published(acme).pk)
    for secret in (old, new):
        Webhook(secret).verify(receiver.taken[-1].body, receiver.taken[-1].headers)
    later = NOW + dt.timedelta(hours=24)
    clock.move_to(later)
    processing.deliver(published(acme, "later", now=later).pk)
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
    delivery = published(acme)
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
    published(acme)
    published(acme)
    assert ChannelEvent.objects.count() == ChannelDelivery.objects.count() == 1


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
