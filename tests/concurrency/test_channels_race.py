"""Deliveries to channels with several workers at once, and with one that is killed
between its claim and its mark (N3).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from accounts.actions.audit import Actor
from billing.models import Channel, ChannelDelivery, ChannelEvent, EventType
from billing.notices import processing
from billing.notices.actions import deliveries
from billing.notices.actions.adding import add_channel
from billing.notices.actions.channels import pause_channel, resume_channel
from billing.notices.actions.publishing import publish
from tests.billing.notices.receiver import Receiver, receiving
from tests.concurrency.threads import run_together, shows_in
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
WORKERS, EVENTS = 6, 5


@pytest.fixture
def receiver(settings):
    """A receiver inside, which the setting allows."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with receiving() as found:
        yield found


@pytest.fixture
def channel(acme, receiver) -> Channel:
    """A webhook for everything."""
    now = timezone.now()
    return add_channel(
        acme,
        kind="webhook",
        name="Usage",
        url=receiver.url,
        actor=Actor(label="alice"),
        now=now,
    )[0]


def told(acme, prefix: str) -> list[int]:
    """Events that are due; their deliveries."""
    for number in range(EVENTS):
        data = {"enabled": True, "scope": "everyone"}
        key, now = f"{prefix}:{number}", timezone.now()
        publish(acme, EventType.SWITCHED, key=key, data=data, now=now)
    return list(
        ChannelDelivery.objects.filter(event__key__startswith=prefix).values_list(
            "pk", flat=True
        )
    )


def taken_by(receiver: Receiver) -> Counter[str]:
    """How often each message arrived."""
    return Counter(taken.headers["webhook-id"] for taken in receiver.taken)


def all_at_once(ids: list[int]) -> None:
    """Six workers find the same deliveries due."""
    run_together(WORKERS, lambda number: [processing.deliver(pk) for pk in ids])


def test_n3_six_workers_deliver_each_once(acme, channel, receiver):
    ids = told(acme, "race")
    all_at_once(ids)
    assert sorted(taken_by(receiver).values()) == [1] * EVENTS
    assert ChannelDelivery.objects.filter(sent_at__isnull=False).count() == EVENTS
    assert set(ChannelDelivery.objects.values_list("tries", flat=True)) == {1}


def test_without_the_claim_six_workers_deliver_some_of_them_again(
    acme, channel, receiver, monkeypatch
):
    def look(delivery_id, *, now):
        return (
            ChannelDelivery.objects.due(now)
            .select_related("channel__organization__primary_owner", "event__notice")
            .filter(pk=delivery_id)
            .first()
        )

    monkeypatch.setattr(processing, "claim_delivery", look)

    def repeats(number: int) -> bool:
        receiver.taken.clear()
        all_at_once(told(acme, f"control{number}"))
        return max(taken_by(receiver).values()) > 1

    assert shows_in(repeats(number) for number in range(5))


def test_n3_two_who_publish_the_same_at_once_make_one_event(acme, channel):
    def tell(number: int) -> None:
        now = timezone.now()
        publish(acme, EventType.SWITCHED, key="same", data={}, now=now)

    run_together(WORKERS, tell)
    assert ChannelEvent.objects.count() == ChannelDelivery.objects.count() == 1


def test_n3_a_killed_workers_delivery_comes_again_with_the_same_id(
    acme, channel, receiver
):
    [delivery_id, *_rest] = told(acme, "killed")

    def hold(peer, receiver):
        receiver.is_over.wait(60)

    usual, receiver.answer = receiver.answer, hold
    name = connection.settings_dict["NAME"]
    base = os.environ["DATABASE_URL"].rpartition("/")[0]
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.channel_worker", str(delivery_id)],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"{base}/{name}",
            "WEBHOOKS_ALLOW_PRIVATE": "true",
            "DEBUG": "true",
        },
    )
    try:
        wait_until(lambda: bool(receiver.taken), "the message of the worker")
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    claimed = ChannelDelivery.objects.get(pk=delivery_id)
    assert (claimed.sent_at, claimed.tries) == (None, 1)
    receiver.answer = usual
    assert processing.deliver(delivery_id) is None  # its claim still holds
    ChannelDelivery.objects.update(next_try_at=timezone.now())  # and ends
    assert processing.deliver(delivery_id) is True
    assert taken_by(receiver) == {claimed.message_id: 2}


def test_n3_a_pause_at_the_same_moment_sends_nothing_afterwards(
    acme, channel, receiver
):
    """Whoever comes second finds the other's act: what was claimed before the pause goes
    out, the rest waits, and none is lost.
    """
    ids = told(acme, "pause")

    def act(number: int) -> None:
        if number == 0:
            now = timezone.now()
            pause_channel(channel, actor=Actor(label="alice"), now=now)
        else:
            for pk in ids:
                processing.deliver(pk)

    run_together(3, act)
    before = len(receiver.taken)
    for pk in ids:
        assert processing.deliver(pk) is None
    assert len(receiver.taken) == before
    resume_channel(channel, actor=Actor(label="alice"), now=timezone.now())
    deliveries.release_held(now=timezone.now())
    for pk in ids:
        processing.deliver(pk)
    assert sorted(taken_by(receiver).values()) == [1] * EVENTS
