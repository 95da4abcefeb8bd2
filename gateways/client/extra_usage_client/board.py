"""What running calls are expected to cost, where all processes of a host see it.

Each process has a file of its own in the spool folder, mapped into memory: for each
member two sums of nano-USD that only grow, of calls that started and of calls that are
settled. A member's place is a hash of the name; two members on one place (one in 65,536)
only make each other wait longer. No name stands in the file.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

PLACES = 65_536
SIZE = PLACES * 2 * 8  # bytes, most of them never touched
LOOK_EVERY = 1.0  # seconds between two looks for other processes
SUFFIX = ".running"


def place_of(member: str) -> int:
    """Where in a board a member stands: of the started sum; the settled one is next."""
    digest = blake2b(member.lower().encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % PLACES * 2


class Board:
    """The own sums, and those of the other living processes that share the folder."""

    def __init__(self, own: Path | None, is_alive: Callable[[str], bool]) -> None:
        self._own_path, self._is_alive = own, is_alive
        self._own = memoryview(_mapped(own, make=True)).cast("Q")
        self._others: dict[str, memoryview] = {}
        self._looked_at = 0.0

    def started(self, member: str, nanos: int) -> None:
        """A call of the member begins that is expected to cost so much."""
        self._own[place_of(member)] += nanos

    def settled(self, member: str, nanos: int) -> None:
        """A call that began so is now in the server's sums, or cost nothing."""
        self._own[place_of(member) + 1] += nanos

    def settled_so_far(self, member: str) -> int:
        """All that is settled; before an ask, for `outstanding` after it."""
        return self._sum(place_of(member) + 1)

    def outstanding(self, member: str, *, settled: int) -> int:
        """What runs now or was not settled when the ask began: the answer may be
        without it.
        """
        return max(0, self._sum(place_of(member)) - settled)

    def is_busy(self, member: str) -> bool:
        """Whether a call of the member runs in this process."""
        place = place_of(member)
        return self._own[place] > self._own[place + 1]

    def close(self) -> None:
        """Take the own sums away: nothing of this process runs any more."""
        if self._own_path is not None:
            self._own_path.unlink(missing_ok=True)

    def _sum(self, place: int) -> int:
        self._look()
        return self._own[place] + sum(one[place] for one in self._others.values())

    def _look(self) -> None:
        now = time.monotonic()
        if self._own_path is None or now < self._looked_at + LOOK_EVERY:
            return
        self._looked_at = now
        names = {path.name for path in self._own_path.parent.glob(f"*{SUFFIX}")}
        names.discard(self._own_path.name)
        alive = {name for name in names if self._is_alive(name.removesuffix(SUFFIX))}
        for name in set(self._others) - alive:
            del self._others[name]
        for name in alive - set(self._others):
            self._open_other(name)

    def _open_other(self, name: str) -> None:
        assert self._own_path is not None
        try:
            mapped = _mapped(self._own_path.with_name(name), make=False)
        except (OSError, ValueError):
            return  # it ended just now, or did not begin yet
        self._others[name] = memoryview(mapped).cast("Q")


def _mapped(path: Path | None, *, make: bool) -> mmap.mmap:
    if path is None:
        return mmap.mmap(-1, SIZE)
    flags = os.O_RDWR | os.O_CREAT if make else os.O_RDONLY
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        if make:
            os.ftruncate(descriptor, SIZE)
        access = mmap.ACCESS_WRITE if make else mmap.ACCESS_READ
        return mmap.mmap(descriptor, SIZE, access=access)
    finally:
        os.close(descriptor)
