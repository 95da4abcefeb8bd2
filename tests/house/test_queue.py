"""Fault 23: messages expire, and a queue that no worker empties stays short; sweeps find
what was not told.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from celery import Celery
from django.conf import settings
from kombu.utils.imports import symbol_by_name
from redis import Redis

from accounts.tasks import send_mail
from config.kit import jobs, queue
from config.schedule import LEAST_EXPIRY, SCHEDULE
from tests.house.test_jobs import ROOT, environment
from tests.migrated import migrated
from tests.services import REDIS_URL
from tests.waiting import LONG, wait_until


@pytest.mark.parametrize("name", SCHEDULE)
def test_every_scheduled_message_expires_about_when_the_next_one_comes(name):
    entry = SCHEDULE[name]
    schedule, expires = entry["schedule"], entry["options"]["expires"]
    if isinstance(schedule, float):
        assert expires == max(schedule, LEAST_EXPIRY)
    else:
        turns = len(schedule.hour) * len(schedule.minute)
        assert expires == 86_400 / turns


@pytest.fixture
def sent(monkeypatch):
    """What would be sent to a broker: the options of each message."""
    messages = []
    monkeypatch.setattr(jobs, "is_eager", lambda task: False)
    monkeypatch.setattr(
        send_mail, "apply_async", lambda args, **options: messages.append(options)
    )
    return messages


def test_every_message_about_a_row_expires(db, sent, worker, monkeypatch):
    monkeypatch.setattr(queue.waiting, "count", lambda: 0)
    with worker():
        jobs.enqueue(send_mail, 1)
    jobs.enqueue_now(send_mail, 1)
    assert [one["expires"] for one in sent] == [jobs.MESSAGE_LASTS] * 2


def test_nobody_adds_to_a_queue_that_is_long_enough(db, sent, worker, monkeypatch):
    monkeypatch.setattr(queue.waiting, "count", lambda: queue.MOST_WAITING)
    with worker():
        jobs.enqueue(send_mail, 1)
    jobs.enqueue_now(send_mail, 1)
    assert sent == []


@pytest.fixture
def redis(monkeypatch):
    """An empty Redis that our application sends to."""
    client = Redis.from_url(REDIS_URL)
    client.flushdb()
    monkeypatch.setattr(queue, "current_app", Celery(broker=REDIS_URL))
    queue.waiting.forget()
    yield client
    queue.waiting.forget()
    client.flushdb()


@pytest.mark.redis
def test_the_length_is_what_redis_holds(redis):
    assert queue.waiting.count() == 0
    redis.lpush("celery", *range(queue.MOST_WAITING))
    assert queue.waiting.count() == 0, "it is asked once in some seconds"
    queue.waiting.forget()
    assert queue.waiting.count() == queue.MOST_WAITING
    assert queue.is_full() and not queue.is_full(2 * queue.MOST_WAITING)


@pytest.mark.redis
def test_beat_stops_at_the_limit_and_rare_jobs_go_further(redis, tmp_path):
    ours = Celery(broker=REDIS_URL)
    scheduler = symbol_by_name(settings.CELERY_BEAT_SCHEDULER)(  # the one that runs
        app=ours, schedule_filename=str(tmp_path / "beat"), lazy=True
    )
    scheduler.setup_schedule()
    scheduler.update_from_dict(SCHEDULE)
    entries = dict(scheduler.schedule)

    def sends(name: str) -> bool:
        queue.waiting.forget()
        before = redis.llen("celery")
        scheduler.apply_async(entries[name], advance=False)
        return redis.llen("celery") == before + 1

    assert sends("send-due-mails") and sends("sync-prices")
    redis.lpush("celery", *range(queue.MOST_WAITING))
    assert not sends("send-due-mails") and sends("sync-prices")
    redis.lpush("celery", *range(queue.MOST_WAITING))
    assert not sends("sync-prices")


SCRIPT = """
import datetime as dt
from django.utils import timezone
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.models import OutgoingMail
from accounts.tasks import send_due_mails, send_mail
now = timezone.now()
mail = QueuedMail(None, "password_reset", "k", address="nobody@x.example")
[pk] = queue_mails(None, [mail], now=now, within=dt.timedelta(hours=1))
send_mail.apply_async((pk,), expires=now - dt.timedelta(seconds=1))
"""


@pytest.mark.redis
def test_a_worker_drops_what_expired_and_the_sweep_does_the_work(redis, tmp_path):
    environ = environment(tmp_path, REDIS_URL)
    manage = [sys.executable, "manage.py"]
    run = {"cwd": ROOT, "env": environ, "check": True}
    migrated(tmp_path / "db.sqlite3", environ)
    subprocess.run([*manage, "shell", "-v0", "-c", SCRIPT], **run)
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "solo"]
    with log.open("w") as out:
        worker = subprocess.Popen(
            [*command, "--loglevel", "INFO"],
            cwd=ROOT,
            env=environ,
            stdout=out,
            stderr=out,
        )
        try:
            dropped = lambda: "Discarding revoked task" in log.read_text()  # noqa: E731
            wait_until(dropped, "the message to be dropped", why=log.read_text)
            assert "succeeded" not in log.read_text()
            sweep = "from accounts.tasks import send_due_mails; send_due_mails.delay()"
            subprocess.run([*manage, "shell", "-v0", "-c", sweep], **run)
            done = lambda: log.read_text().count("succeeded") == 2  # noqa: E731
            wait_until(done, "the sweep and the mail", why=log.read_text)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=LONG)
    left = (
        "from accounts.models import OutgoingMail; print(OutgoingMail.objects.count())"
    )
    count = subprocess.run(
        [*manage, "shell", "-v0", "-c", left], **run, capture_output=True, text=True
    )
    assert count.stdout.strip().endswith("0"), "a reset for nobody leaves no row"
