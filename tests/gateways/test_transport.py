"""X7: kept connections to the server, and what becomes of those that break."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from extra_usage_client import Options, transport
from extra_usage_client.transport import NoAnswer, Reply, Transport

Handler = Callable[["Server", asyncio.StreamReader, asyncio.StreamWriter], Any]
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"all": "ok"}'


class Server:
    """Answers by `handle`, once for each connection, and counts those."""

    def __init__(self, handle: Handler) -> None:
        self.handle = handle
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def take(self, reader: Any, writer: Any) -> None:
        """One connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.handle(self, reader, writer)
        writer.close()

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """One request whole."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.rpartition(b"Content-Length: ")[2])
        self.requests.append(head + await reader.readexactly(length))
        return self.requests[-1]


async def forever(server: Server, reader: Any, writer: Any) -> None:
    """Answers every request of a connection."""
    while True:
        await server.read(reader)
        writer.write(OK)


async def once(server: Server, reader: Any, writer: Any) -> None:
    """Answers one request, and closes the connection without a word."""
    await server.read(reader)
    writer.write(OK)


async def never(server: Server, reader: Any, writer: Any) -> None:
    """Takes requests and says nothing."""
    while True:
        await server.read(reader)


async def leaving(server: Server, reader: Any, writer: Any) -> None:
    """Takes a request and closes the connection."""
    await server.read(reader)


def with_transport(
    test: Callable[[Transport, Server], Awaitable[None]],
    handle: Handler = forever,
    *,
    address: str = "http://127.0.0.1:{port}",
    tls: ssl.SSLContext | None = None,
) -> Server:
    """Run a test with a transport to such a server."""
    server = Server(handle)

    async def run() -> None:
        listening = await asyncio.start_server(server.take, "127.0.0.1", 0, ssl=tls)
        server.port = listening.sockets[0].getsockname()[1]
        options = Options(address=address.format(port=server.port), key="xu_key")
        one = Transport(options)
        try:
            await test(one, server)
        finally:
            await one.close()
            listening.close()

    asyncio.run(run())
    return server


async def ask(one: Transport, *, timeout: float = 5, body: bytes = b"{}") -> Reply:
    return await one.post("authorize", body, timeout=timeout)


def test_requests_one_after_the_other_share_a_connection():
    async def test(one: Transport, server: Server) -> None:
        for _ in range(3):
            assert await ask(one, body=b'{"a":1}') == Reply(200, {"all": "ok"}, None)

    server = with_transport(test)
    assert server.connections == 1
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert head.split(b"\r\n") == [
        b"POST /api/v1/authorize HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Authorization: Bearer xu_key",
        b"Content-Type: application/json",
        b"User-Agent: extra-usage-client/0.1",
        b"Content-Length: 7",
    ]


def test_requests_at_once_have_a_connection_each_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(transport, "CONNECTIONS", 5)

    async def test(one: Transport, server: Server) -> None:
        replies = await asyncio.gather(*(ask(one) for _ in range(50)))
        assert {reply.status for reply in replies} == {200}

    server = with_transport(test)
    assert len(server.requests) == 50
    assert 2 <= server.connections <= 5


def test_a_kept_connection_that_was_closed_costs_no_answer():
    async def test(one: Transport, server: Server) -> None:
        for number in range(4):
            assert (await ask(one)).status == 200
            if number % 2:
                await asyncio.sleep(0.05)  # it is known to be closed

    server = with_transport(test, once)
    assert (server.connections, len(server.requests)) == (4, 4)


def test_a_kept_connection_that_breaks_at_a_request_is_replaced_once():
    async def breaks(server: Server, reader: Any, writer: Any) -> None:
        await server.read(reader)
        writer.write(OK)
        await server.read(reader)  # and says nothing to the second

    async def test(one: Transport, server: Server) -> None:
        assert (await ask(one)).status == 200
        assert (await ask(one)).status == 200

    server = with_transport(test, breaks)
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_new_connection_that_is_closed_is_no_answer():
    async def test(one: Transport, server: Server) -> None:
        with pytest.raises(NoAnswer):
            await ask(one)

    assert with_transport(test, leaving).connections == 1


def test_a_connection_whose_time_is_over_is_not_used_again(monkeypatch):
    monkeypatch.setattr(transport, "KEEP_ALIVE", 0.05)

    async def test(one: Transport, server: Server) -> None:
        await asyncio.gather(ask(one), ask(one))
        await asyncio.sleep(0.1)
        await ask(one)
        assert len(one._free) == 1

    assert with_transport(test).connections == 3


def test_after_a_time_out_the_late_answer_is_nobodys():
    """Or the next request on that connection would be answered by it."""

    async def late(server: Server, reader: Any, writer: Any) -> None:
        await server.read(reader)
        await asyncio.sleep(0.2)
        writer.write(OK.replace(b"ok", b"no"))
        await forever(server, reader, writer)

    async def test(one: Transport, server: Server) -> None:
        with pytest.raises(NoAnswer, match=r"within 0\.1 seconds"):
            await ask(one, timeout=0.1)
        server.handle = forever
        await asyncio.sleep(0.2)
        assert (await ask(one)).body == {"all": "ok"}

    assert with_transport(test, late).connections == 2


def test_whoever_leaves_takes_the_connection_along():
    async def test(one: Transport, server: Server) -> None:
        asking = asyncio.create_task(ask(one))
        while not server.requests:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (one._free, one._used) == ([], set())

    with_transport(test, never)


def test_what_nobody_asked_for_ends_a_kept_connection():
    async def talks(server: Server, reader: Any, writer: Any) -> None:
        await server.read(reader)
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(OK.replace(b"ok", b"no"))
        await server.read(reader)

    async def test(one: Transport, server: Server) -> None:
        await ask(one)
        server.handle = forever
        await asyncio.sleep(0.1)
        assert (await ask(one)).body == {"all": "ok"}

    assert with_transport(test, talks).connections == 2


@pytest.mark.parametrize("said", [b"no HTTP", b"HTTP/1.1 200 OK\r\n\r\n\r\nno", b""])
def test_what_is_no_json_or_no_http_is_never_an_error_of_another_kind(said):
    async def odd(server: Server, reader: Any, writer: Any) -> None:
        await server.read(reader)
        writer.write(said)

    async def test(one: Transport, server: Server) -> None:
        with suppress(NoAnswer):
            assert (await ask(one)).body is None

    with_transport(test, odd)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [(b"7", 7.0), (b"999", 60.0), (b"Fri, 27 Nov 2026", None), (b"-1", None)],
)
def test_the_time_to_come_again_is_told(sent, seconds):
    async def busy(server: Server, reader: Any, writer: Any) -> None:
        await server.read(reader)
        head = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: "
        writer.write(head + sent + b"\r\n\r\n")

    async def test(one: Transport, server: Server) -> None:
        reply = await ask(one)
        assert (reply.status, reply.retry_after) == (503, seconds)
        assert reply.detail == "status 503"

    with_transport(test, busy)


def test_a_path_before_the_api_and_odd_letters_in_it_are_sent():
    async def test(one: Transport, server: Server) -> None:
        await ask(one)

    server = with_transport(test, address="http://127.0.0.1:{port}/usage é/%20x/")
    line = server.requests[0].partition(b"\r\n")[0]
    assert line == b"POST /usage%20%C3%A9/%20x/api/v1/authorize HTTP/1.1"


def test_a_host_that_is_none_is_no_answer():
    async def run() -> None:
        for host in (
            "no-such-host.invalid",
            "a..b",
            "x" * 70 + ".example",
            "ö..example",
        ):
            one = Transport(Options(address=f"http://{host}", key="k"))
            with pytest.raises(NoAnswer):
                await ask(one)
            await one.close()

    asyncio.run(run())


def addresses(*hosts: str) -> Any:
    """A resolver that finds these."""

    async def found(host: str, port: int, **_more: Any) -> list[Any]:
        return [(0, 0, 0, "", (one, port)) for one in hosts]

    return found


def test_of_several_addresses_the_first_that_answers_is_used(monkeypatch):
    monkeypatch.setattr(transport, "NEXT_ADDRESS", 0.2)

    async def test(one: Transport, server: Server) -> None:
        loop = asyncio.get_running_loop()
        # The second is nobody's: nothing comes back from it, or that there is no way.
        found = addresses("127.0.0.9", "192.0.2.1", "127.0.0.1")
        monkeypatch.setattr(loop, "getaddrinfo", found)
        assert (await ask(one)).status == 200
        assert one._works == "127.0.0.1"
        one._let_go()
        monkeypatch.setattr(transport, "NEXT_ADDRESS", 0)
        assert (await ask(one)).status == 200

    assert with_transport(test).connections == 2


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for a name or an address that signs itself, and a server's use of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    try:
        known: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        known = x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([known]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return pem, context


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_over_tls_connections_are_kept_and_certificates_looked_at(
    tmp_path, monkeypatch, name
):
    async def test(one: Transport, server: Server) -> None:
        for _ in range(3):
            assert (await ask(one)).status == 200

    pem, tls = certificate(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    address = f"https://{name}:{{port}}"
    assert with_transport(test, address=address, tls=tls).connections == 1


@pytest.mark.parametrize(
    ("name", "is_trusted"), [("127.0.0.1", False), ("other", True)]
)
def test_a_certificate_that_is_not_the_servers_is_no_answer(
    tmp_path, monkeypatch, name, is_trusted
):
    async def test(one: Transport, server: Server) -> None:
        with pytest.raises(NoAnswer, match="SSLCertVerificationError"):
            await ask(one)

    pem, tls = certificate(tmp_path, name)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    server = with_transport(test, address="https://127.0.0.1:{port}", tls=tls)
    assert server.requests == []
