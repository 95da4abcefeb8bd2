"""Whether worker and beat live: from files alone, in a moment, without Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.operations import alive
from tests.house.test_jobs import environment
from tests.waiting import LONG, wait_until

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "redis://127.0.0.1:9/0"


def health(folder: Path, name: str, redis: str = NOBODY) -> tuple[int, str]:
    """Exit code and sentence of the command."""
    done = subprocess.run(
        [sys.executable, "manage.py", "health", name],
        cwd=ROOT,
        env=environment(folder, redis),
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_one_that_never_ran_is_not_alive(tmp_path, name):
    code, sentence = health(tmp_path, name)
    assert code == 1
    assert sentence.startswith(f"No {name} has run with this VAR_DIR")


def test_a_name_nobody_has_is_told_in_a_sentence(tmp_path):
    assert health(tmp_path, "web") == (2, "Usage: manage.py health worker|beat\n")


def test_health_is_asked_without_loading_django(tmp_path):
    alive.touch(tmp_path, "beat")
    code = (
        "import sys, runpy; sys.argv = ['manage.py', 'health', 'beat']\n"
        "try: runpy.run_path('manage.py', run_name='__main__')\n"
        "except SystemExit as end: print(end.code)\n"
        "print('django.conf' in sys.modules and 'django.db' in sys.modules)\n"
        "print('celery' in sys.modules)"
    )
    text = subprocess.check_output(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(tmp_path, ""),
        text=True,
    )
    assert text.splitlines()[1:] == ["0", "False", "False"]


def old(folder: Path, name: str) -> None:
    """Its last heartbeat is an hour ago."""
    alive.touch(folder, name)
    moment = time.time() - 3600
    os.utime(alive.beat_file(folder, name), (moment, moment))


def test_one_that_stands_still_is_not_alive(tmp_path):
    old(tmp_path, "beat")
    lives, sentence = alive.state_of(tmp_path, "beat", redis_url=NOBODY)
    assert (lives, "stands still" in sentence) == (False, True), "whatever Redis does"
    old(tmp_path, "worker")
    assert alive.state_of(tmp_path, "worker", redis_url="")[0] is False


def test_a_worker_may_wait_for_redis(tmp_path):
    old(tmp_path, "worker")
    lives, sentence = alive.state_of(tmp_path, "worker", redis_url=NOBODY)
    assert (lives, sentence[:27]) == (True, "The worker waits for Redis,")


@pytest.mark.redis
def test_a_worker_that_stands_still_beside_redis_is_not_alive(tmp_path):
    from tests.services import REDIS_URL

    old(tmp_path, "worker")
    assert alive.state_of(tmp_path, "worker", redis_url=REDIS_URL)[0] is False


def test_a_real_beat_lives_without_redis_and_a_frozen_one_is_seen(tmp_path):
    command = [sys.executable, "-m", "celery", "-A", "config", "beat"]
    log = tmp_path / "beat.log"
    with log.open("w") as out:
        environ = environment(tmp_path, NOBODY)
        beat = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
    try:
        file = alive.beat_file(tmp_path, "beat")
        wait_until(file.exists, "The first heartbeat", why=log.read_text)
        first = file.stat().st_mtime
        wait_until(lambda: file.stat().st_mtime > first, "The next", why=log.read_text)
        assert alive.state_of(tmp_path, "beat", redis_url=NOBODY)[0]
        beat.send_signal(signal.SIGSTOP)
        last = file.stat().st_mtime
        time.sleep(3)
        assert file.stat().st_mtime == last
    finally:
        beat.send_signal(signal.SIGCONT)
        beat.kill()
        beat.wait(timeout=LONG)
