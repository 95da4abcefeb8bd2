"""A worker ends with the process that started it, however that one ends."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import parent_process
from threading import Thread

SECONDS = 0.5
GRACE = 10  # seconds for calls that are being answered


def end_with_parent() -> None:
    """Watch the process that started this one, in a thread, if it was started as a worker.

    A killed parent tells its children nothing; they would go on serving beside those of
    its successor, with the code of yesterday.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_watch, args=(parent.pid,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
