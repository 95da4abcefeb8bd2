"""Bodies of requests, gathered by the event loop before a thread is taken: at most
LIMIT bytes, of telemetry TELEMETRY_LIMIT, within SECONDS, in chunks or with a length.

A server that closes a connection with bytes still on their way resets it, and the
client loses the answer that would have told it why; so what is refused is read to an
end and thrown away, within bounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from config.kit.doors import OTLP, TELEMETRY_LIMIT

Receive = Callable[[], Awaitable[Any]]

LIMIT = 1_048_576  # bytes: 1 MiB, the most that anybody may send but exporters
# Bodies over LIMIT that a process holds at once, however many are sent; those that come
# with a key it has not let in yet, and that may be none, have one place among them.
MOST_LARGE, MOST_LARGE_OF_STRANGERS = 4, 1
SECONDS = 20  # for the whole body: 50 KiB a second is enough
# What is thrown away for a client that sends more: enough for every honest mistake, and
# an end for all others.
DRAINED = 64 * LIMIT
DRAIN_SECONDS = 10
PAUSE_SECONDS = 1  # without a byte; whoever waits that long waits for the answer
# Set in the environment of a request whose body nobody read, since it is over the
# limit; `config.errors.BodyLimit` answers it.
TOO_LONG = "extra_usage.body_too_long"
# Set where the body, or its end, is still on its way.
UNREAD = "extra_usage.body_unread"
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ClientLeft(Exception):
    """The connection is gone, or its chunks can't be read: the server tells both alike,
    so it is 400 for whoever still reads.
    """


class TooLong(Exception):
    """More bytes than are read there: 413."""


class NoRoom(Exception):
    """As many large bodies as one process holds: 503."""


class TooSlow(Exception):
    """Not whole after SECONDS: 408."""


def has_body(environ: dict[str, Any]) -> bool:
    """Whether the client says it sends one that anybody would read."""
    if environ["REQUEST_METHOD"] in BODILESS:
        return False
    return (
        environ["CONTENT_LENGTH"] not in ("", "0")
        or "HTTP_TRANSFER_ENCODING" in environ
    )


def length_of(environ: dict[str, Any]) -> int | None:
    """The length in bytes that the client promises; None for a body in chunks, whatever
    else it says (RFC 9112).
    """
    text = environ["CONTENT_LENGTH"]
    if "HTTP_TRANSFER_ENCODING" in environ or not (text.isascii() and text.isdigit()):
        return None
    return int(text[:20])


def limit_of(path: str) -> int:
    """The most bytes that are read at this path."""
    return TELEMETRY_LIMIT if path.startswith(OTLP) else LIMIT


class Room:
    """The room that one body takes while it is gathered and answered."""

    # By whether the key is known: how many there are.
    _large = {True: 0, False: 0}

    def __init__(self, is_known: Callable[[], bool]) -> None:
        self._asks_whether_known = is_known
        self._known: bool | None = None

    def hold(self, size: int) -> None:
        """Make room for `size` bytes that have come. Raises NoRoom."""
        if size <= LIMIT or self._known is not None:
            return
        known, large = self._asks_whether_known(), Room._large
        strangers_wait = not known and large[False] >= MOST_LARGE_OF_STRANGERS
        if strangers_wait or sum(large.values()) >= MOST_LARGE:
            raise NoRoom
        large[known] += 1
        self._known = known

    def leave(self) -> None:
        """It is answered, or was never whole."""
        if self._known is not None:
            Room._large[self._known] -= 1
            self._known = None


async def gathered(
    receive: Receive, *, length: int | None, limit: int = LIMIT, room: Room
) -> bytes:
    """The whole body. Raises ClientLeft, NoRoom, TooLong, TooSlow."""
    if length is not None and length > limit:
        raise TooLong
    try:
        async with asyncio.timeout(SECONDS):
            return await _joined(receive, length, limit, room)
    except TimeoutError:
        raise TooSlow from None


async def beginning(receive: Receive, most: int) -> tuple[bytes, bool]:
    """The first bytes of a body, at least `most` of them where it has so many, and
    whether more may come. Raises ClientLeft, TooSlow.
    """
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(SECONDS):
            while more and len(body) < most:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientLeft
                body += message.get("body", b"")
                more = bool(message.get("more_body"))
    except TimeoutError:
        raise TooSlow from None
    return bytes(body[:most]), more


async def _joined(
    receive: Receive, length: int | None, limit: int, room: Room
) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientLeft
    body = message.get("body", b"")
    _check(body, limit, room)
    # With a promised length there is no need to wait for word that no more comes.
    while message.get("more_body") and len(body) != length:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientLeft
        if not isinstance(body, bytearray):
            body = bytearray(body)
        body += message.get("body", b"")
        _check(body, limit, room)
    return bytes(body)


def _check(body: bytes | bytearray, limit: int, room: Room) -> None:
    if len(body) > limit:
        raise TooLong
    room.hold(len(body))


async def drain(receive: Receive) -> bool:
    """Throw away what the client sends, up to DRAINED bytes and DRAIN_SECONDS, as long
    as it sends; whether that was all.
    """
    taken, until = 0, time.monotonic() + DRAIN_SECONDS
    while taken < DRAINED and time.monotonic() < until:
        try:
            message = await asyncio.wait_for(receive(), PAUSE_SECONDS)
        except TimeoutError:
            return False
        taken += len(message.get("body", b""))
        if not message.get("more_body"):
            return True
    return False
