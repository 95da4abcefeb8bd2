"""What processes that die by chance have in common: a log of what happened, and SIGKILL
to ourselves.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NoReturn

FOLDER = Path(os.environ.get("SIM_FOLDER", "."))
CHANCE = int(os.environ.get("SIM_KILL", "0"))  # in a hundred
pick = random.Random(os.urandom(8))


def note(*words: object) -> None:
    """One line of what happened, whole even when the process dies right after it."""
    line = " ".join(map(str, words)) + "\n"
    handle = os.open(FOLDER / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())
    os.close(handle)


def maybe_die(where: str, row_id: int, *, surely: bool = False) -> None:
    """SIGKILL to ourselves, by chance or surely, after saying where."""
    if surely or pick.randrange(100) < CHANCE:
        note("killed", where, row_id)
        os.kill(os.getpid(), signal.SIGKILL)


def run_celery(*, jobs: tuple[str, ...], tick: float) -> None:
    """Celery's own command line, with these scheduled jobs alone, every `tick` seconds, as
    often as `tests.concurrency.machines` asks for it: a process each.

    All of them are forks of this one, which has imported everything that they need: who
    dies is back at once, and not after two seconds of a processor.
    """
    from celery.schedules import schedule
    from celery.signals import worker_ready

    from config.celery import app
    from config.schedule import SCHEDULE

    for name in list(SCHEDULE):
        if name in jobs:
            # Where a busy machine starts them slower than they come, only the latest are.
            SCHEDULE[name] |= {"schedule": schedule(tick), "options": {"expires": 5}}
        else:
            del SCHEDULE[name]
    # Beat reads its own copy, which may have been made by now.
    app.conf.beat_schedule = SCHEDULE
    worker_ready.connect(lambda **facts: note("ready"), weak=False)
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "global_keyprefix": os.environ["SIM_PREFIX"],
    }
    app.loader.import_default_modules()
    for module in IMPORTED_LATE:
        import_module(module)
    _fork_as_told(lambda words: app.start(["--quiet", *words]))


# What Celery imports when a worker or a beat starts.
IMPORTED_LATE = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.solo",
    "kombu.transport.redis",
)


def _fork_as_told(start: Callable[[list[str]], object]) -> None:
    """For each line of standard input, which is a JSON list of the file to write to and
    words, a process that starts with these; its number is told in a line. Until the end
    of the input.
    """
    assert threading.active_count() == 1, "a fork has but one thread"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever dies is gone at once
    while line := sys.stdin.buffer.readline():
        out, *words = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _begin(Path(out), start, words)
        os.write(sys.stdout.fileno(), b"%d\n" % pid)


def _begin(
    out: Path, start: Callable[[list[str]], object], words: list[str]
) -> NoReturn:
    """The life of a fork."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pick.seed(os.urandom(8))  # or all of them would draw alike
    written = os.open(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for told, own in (
        (os.open(os.devnull, os.O_RDONLY), 0),
        (written, 1),
        (written, 2),
    ):
        os.dup2(told, own)
    try:
        start(words)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # nobody is asked to stop
