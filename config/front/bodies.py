"""Bodies of requests, gathered by the event loop before a thread is taken: at most
LIMIT bytes, within SECONDS, in chunks or with a length.

A server that closes a connection with bytes still on their way resets it, and the
client loses the answer that would have told it why; so what is refused is read to an
end and thrown away, within bounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[Any]]

LIMIT = 1_048_576  # bytes: 1 MiB, the most that anybody may send
SECONDS = 20  # for the whole body: 50 KiB a second is enough
# What is thrown away for a client that sends more: enough for every honest mistake, and
# an end for all others.
DRAINED = 64 * LIMIT
DRAIN_SECONDS = 10
PAUSE_SECONDS = 1  # without a byte; whoever waits that long waits for the answer
# Set in the environment of a request whose body nobody read, since it is over the
# limit; `config.errors.BodyLimit` answers it.
TOO_LONG = "extra_usage.body_too_long"
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class ClientLeft(Exception):
    """The connection is gone, or its chunks can't be read: the server tells both alike,
    so it is 400 for whoever still reads.
    """


class TooLong(Exception):
    """More than LIMIT bytes: 413."""


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


async def gathered(receive: Receive, *, length: int | None) -> bytes:
    """The whole body. Raises ClientLeft, TooLong, TooSlow."""
    if length is not None and length > LIMIT:
        raise TooLong
    try:
        async with asyncio.timeout(SECONDS):
            return await _joined(receive, length)
    except TimeoutError:
        raise TooSlow from None


async def _joined(receive: Receive, length: int | None) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientLeft
    body = message.get("body", b"")
    # With a promised length there is no need to wait for word that no more comes.
    while message.get("more_body") and len(body) != length:
        if len(body) > LIMIT:
            raise TooLong
        message = await receive()
        if message["type"] != "http.request":
            raise ClientLeft
        if not isinstance(body, bytearray):
            body = bytearray(body)
        body += message.get("body", b"")
    if len(body) > LIMIT:
        raise TooLong
    return bytes(body)


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
