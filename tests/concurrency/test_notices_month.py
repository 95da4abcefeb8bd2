"""The month of thresholds (`tests/stories/notices_month`) told by six Celery workers and
a beat on Redis, an SMTP server on loopback, and SIGKILLs between row, claim, commit,
send and mark (N1a): each notice once to each who should have it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import time_machine

from accounts.models import OutgoingMail
from billing.models import DeliveryChannel, Notice, NoticeDelivery
from tests.concurrency.machines import Broker, Machines, MailServer, happened
from tests.concurrency.sending import (
    Inbox,
    set_clock,
    unexplained_repeats,
    wait_until_quiet,
)
from tests.stories.notices_month import START, Step, forty, steps

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
# The claim of a dead worker ends after ten minutes.
RETRIES = [dt.timedelta(minutes=minutes) for minutes in (0, 11, 22, 33, 44)]


@pytest.fixture
def machines(tmp_path, broker: Broker, transactional_db):
    clock = tmp_path / "clock"
    clock.write_text(START.isoformat())
    inbox = Inbox(clock)
    server = MailServer(inbox)
    server.start()
    running = Machines(
        tmp_path,
        "tests.concurrency.simulated_worker",
        broker=broker,
        workers=6,
        EMAIL_URL=server.url,
        SIM_KILL="12",
        SIM_JOBS="send-due-mails tell-notices",
    )
    try:
        yield running, inbox
    finally:
        running.stop()
        server.stop()


def is_told() -> bool:
    """Nothing is left whose recipients nobody found."""
    return not Notice.objects.untold().exists()


def mailed(inbox: Inbox, step: Step) -> list[tuple[str, str]]:
    """Who got which mail at this step: address and Message-ID, each once."""
    until = step.at + dt.timedelta(hours=1)
    found = {
        (one.to, one.message_id) for one in inbox.accepted if step.at <= one.at < until
    }
    return sorted(found)


def test_n1a_none_is_lost_and_none_comes_twice_whoever_dies(machines):
    running, inbox = machines
    for step in steps(forty()):
        with time_machine.travel(step.at, tick=False):
            step.act(step.at)
        for wait in RETRIES:
            set_clock(running.folder, step.at + wait)
            wait_until_quiet(running, step.at + wait, also=is_told)
            if not OutgoingMail.objects.waiting().exists():
                break
        assert sorted(to for to, _id in mailed(inbox, step)) == sorted(
            to for to, _percent, _limit in step.told
        )
        for one in inbox.accepted:
            if step.at <= one.at:
                expected = {to: words for to, *words in step.told}[one.to]
                assert all(word in one.subject for word in expected)
    lines = happened(running.folder)
    assert unexplained_repeats(inbox, lines) == {}
    pages = NoticeDelivery.objects.filter(channel=DeliveryChannel.PAGE)
    twice = Counter(pages.values_list("notice", "membership"))
    assert set(twice.values()) == {1}
    kills = Counter(line[1] for line in lines if line[0] == "killed")
    assert sum(kills.values()) > 3, "hardly anybody died; the month proved nothing"
