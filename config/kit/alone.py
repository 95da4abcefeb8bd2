"""One process of this machine at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], object]


@contextmanager
def alone_in(folder: Path, *, say: Say, waiting: str) -> Iterator[None]:
    """While this runs, no other process gets in for the same `folder`, which must exist.

    Waits, without end, for one that is, and says `waiting` then. The lock ends with the
    process, however it ends, and leaves no file.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
