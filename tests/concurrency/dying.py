"""What processes that die by chance have in common: a log of what happened, and SIGKILL
to ourselves.
"""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

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
    """Celery's own command line with these scheduled jobs alone, every `tick` seconds."""
    import sys

    from celery.schedules import schedule
    from celery.signals import worker_ready

    from config.celery import app
    from config.schedule import SCHEDULE

    for name in list(SCHEDULE):
        if name in jobs:
            SCHEDULE[name]["schedule"] = schedule(tick)
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
    app.start(["--quiet", *sys.argv[1:]])
