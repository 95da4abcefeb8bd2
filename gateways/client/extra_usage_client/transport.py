"""Calls to Extra usage over kept connections."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from extra_usage_client.http1 import BadAnswer, Connection, Response, Stale
from extra_usage_client.options import Options

CONNECTIONS = 100
KEEP_ALIVE = 55.0  # seconds; less than what servers and proxies keep
LONGEST_WAIT = 60.0  # seconds that a Retry-After may ask for
# Of a host with several addresses, one that does not answer holds up the next no longer.
NEXT_ADDRESS = 0.25  # seconds
PATH = "/%:@!$&'()*+,;=~"  # what stands in a path as it is


class NoAnswer(Exception):
    """The server could not be asked: it is away, or too slow, or speaks no JSON."""


class Reply(NamedTuple):
    """Status, what the body says (None for no JSON), and seconds to wait, if named."""

    status: int
    body: Any
    retry_after: float | None

    @property
    def detail(self) -> str:
        """What a problem document says, at most 300 characters."""
        said = self.body.get("detail") if isinstance(self.body, dict) else None
        return said[:300] if isinstance(said, str) else f"status {self.status}"


class Transport:
    """The kept connections of one event loop to one server."""

    def __init__(self, options: Options) -> None:
        self._options = options
        parts = urlsplit(options.address)
        assert parts.hostname is not None  # or there would be no options
        self._host = _ascii(parts.hostname)
        is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if is_tls else 80)
        self._tls = _tls() if is_tls else None
        self._heads: dict[str, bytes] = {}
        self._free: list[Connection] = []
        self._used: set[Connection] = set()
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._works: Any = None  # the address that was reached last

    async def post(self, path: str, body: bytes, *, timeout: float) -> Reply:
        """One call, sent once more where a kept connection turned out to be closed.

        Both calls that there are may be repeated: one only reads, the other knows its
        events by their ids. Raises NoAnswer.
        """
        head = self._heads.get(path) or self._head(path)
        sent = b"%b%d\r\n\r\n%b" % (head, len(body), body)
        try:
            async with asyncio.timeout(timeout), self._room:
                response = await self._sent(sent)
        except TimeoutError:
            raise NoAnswer(f"no answer within {timeout:g} seconds") from None
        except BadAnswer as error:
            raise NoAnswer(str(error)) from None
        except (OSError, ValueError) as error:
            raise NoAnswer(type(error).__name__) from None
        wait = _wait(response.headers.get(b"retry-after", b""))
        return Reply(response.status, _json(response.body), wait)

    async def close(self) -> None:
        """Close all connections."""
        for connection in [*self._free, *self._used]:
            connection.close()
        self._free.clear()
        await asyncio.sleep(0)  # or their ends would be told after the loop's

    async def _sent(self, sent: bytes) -> Response:
        if kept := self._kept():
            try:
                return await self._asked(kept, sent)
            except Stale:
                # So are those that were kept as long.
                self._let_go()
        try:
            return await self._asked(await self._connected(), sent)
        except Stale:
            raise BadAnswer("the connection was closed") from None

    async def _asked(self, connection: Connection, sent: bytes) -> Response:
        self._used.add(connection)
        try:
            answer = await connection.request(sent)
        finally:
            self._used.discard(connection)
        if connection.is_open:
            connection.free_since = asyncio.get_running_loop().time()
            self._free.append(connection)
        return answer

    def _kept(self) -> Connection | None:
        """The connection that was used last, if any is still good; those that nobody
        used for long are closed.
        """
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE
        while self._free and self._free[0].free_since < oldest:
            self._free.pop(0).close()
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        return None

    def _let_go(self) -> None:
        for connection in self._free:
            connection.close()
        self._free.clear()

    async def _connected(self) -> Connection:
        """A new connection, to the first address that takes one. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=1)  # SOCK_STREAM
        addresses = list(dict.fromkeys(info[4][0] for info in found))
        if self._works in addresses:
            return await self._connected_to(self._works)
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(NEXT_ADDRESS):
                    return await self._connected_to(address)
            except ssl.SSLError:
                raise
            except OSError:  # TimeoutError is one
                continue
        return await self._connected_to(addresses[-1])

    async def _connected_to(self, address: Any) -> Connection:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls else None
        self._works = None  # until it does
        _transport, connection = await loop.create_connection(
            Connection, address, self._port, ssl=self._tls, server_hostname=name
        )
        self._works = address
        return connection

    def _head(self, path: str) -> bytes:
        """The head of all requests of a path, up to the length of the body."""
        parts = urlsplit(self._options.url(path))
        host = f"[{self._host}]" if ":" in self._host else self._host
        if parts.port:
            host = f"{host}:{parts.port}"
        lines = [
            f"POST {quote(parts.path, safe=PATH)} HTTP/1.1",
            f"Host: {host}",
            f"Authorization: Bearer {self._options.key}",
            "Content-Type: application/json",
            "User-Agent: extra-usage-client/0.1",
            "Content-Length: ",
        ]
        head = self._heads[path] = "\r\n".join(lines).encode()
        return head


def _tls() -> ssl.SSLContext:
    """As browsers trust servers, by the certificates of the system."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _ascii(host: str) -> str:
    """A host's name as it is sent; what can't be one is found at the first call."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _json(read: bytes) -> Any:
    try:
        return json.loads(read)
    except (ValueError, RecursionError):
        return None


def _wait(sent: bytes) -> float | None:
    """Seconds of Retry-After; None for none, and for a date, which nobody here sends."""
    return min(float(sent), LONGEST_WAIT) if sent.isdigit() else None
