"""Jobs: every scheduled one exists, runs twice with the same outcome, and a real worker
takes it from either broker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.celery import app
from config.schedule import SCHEDULE
from tests.migrated import migrated
from tests.waiting import LONG, wait_until

ROOT = Path(__file__).resolve().parents[2]
STRONG = "k3yFq8Zs7vWn2Rm9TbXc4Lp6HdJg1QaUe5Yi0OoSfVtNwBzMxCrPlKjh"


def test_every_scheduled_job_is_a_task():
    app.loader.import_default_modules()
    assert {one["task"] for one in SCHEDULE.values()} <= set(app.tasks)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted({one["task"] for one in SCHEDULE.values()}))
def test_every_job_runs_twice(name):
    app.loader.import_default_modules()
    task = app.tasks[name]
    task.apply(throw=True)
    second = task.apply(throw=True).result
    assert second in (None, 0, (0, 0))


def environment(folder: Path, redis: str) -> dict[str, str]:
    """Settings of a worker in its own folder."""
    return {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": STRONG,
        "VAR_DIR": str(folder),
        "REDIS_URL": redis,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "SITE_URL": "http://127.0.0.1:8000",
        "LOG_LEVEL": "INFO",
    }


def worker_takes_a_task(folder: Path, redis: str) -> str:
    """Start a worker as the product does, send it a job, and give its log once the job
    is done.
    """
    environ, log = environment(folder, redis), folder / "worker.log"
    migrated(folder / "db.sqlite3", environ)
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "config",
        "worker",
        "-P",
        "solo",
        "--loglevel",
        "INFO",
    ]
    with log.open("w") as out:
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=out, stderr=out
        )
        try:
            send = (
                "from accounts.tasks import end_what_is_kept; end_what_is_kept.delay()"
            )
            subprocess.run(
                [sys.executable, "manage.py", "shell", "-v0", "-c", send],
                cwd=ROOT,
                env=environ,
                check=True,
            )
            done = lambda: "succeeded" in log.read_text() or worker.poll() is not None  # noqa: E731
            wait_until(done, "the job", why=log.read_text)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=LONG)
    return log.read_text()


def test_a_real_worker_takes_a_job_from_the_embedded_broker(tmp_path):
    assert (
        "accounts.tasks.end_what_is_kept" in (text := worker_takes_a_task(tmp_path, ""))
        and "succeeded" in text
    ), text


@pytest.mark.redis
def test_a_real_worker_takes_a_job_from_redis(tmp_path):
    from tests.services import REDIS_URL

    text = worker_takes_a_task(tmp_path, REDIS_URL)
    assert "succeeded" in text, text
