"""Downloads: a thread writes one into a temporary file as fast as it is made, and the
event loop sends it as fast as it is read.

So a slow reader holds no thread and no database connection, and many downloads at once
hold up nothing but each other. One that is made soon is sent with its length, so that
a connection that breaks can't pass for a shorter file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import Any

from django.db import connections

from config.front.calls import Answer, Download
from config.front.lanes import Lane

log = logging.getLogger("extra_usage.front")

MOST = 32  # open at once in one process and of one kind, each with its file
PIECE = 65_536  # bytes
PATIENCE = 10  # seconds until one that is still being made begins to be sent
LONGEST_REST = 0.25  # seconds that making one rests at a time
STALLED = 60  # seconds without a byte read, after which it is given up
LEAST_SPEED = 16_384  # bytes a second that a client reads on average ...
GRACE = 60  # ... once so many seconds were spent waiting for it


class TooMany(Exception):
    """MOST downloads are open already."""


class TooManyOfOne(TooMany):
    """One client has as many open as one may."""


class Spool:
    """A file that one thread fills while the loop reads it; only the loop closes it.

    While calls are metered the thread rests as long as it works, so that several long
    reports leave them half of the process.
    """

    def __init__(self, is_metering: Callable[[], bool] = bool) -> None:
        self.is_metering = is_metering
        self.file = TemporaryFile(buffering=0)  # noqa: SIM115 (closed by the loop)
        self.size = 0
        self.is_ended = self.is_failed = self.is_unwanted = False
        self._loop = asyncio.get_running_loop()
        self._grown = asyncio.Event()

    def fill(self, download: Download) -> None:
        """Write all of it, in a thread; ends early when nobody wants it."""
        is_failed = True
        try:
            download.run(self._write)
            is_failed = False
        except Exception:
            log.exception("download.failed")
        finally:
            connections.close_all()
            self._loop.call_soon_threadsafe(self._end, is_failed)

    def _write(self, pieces: Iterable[bytes]) -> None:
        began = time.monotonic()
        for piece in _batched(pieces):
            if self.is_unwanted:
                return
            self.file.write(piece)
            self._loop.call_soon_threadsafe(self._grow, len(piece))
            if self.is_metering():
                time.sleep(min(time.monotonic() - began, LONGEST_REST))
            began = time.monotonic()

    def _grow(self, count: int) -> None:
        self.size += count
        self._grown.set()

    def _end(self, is_failed: bool) -> None:
        self.is_ended, self.is_failed = True, is_failed
        self._grown.set()
        if self.is_unwanted:
            self.file.close()

    async def whole(self) -> None:
        """Until nothing more comes."""
        while not self.is_ended:
            self._grown.clear()
            await self._grown.wait()

    async def read(self, place: int) -> bytes:
        """What stands at `place`, waiting for it; nothing at the end."""
        while place >= self.size and not self.is_ended:
            self._grown.clear()
            await self._grown.wait()
        if self.is_unwanted:  # its file may be closed
            return b""
        count = min(PIECE, self.size - place)
        return os.pread(self.file.fileno(), count, place)

    def leave(self) -> None:
        """Nobody reads any more."""
        self.is_unwanted = True
        if self.is_ended:
            self.file.close()


class Downloads:
    """The open downloads of one kind in one process, at most `each` for one client, and
    the threads that make them.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        each: int,
        is_metering: Callable[[], bool] = bool,
    ) -> None:
        self.lane = Lane(name, threads=threads)
        self.is_metering = is_metering
        self.each = each
        self.clients: Counter[str] = Counter()
        self.open = 0

    async def send(self, answer: Answer, receive: Any, send: Any, client: str) -> None:
        """Make and send one to `client`. Raises TooMany; RuntimeError where it can't be
        made.
        """
        download = answer.download
        assert download is not None
        if self.open >= MOST or self.clients[client] >= self.each:
            await self.lane.run(download.response.close)
            raise TooManyOfOne if self.clients[client] >= self.each else TooMany
        with self._place(client):
            spool = Spool(self.is_metering)
            making = asyncio.ensure_future(self.lane.run(spool.fill, download))
            watching = asyncio.ensure_future(_leaves(receive, spool))
            try:
                is_told = await _sent(spool, answer, send)
            except BaseException:
                watching.cancel()
                raise
            finally:
                spool.leave()
                making.add_done_callback(_forget)
        try:
            if not is_told:
                # It must not end as if it were whole, so it stays open: as a connection
                # only, without its file and its place.
                await watching
        finally:
            watching.cancel()

    @contextmanager
    def _place(self, client: str) -> Iterator[None]:
        self.open += 1
        self.clients[client] += 1
        try:
            yield
        finally:
            self.open -= 1
            self.clients[client] -= 1
            if not self.clients[client]:
                del self.clients[client]


async def _sent(spool: Spool, answer: Answer, send: Any) -> bool:
    """Send it; whether the client can tell how it ended. Raises RuntimeError before the
    first byte where it can't be made.
    """
    headers = answer.headers
    with suppress(TimeoutError):
        await asyncio.wait_for(spool.whole(), PATIENCE)
    if spool.is_failed:
        raise RuntimeError("The download could not be made.")
    has_length = spool.is_ended
    if has_length:
        headers = [pair for pair in headers if pair[0] != b"content-length"]
        headers.append((b"content-length", b"%d" % spool.size))
    start = {"type": "http.response.start", "status": answer.status}
    await send({**start, "headers": headers})
    try:
        await _copy(spool, send)
    except TimeoutError:
        return has_length
    if spool.is_failed or spool.is_unwanted:
        return False
    await send({"type": "http.response.body", "body": b""})
    return True


async def _copy(spool: Spool, send: Any) -> None:
    """Send all there is. Raises TimeoutError when the client reads nothing, or after
    GRACE less than LEAST_SPEED; only the time spent waiting for the client counts.
    """
    place, waited = 0, 0.0
    while piece := await spool.read(place):
        place += len(piece)
        message = {"type": "http.response.body", "body": piece, "more_body": True}
        began = time.monotonic()
        await asyncio.wait_for(send(message), STALLED)
        waited += time.monotonic() - began
        if waited > GRACE and place < waited * LEAST_SPEED:
            raise TimeoutError


async def _leaves(receive: Any, spool: Spool) -> None:
    """Until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    spool.is_unwanted = True


def _forget(making: asyncio.Future[Any]) -> None:
    if not making.cancelled():
        making.exception()


def _batched(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about PIECE."""
    batch = bytearray()
    for piece in pieces:
        batch += piece
        if len(batch) >= PIECE:
            yield bytes(batch)
            batch.clear()
    if batch:
        yield bytes(batch)
