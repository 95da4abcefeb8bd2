"""HTTP/1.1 as this client speaks it: one request at a time on a kept connection, and an
answer by its length, in chunks, or up to the end of the connection.

Written out, since a library's sessions, redirects, cookies and proxies cost several times
what a question of a hundred bytes does. Knows nothing of Extra usage.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

MOST_HEAD = 65_536  # bytes
MOST_BODY = 8 * 1_048_576  # bytes
HEAD_END = b"\r\n\r\n"
# A chunk's size line: hexadecimal digits, and extensions that nobody uses.
MOST_SIZE_LINE = 1_024
BODILESS = (204, 304)


class BadAnswer(Exception):
    """What came is no answer that can be read: not HTTP/1, too long, cut short."""


class Stale(Exception):
    """The connection was closed before anything of the answer came."""


class Response(NamedTuple):
    """Status, headers by their names in lower case, and the whole body."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Reading:
    """One answer, read as it comes. Raises BadAnswer."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[int, dict[bytes, bytes]] | None = None
        self._length: int | None = None  # None is in chunks, or up to the end
        self._is_chunked = False
        self._body = bytearray()  # of chunks
        self.is_kept = False  # whether another request may follow
        self.has_begun = False

    def feed(self, data: bytes) -> Response | None:
        """The answer, once it is whole."""
        self.has_begun = True
        self._buffer += data
        while self._head is None:
            if not self._read_head():
                return None
        return self._whole(*self._head)

    def ended(self) -> Response:
        """The answer of a connection that was closed: one that ends so, or none."""
        if self._head is None or self._is_chunked or self._length is not None:
            raise BadAnswer("an answer that was cut short")
        return Response(*self._head, bytes(self._buffer))

    def _read_head(self) -> bool:
        """Whether a head was there: the answer's, or one of those that come before it."""
        end = self._buffer.find(HEAD_END)
        if end < 0:
            if len(self._buffer) > MOST_HEAD:
                raise BadAnswer("an answer without an end of its head")
            return False
        version, status, headers = _head_of(bytes(self._buffer[:end]))
        del self._buffer[: end + len(HEAD_END)]
        if status >= 200:
            self._head = status, headers
            self._frame(version, status, headers)
        elif status == 101:
            raise BadAnswer("another protocol")
        return True

    def _frame(self, version: bytes, status: int, headers: dict[bytes, bytes]) -> None:
        """How long the body is, and whether another answer may follow it."""
        coding = headers.get(b"transfer-encoding", b"").lower()
        self._is_chunked = coding == b"chunked"
        if coding and not self._is_chunked:
            raise BadAnswer("an answer in an unknown coding")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise BadAnswer("an answer that is packed")
        if not self._is_chunked:
            self._length = 0 if status in BODILESS else _length_of(headers)
        is_framed = self._is_chunked or self._length is not None
        said = headers.get(b"connection", b"").lower()
        goes_on = b"keep-alive" in said if version == b"HTTP/1.0" else True
        self.is_kept = is_framed and goes_on and b"close" not in said

    def _whole(self, status: int, headers: dict[bytes, bytes]) -> Response | None:
        if self._is_chunked:
            if not self._read_chunks():
                return None
            body = bytes(self._body)
        elif self._length is None or len(self._buffer) < self._length:
            if len(self._buffer) > MOST_BODY:
                raise BadAnswer("an answer that is too long")
            return None
        else:
            body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
        # Nothing was asked yet that could have been answered.
        self.is_kept = self.is_kept and not self._buffer
        return Response(status, headers, body)

    def _read_chunks(self) -> bool:
        """Move what came into the body; whether the last chunk was there."""
        while True:
            line_end = self._buffer.find(b"\r\n")
            if line_end < 0:
                if len(self._buffer) > MOST_SIZE_LINE:
                    raise BadAnswer("a chunk without a size")
                return False
            size = _size_of(bytes(self._buffer[:line_end]))
            if len(self._body) + size > MOST_BODY:
                raise BadAnswer("an answer that is too long")
            start = line_end + 2
            if size == 0:
                return self._read_trailers(start)
            end = start + size
            if len(self._buffer) < end + 2:
                return False
            if self._buffer[end : end + 2] != b"\r\n":
                raise BadAnswer("a chunk that is longer than its size")
            self._body += self._buffer[start:end]
            del self._buffer[: end + 2]

    def _read_trailers(self, start: int) -> bool:
        """Throw away what follows the last chunk; whether its end was there."""
        if self._buffer[start : start + 2] == b"\r\n":
            del self._buffer[: start + 2]
            return True
        end = self._buffer.find(HEAD_END, start)
        if end < 0:
            if len(self._buffer) > MOST_HEAD:
                raise BadAnswer("an answer without an end")
            return False
        del self._buffer[: end + len(HEAD_END)]
        return True


def _head_of(head: bytes) -> tuple[bytes, int, dict[bytes, bytes]]:
    """Version, status and headers."""
    first, *lines = head.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    status = rest[:3]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(status) < 3:
        raise BadAnswer("an answer that is not HTTP/1.1")
    if not status.isdigit() or status < b"100":
        raise BadAnswer("an answer without a status")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise BadAnswer("a header that can't be read")
        name, value = name.lower(), value.strip()
        if name == b"content-length" and headers.get(name, value) != value:
            raise BadAnswer("an answer of two lengths")
        headers[name] = value
    return version, int(status), headers


def _length_of(headers: dict[bytes, bytes]) -> int | None:
    text = headers.get(b"content-length")
    if text is None:
        return None
    if not text.isdigit() or len(text) > 15:
        raise BadAnswer("an answer of no length")
    if int(text) > MOST_BODY:
        raise BadAnswer("an answer that is too long")
    return int(text)


def _size_of(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadAnswer("a chunk without a size")
    return int(digits, 16)


class Connection(asyncio.Protocol):
    """A connection with at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reading: Reading | None = None
        self._answer: asyncio.Future[Response] | None = None
        self.is_open = False
        self.free_since = 0.0  # of the loop's clock

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        # uvloop's are none of asyncio's classes.
        self._transport, self.is_open = cast("asyncio.Transport", transport), True

    async def request(self, sent: bytes) -> Response:
        """The answer to a whole request. Raises BadAnswer, Stale.

        Left before the answer is there, as by a time-out, it is closed.
        """
        transport = self._transport
        if transport is None or not self.is_open:
            raise Stale
        reading = self._reading = Reading()
        self._answer = asyncio.get_running_loop().create_future()
        transport.write(sent)
        try:
            answer = await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = self._reading = None
        if not reading.is_kept:
            self.close()
        return answer

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._reading is None or self._answer is None or self._answer.done():
            self.close()  # nobody asked
            return
        try:
            answer = self._reading.feed(data)
        except BadAnswer as error:
            self._answer.set_exception(error)
            return
        if answer is not None:
            self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        """It was closed, by whichever side."""
        self.is_open = False
        reading, answer = self._reading, self._answer
        if reading is None or answer is None or answer.done():
            return
        if not reading.has_begun:
            answer.set_exception(Stale())
            return
        try:
            answer.set_result(reading.ended())
        except BadAnswer as bad:
            answer.set_exception(bad)

    def close(self) -> None:
        """Ask nothing more."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()
