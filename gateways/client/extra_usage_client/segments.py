"""One file of reports: lines of JSON, written at its end, read from its start."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIX = ".events"
FULL = 1_048_576  # bytes after which the next file begins
LONGEST_LINE = 1_048_576  # bytes; the server takes no event that is longer


class Segment:
    """A file in the order of its events. What was taken is forgotten with the whole file:
    after a crash a file is sent again from its start, which the server knows by the ids.

    Only a file that is written to is kept open, so an outage may leave thousands.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: int | None = None
        self.size = path.stat().st_size if path.exists() else 0
        self.taken = 0  # bytes that need not be sent any more

    @property
    def is_full(self) -> bool:
        """Whether the next event belongs into another file."""
        return self.size >= FULL

    @property
    def is_done(self) -> bool:
        """Whether nothing of it waits."""
        return self.taken >= self.size

    def open(self) -> None:
        """Begin to write. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._writer = os.open(self.path, flags, 0o600)

    def append(self, line: bytes) -> None:
        """One event and its line end, wholly or not at all. Raises OSError."""
        if self._writer is None:
            self.open()
        assert self._writer is not None
        written = 0
        try:
            while written < len(line):
                written += os.write(self._writer, line[written:])
        except OSError:
            if written:
                os.ftruncate(self._writer, self.size)
            raise
        self.size += len(line)

    def read(self, *, lines: int, most: int) -> list[bytes]:
        """The next lines that are not taken yet, without their ends: at most so many,
        and at most `most` bytes together unless the first one alone is longer. The last
        one may be cut short where a process ended while it wrote. Raises OSError.
        """
        with self.path.open("rb") as file:
            file.seek(self.taken)
            read = file.read(most)
            if b"\n" not in read:
                read += file.readline(LONGEST_LINE)
                return [read.removesuffix(b"\n")] if read else []
        return read[: read.rfind(b"\n")].split(b"\n")[:lines]

    def take(self, lines: list[bytes]) -> None:
        """These lines, the next ones, need not be sent any more."""
        self.taken = min(self.size, self.taken + sum(len(line) + 1 for line in lines))

    def empty(self) -> None:
        """Begin again at the start, once all is taken. Raises OSError."""
        os.truncate(self.path, 0)
        self.size = self.taken = 0

    def sync(self) -> None:
        """Have the disk keep it, which takes milliseconds. Raises OSError."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Write no more."""
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None
