"""Bodies of requests before Django sees them: those in chunks get a length, and none is
left unread when the answer goes out.

Django reads as many bytes as CONTENT_LENGTH says, so that a body without a length would
be none. A server that closes a connection with bytes still on their way resets it, and
the client loses the answer that would have told it why.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import RequestDataTooBig

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

LIMIT = 1_048_576  # bytes: 1 MiB, the most that anybody may send
# What is thrown away for a client that sends more: enough for every honest mistake, and
# an end for all others.
DRAINED = 64 * LIMIT
DRAIN_SECONDS = 10
PIECE = 65_536
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class TooLong(io.RawIOBase):
    """The body of a request that sends more than LIMIT: whoever reads it is told."""

    def readable(self) -> bool:
        """It is, and then refuses."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Raises RequestDataTooBig, which is answered 413."""
        raise RequestDataTooBig("The body of the request is over 1 MiB.")

    def readline(self, size: int | None = -1) -> bytes:
        """Raises RequestDataTooBig, which is answered 413."""
        raise RequestDataTooBig("The body of the request is over 1 MiB.")


class Sent:
    """What the client sends, counted, so that the rest can be thrown away."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self.stream = stream
        self.length = length
        self.taken = 0
        self.is_whole = length == 0

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        return self._counted(self.stream.read(size), size)

    def readline(self, size: int = -1) -> bytes:
        """One line."""
        return self._counted(self.stream.readline(size), 1)

    def drain(self) -> None:
        """Throw away what nobody read, up to DRAINED bytes and DRAIN_SECONDS."""
        until = time.monotonic() + DRAIN_SECONDS
        most = self.taken + DRAINED
        while not self.is_whole and self.taken < most and time.monotonic() < until:
            left = PIECE if self.length is None else self.length - self.taken
            self.read(min(PIECE, left))

    def _counted(self, piece: bytes, size: int) -> bytes:
        self.taken += len(piece)
        is_short = size < 0 or len(piece) < size
        self.is_whole = is_short or (
            self.length is not None and self.taken >= self.length
        )
        return piece


class WholeBodies:
    """A WSGI application whose requests carry whole bodies of at most LIMIT bytes with
    their length, in chunks or not; a longer one raises RequestDataTooBig when read.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer, with nothing of the request left on its way."""
        length = _length(environ)
        no_end = length is None and not environ.get("wsgi.input_terminated")
        if no_end or environ["REQUEST_METHOD"] in BODILESS:
            return self.application(environ, start_response)
        sent = Sent(environ["wsgi.input"], length)
        if length is None:
            _give_length(environ, sent)
        else:
            environ["wsgi.input"] = TooLong() if length > LIMIT else sent
        answer = self.application(environ, start_response)
        if sent.taken or not environ.get("HTTP_EXPECT"):
            # Who expects a “100 Continue” has sent nothing yet, and need not.
            sent.drain()
        return answer


def _length(environ: Environ) -> int | None:
    """The length the client promises; None for a body in chunks, whatever else it says
    (RFC 9112), and where a body ends with its stream (HTTP/2).
    """
    text = environ.get("CONTENT_LENGTH") or ""
    if environ.get("HTTP_TRANSFER_ENCODING") or not text.isdigit():
        return None
    return int(text)


def _give_length(environ: Environ, sent: Sent) -> None:
    """Read the body to its end and say how long it is."""
    body = sent.read(LIMIT + 1)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = TooLong() if len(body) > LIMIT else io.BytesIO(body)
