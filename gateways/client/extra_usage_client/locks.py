"""Who of the processes that share a spool folder is alive: each holds a lock on a file of
its own for as long as it lives, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

SUFFIX = ".lock"


class Held:
    """A lock file that this process holds; its name is the process' name here."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor
        self.name = path.name.removesuffix(SUFFIX)

    def give_up(self) -> None:
        """Take the file away, then the lock."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


def hold_new(folder: Path) -> Held:
    """A lock of a name that nobody had."""
    while True:
        held = hold(folder / f"{secrets.token_hex(6)}{SUFFIX}")
        if held is not None:
            return held


def hold(path: Path) -> Held | None:
    """The lock of this file; None while another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # Another process may have held it, ended it and taken the file away just now.
    try:
        is_same = path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        is_same = False
    if not is_same:
        os.close(descriptor)
        return None
    return Held(path, descriptor)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of this file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
