"""A real worker leaves a row, a line and a heartbeat, on either broker."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from celery.signals import task_postrun
from django.db import OperationalError

from config.operations import alive, heartbeats
from config.schedule import SCHEDULE
from tests.house.test_jobs import ROOT, environment
from tests.migrated import migrated
from tests.waiting import LONG, wait_until

SEND = "from requests_inbox.tasks import end_requests; end_requests.delay()"


def rows(folder: Path) -> dict[str, tuple[object, ...]]:
    """Each job's started, succeeded and result, of the worker's own database."""
    with sqlite3.connect(folder / "db.sqlite3") as database:
        found = database.execute(
            "SELECT name, started_at, succeeded_at, result FROM accounts_jobrun"
        ).fetchall()
    return {name: facts for name, *facts in found}


def run_a_job(folder: Path, redis: str) -> str:
    """Start a worker as the product does, have it run one job; its log."""
    environ, log = environment(folder, redis), folder / "worker.log"
    migrated(folder / "db.sqlite3", environ)
    command = [sys.executable, "-m", "celery", "-A", "config", "worker"]
    with log.open("w") as out:
        worker = subprocess.Popen(
            [*command, "--concurrency", "1", "--loglevel", "INFO"],
            cwd=ROOT,
            env=environ,
            stdout=out,
            stderr=out,
        )
    try:
        send = [sys.executable, "manage.py", "shell", "-v0", "-c", SEND]
        subprocess.run(send, cwd=ROOT, env=environ, check=True)

        def done() -> bool:
            assert worker.poll() is None, log.read_text()
            return rows(folder).get("end-requests", [None] * 3)[1] is not None

        wait_until(done, "The job's row", why=log.read_text)
        assert alive.state_of(folder, "worker", redis_url=redis)[0]
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=LONG)
    return log.read_text()


def check(folder: Path, redis: str) -> None:
    """The row, the rows of those that have not run, and the one line."""
    text = run_a_job(folder, redis)
    found = rows(folder)
    assert set(found) == set(SCHEDULE), "known from the worker's start on"
    assert found["end-requests"][2] == 0
    assert found["audit-books"][:2] == [None, None]
    lines = [json.loads(line) for line in text.splitlines() if '"job.ran"' in line]
    mine = [one for one in lines if one["job"] == "requests_inbox.tasks.end_requests"]
    assert len(mine) == 1
    assert (mine[0]["outcome"], mine[0]["ms"] >= 0) == ("succeeded", True)


def test_a_real_worker_notes_its_jobs_on_the_embedded_broker(tmp_path):
    check(tmp_path, "")


@pytest.mark.redis
def test_a_real_worker_notes_its_jobs_on_redis(tmp_path):
    from tests.services import REDIS_URL

    check(tmp_path, REDIS_URL)


class Task:
    """A task of the schedule, run by a worker."""

    name = "requests_inbox.tasks.end_requests"

    class request:
        is_eager = False


def test_a_database_that_is_away_loses_the_note_and_not_the_job(monkeypatch):
    from accounts.actions import jobs

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(jobs, "job_started", away)
    monkeypatch.setattr(jobs, "job_succeeded", away)
    heartbeats.began(task_id="1", task=Task)
    heartbeats.ended(task_id="1", task=Task, retval=0, state="SUCCESS")


@pytest.mark.django_db
def test_a_run_that_raised_is_noted_as_a_failure():
    from accounts.models import JobRun

    heartbeats.began(task_id="2", task=Task)
    heartbeats.ended(task_id="2", task=Task, retval=ValueError(), state="FAILURE")
    run = JobRun.objects.get(name="end-requests")
    assert run.started_at and run.failed_at and run.took_ms is not None
    assert run.succeeded_at is None


def test_runs_are_heard_of_in_one_place():
    ours = [
        receiver()
        for _key, receiver in task_postrun.receivers
        if getattr(receiver(), "__module__", "").startswith("config")
    ]
    assert ours == [heartbeats.ended]
