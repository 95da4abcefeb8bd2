"""Calling an address that somebody else gave us (`config.kit.web_addresses`), safely.

The name is resolved once, here; every number it has must be public, and exactly one of
those is connected to, so that a name can't lead elsewhere between the look and the call.
Host, SNI and the certificate stay the name's. Redirects are answers, proxies of the
environment are not asked, an answer is read up to `MOST_READ`, and all together takes
`TOTAL_SECONDS` at most, however slowly the other side drips.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

import anyio
import anyio.to_thread
import certifi
import httpcore2

from config.kit.web_addresses import WebAddress, is_public

CONNECT_SECONDS = 5
TOTAL_SECONDS = 10
MOST_READ = 65_536
USER_AGENT = "extra-usage-webhooks/1"
# Of a name with many addresses; more are somebody's trick.
MOST_ADDRESSES = 32


class Fault(StrEnum):
    """Why there was no answer."""

    NAME = "name"  # it does not resolve
    PRIVATE = "private"  # it leads inside
    CONNECT = "connect"  # nobody listens, or not reached in time
    TLS = "tls"  # no certificate we trust for that name
    TIMEOUT = "timeout"  # it took too long
    BROKEN = "broken"  # closed early, or not HTTP


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status with the beginning of its text, or a fault."""

    status: int | None
    text: str = ""
    fault: str = ""
    took_ms: int = 0
    retry_after: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """2xx."""
        return self.status is not None and 200 <= self.status < 300


class _Refused(Exception):
    """Ends a call with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def resolve(host: str, port: int) -> list[str]:
    """The numbers a name has. Raises OSError. The one place where names are asked."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def post(
    address: WebAddress,
    *,
    headers: Mapping[str, str],
    body: bytes,
    is_inside_allowed: bool,
) -> Answer:
    """POST `body` there; whatever happens is an answer, nothing is raised for it."""
    started_at = time.monotonic()
    try:
        answer = anyio.run(_post, address, dict(headers), body, is_inside_allowed)
    except _Refused as refused:
        answer = Answer(None, fault=refused.fault)
    took_ms = round((time.monotonic() - started_at) * 1000)
    return Answer(
        answer.status,
        answer.text,
        answer.fault,
        took_ms,
        answer.retry_after,
    )


async def _post(
    address: WebAddress, headers: dict[str, str], body: bytes, is_inside_allowed: bool
) -> Answer:
    try:
        with anyio.fail_after(TOTAL_SECONDS):
            numbers = await _numbers_of(address, is_inside_allowed=is_inside_allowed)
            return await _call(address, numbers, headers, body)
    except (TimeoutError, httpcore2.TimeoutException) as error:
        raise _Refused(_fault_of_timeout(error)) from error
    except httpcore2.ConnectError as error:
        raise _Refused(_fault_of_connect(error)) from error
    except (
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        ssl.SSLError,
        OSError,
        EOFError,
    ) as error:
        raise _Refused(Fault.BROKEN) from error


def _fault_of_timeout(error: Exception) -> Fault:
    is_connect = isinstance(error, httpcore2.ConnectTimeout)
    return Fault.CONNECT if is_connect else Fault.TIMEOUT


def _fault_of_connect(error: BaseException) -> Fault:
    """TLS where a certificate or handshake was the reason, down the chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Fault.TLS
        cause = cause.__cause__ or cause.__context__
    return Fault.CONNECT


async def _numbers_of(address: WebAddress, *, is_inside_allowed: bool) -> list[str]:
    """All numbers of the host, every one of them public. Raises _Refused."""
    try:
        numbers = await anyio.to_thread.run_sync(
            resolve, address.host, address.port, abandon_on_cancel=True
        )
    except (OSError, UnicodeError) as error:
        raise _Refused(Fault.NAME) from error
    if not numbers:
        raise _Refused(Fault.NAME)
    if not is_inside_allowed and not all(map(is_public, numbers)):
        raise _Refused(Fault.PRIVATE)
    return numbers[:MOST_ADDRESSES]


class _Pinned(httpcore2.AnyIOBackend):
    """Connects to the numbers that were looked at, whatever name it is given."""

    def __init__(self, numbers: list[str]) -> None:
        self._numbers = numbers

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """The first number that answers."""
        share = CONNECT_SECONDS / min(len(self._numbers), 4)
        for number in self._numbers[:-1]:
            try:
                return await super().connect_tcp(number, port, timeout=share)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        last = self._numbers[-1]
        return await super().connect_tcp(last, port, timeout=timeout)


async def _call(
    address: WebAddress, numbers: list[str], headers: dict[str, str], body: bytes
) -> Answer:
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=_trust(),
        max_connections=1,
        http2=False,
        retries=0,
        network_backend=_Pinned(numbers),
    )
    sent: list[tuple[bytes | str, bytes | str]] = [
        ("User-Agent", USER_AGENT),
        ("Accept", "*/*"),
        ("Connection", "close"),
        *headers.items(),
    ]
    async with (
        pool,
        pool.stream(
            "POST",
            # Not as a text: parsed once more, it would lose what follows a `;`.
            httpcore2.URL(
                scheme=address.scheme,
                host=address.host,
                port=address.port,
                target=address.target,
            ),
            headers=sent,
            content=body,
            extensions={"timeout": {"connect": CONNECT_SECONDS}},
        ) as response,
    ):
        return Answer(
            response.status,
            text=await _beginning(response),
            retry_after=_header(response, b"retry-after"),
        )


async def _beginning(response: httpcore2.Response) -> str:
    """The answer's text up to MOST_READ bytes; what follows is never read."""
    read = b""
    async for chunk in response.aiter_stream():
        read += chunk
        if len(read) >= MOST_READ:
            break
    return read[:MOST_READ].decode(errors="replace")


def _header(response: httpcore2.Response, name: bytes) -> str:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return ""


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Certificates of public authorities, and those that this host trusts beside."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
