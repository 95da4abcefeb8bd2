"""Reports that wait: files in a folder that processes of a host share.

Each process writes files of its own and holds a lock while it lives. What an ended process
left behind is taken over by the first that gets its lock. Nothing here waits for the
network; the few bytes of an event are written at once, so they survive a SIGKILL.
"""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path
from typing import NamedTuple

from extra_usage_client import board, locks, segments
from extra_usage_client.metrics import Metrics
from extra_usage_client.segments import Segment

log = logging.getLogger("extra_usage_client")
IN_MEMORY = 10_000  # events, where the disk takes none


class Batch(NamedTuple):
    """Events as lines of JSON, and the file they stand in; None is memory."""

    segment: Segment | None
    events: list[bytes]

    def first(self, count: int) -> Batch:
        """Its first events."""
        return Batch(self.segment, self.events[:count])


class Spool:
    """The folder as this process sees it. Raises OSError where it can't be used."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self.folder, self._metrics = folder, metrics
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = locks.hold_new(folder)
        self._number = 0
        self._memory: deque[bytes] = deque(maxlen=IN_MEMORY)
        self._dirty: set[Segment] = set()
        self._writing = Segment(self._next_path())
        self._writing.open()
        self._segments: deque[Segment] = deque([self._writing])
        self.take_over()

    @property
    def board_path(self) -> Path:
        """Where this process shows what its running calls are expected to cost."""
        return self.folder / f"{self._held.name}{board.SUFFIX}"

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._memory and all(one.is_done for one in self._segments)

    def is_alive(self, name: str) -> bool:
        """Whether the process of this name runs."""
        return locks.is_held(self.folder / f"{name}{locks.SUFFIX}")

    def append(self, event: bytes) -> None:
        """Keep an event; in memory where the disk takes none."""
        try:
            if self._writing.is_full:
                self._begin_file()
            self._writing.append(event + b"\n")
            self._dirty.add(self._writing)
        except OSError as error:
            self._metrics.spool_failures += 1
            self._metrics.lost += len(self._memory) == IN_MEMORY
            log.error("The spool %s takes no report: %s", self.folder, error.strerror)
            self._memory.append(event)

    def next_batch(self, *, most_events: int, most_bytes: int) -> Batch:
        """What to send next, the oldest first; empty when nothing waits."""
        self._drop_done()
        for segment in self._segments:
            if segment.is_done:
                continue
            try:
                lines = segment.read(lines=most_events, most=most_bytes)
            except OSError as error:
                log.error("%s can't be read: %s", segment.path, error.strerror)
                continue
            return Batch(segment, lines)
        return Batch(None, list(self._memory)[: min(most_events, 100)])

    def is_newest(self, batch: Batch) -> bool:
        """Whether a batch is of what was written last, so that no older events wait."""
        return batch.segment is self._writing

    def take(self, batch: Batch) -> None:
        """These events need not be sent any more."""
        if batch.segment is not None:
            batch.segment.take(batch.events)
            return
        for _event in batch.events:
            self._memory.popleft()

    def put_last(self, batch: Batch) -> None:
        """Send these events after all others."""
        for event in batch.events:
            self.append(event)
        self.take(batch)

    def take_over(self) -> None:
        """The files of processes that ended become ours, before what we write."""
        names = {
            path.name.split(".")[0]
            for suffix in (locks.SUFFIX, segments.SUFFIX, board.SUFFIX)
            for path in self.folder.glob(f"*{suffix}")
        }
        for name in sorted(names - {self._held.name}):
            held = locks.hold(self.folder / f"{name}{locks.SUFFIX}")
            if held is not None:
                self._adopt(name)
                held.give_up()

    def sync(self) -> None:
        """Have the disk keep all that was written; to be called in a thread."""
        while self._dirty:
            segment = self._dirty.pop()
            try:
                segment.sync()
            except OSError as error:
                log.debug("A file of the spool could not be synced: %s", error.strerror)

    def close(self) -> None:
        """Leave the folder; what still waits is taken over by the next process."""
        waiting = list(self._memory)
        self._memory.clear()
        for event in waiting:
            self.append(event)
        self._metrics.lost += len(self._memory)
        self._writing.close()
        self._drop_done()
        if self._writing.is_done:
            self._writing.path.unlink(missing_ok=True)
        self._held.give_up()

    def _adopt(self, name: str) -> None:
        for path in sorted(self.folder.glob(f"{name}.*{segments.SUFFIX}")):
            ours = self._next_path()
            path.rename(ours)
            self._segments.insert(len(self._segments) - 1, Segment(ours))
            self._metrics.taken_over += 1
        (self.folder / f"{name}{board.SUFFIX}").unlink(missing_ok=True)

    def _begin_file(self) -> None:
        following = Segment(self._next_path())
        following.open()
        self._writing.close()
        self._writing = following
        self._segments.append(following)

    def _next_path(self) -> Path:
        self._number += 1
        return self.folder / f"{self._held.name}.{self._number:06d}{segments.SUFFIX}"

    def _drop_done(self) -> None:
        """Take files away whose events are all taken, and empty the one in use."""
        while self._segments[0].is_done and self._segments[0] is not self._writing:
            done = self._segments.popleft()
            self._dirty.discard(done)
            done.path.unlink(missing_ok=True)
        writing = self._writing
        if self._segments[0] is writing and writing.is_done and writing.size:
            try:
                writing.empty()
            except OSError as error:
                log.error("%s can't be emptied: %s", writing.path, error.strerror)


def set_aside(folder: Path, why: str, event: bytes, *, most: int = 67_108_864) -> bool:
    """Keep an event that the server will never take where a person can look at it.

    False once the file holds `most` bytes, or the disk takes no more.
    """
    place = folder / "aside"
    line = why.encode(errors="replace").replace(b"\n", b" ") + b"\t" + event + b"\n"
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        with (place / "events.txt").open("ab") as file:
            if file.tell() >= most:
                return False
            file.write(line)
    except OSError:
        return False
    return True
