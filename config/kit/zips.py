"""ZIP archives that are sent while they are made: no file, no whole archive in memory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZipFile


class _Pipe(io.RawIOBase):
    """What ZipFile writes, taken out piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        """All since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zipped(files: Iterable[tuple[str, Iterable[str]]]) -> Iterator[bytes]:
    """The archive of files by name, each given as texts that follow one another."""
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, texts in files:
            with archive.open(name, "w", force_zip64=True) as entry:
                for text in texts:
                    entry.write(text.encode())
                    yield pipe.taken()
            yield pipe.taken()
    yield pipe.taken()
