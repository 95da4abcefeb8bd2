"""The front, without a server: what it gathers, refuses, and hands to which threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import translation

from config.front import bodies, downloads
from config.front.application import Front

KEY = f"Bearer xu_{'k' * 43}".encode()
MIB = 1_048_576


class Client:
    """The other end of one call: sends `pieces`, then nothing more, and keeps what it
    is sent.
    """

    def __init__(self, pieces: Iterable[bytes] = (), *, ends: bool = True) -> None:
        self.pieces = iter(pieces)
        self.ends = ends
        self.taken = 0
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    async def receive(self) -> dict[str, Any]:
        """The next piece; without one the end, or nothing for ever."""
        piece = next(self.pieces, None)
        if piece is not None:
            self.taken += len(piece)
            return {"type": "http.request", "body": piece, "more_body": True}
        if self.ends:
            self.ends = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Keep it, as soon as the client reads."""
        await self.reads.wait()
        self.sent.append(message)

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Of the answer."""
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """Of the answer, as far as it came."""
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def is_whole(self) -> bool:
        """Whether the answer came to its end."""
        last = self.sent[-1] if self.sent else {"type": ""}
        return last["type"] == "http.response.body" and not last.get("more_body")


def scope(path: str, method: str = "POST", **headers: bytes) -> dict[str, Any]:
    """A call as a server tells of it."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", "8000"),
        "headers": [(k.replace("_", "-").encode(), v) for k, v in headers.items()],
    }


class Application:
    """Stands for Django: notes what it is asked, and answers `response()`."""

    def __init__(self, response: Callable[[], Any] = HttpResponse) -> None:
        self.response = response
        self.asked: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.threads: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """A WSGI answer."""
        self.asked.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        self.threads.append(threading.current_thread().name)
        response = self.response()
        start_response(f"{response.status_code} OK", list(response.items()))
        return response


def call(application: Application, client: Client, asked: dict[str, Any]) -> None:
    """One call to its end."""
    asyncio.run(Front(application, threads=1)(asked, client.receive, client.send))


def test_S3_a_body_is_whole_before_a_thread_is_taken():
    application, client = Application(), Client([b"ab", b"c"])
    call(
        application,
        client,
        scope("/api/v1/usage", authorization=KEY, content_length=b"3"),
    )
    assert application.bodies == [b"abc"]
    assert application.asked[0]["CONTENT_LENGTH"] == "3"


def test_S3_a_half_sent_body_takes_no_thread_and_is_told_so(monkeypatch):
    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    application, client = Application(), Client([b"{"], ends=False)
    call(
        application,
        client,
        scope("/api/v1/usage", authorization=KEY, content_length=b"9"),
    )
    assert application.asked == []
    assert client.status == 408
    assert client.headers[b"connection"] == b"close"
    assert client.headers[b"content-type"] == b"application/problem+json"


def test_S3_a_trickle_has_a_deadline_for_the_whole_body(monkeypatch):
    monkeypatch.setattr(bodies, "SECONDS", 0.2)
    application, client = Application(), Client()

    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b" ", "more_body": True}

    client.receive = trickle  # type: ignore[method-assign]
    asked = scope("/accounts/login/", transfer_encoding=b"chunked")
    call(application, client, asked)
    assert application.asked == []
    assert client.status == 408


@pytest.mark.parametrize("authorization", [b"", b"Bearer", b"Bearer no", b"Basic eDp5"])
def test_S2_a_call_without_a_key_is_refused_before_its_body_is_read(authorization):
    application, client = Application(), Client([b"x" * MIB])
    asked = scope(
        "/api/v1/authorize",
        authorization=authorization,
        content_length=b"%d" % MIB,
        expect=b"100-continue",
    )
    call(application, client, asked)
    assert application.asked == []
    assert client.taken == 0
    assert client.status == 401
    assert client.headers[b"www-authenticate"].startswith(b"Bearer")
    assert client.headers[b"content-type"] == b"application/problem+json"


def test_S19_a_length_over_the_limit_is_refused_unread():
    application, client = Application(), Client([b"x" * MIB] * 30)
    length = b"%d" % (30 * MIB)
    asked = scope("/accounts/login/", content_length=length, expect=b"100-continue")
    call(application, client, asked)
    assert client.taken == 0
    assert application.asked[0][bodies.TOO_LONG]
    assert application.bodies == [b""]


def test_row_6_what_is_thrown_away_has_an_end():
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * MIB

    application, client = Application(), Client(endless())
    call(application, client, scope("/", transfer_encoding=b"chunked"))
    assert application.asked[0][bodies.TOO_LONG]
    assert client.taken <= 67 * MIB


def test_N9_a_client_that_leaves_or_sends_malformed_chunks_is_no_request():
    application, client = Application(), Client(ends=False)
    client.left.set()
    call(application, client, scope("/", content_length=b"5"))
    assert application.asked == []
    assert (client.status, client.headers[b"connection"]) == (400, b"close")


def test_a_body_of_a_get_is_none():
    application, client = Application(), Client([b"abc"])
    call(application, client, scope("/", "GET", content_length=b"3"))
    assert application.bodies == [b""]
    assert application.asked[0]["CONTENT_LENGTH"] == ""


def test_a_header_with_an_underscore_can_not_pass_for_another():
    application, client = Application(), Client()
    asked = scope("/", "GET", x_real=b"1")
    asked["headers"].append((b"x_forwarded_for", b"6.6.6.6"))
    asked["headers"] += [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
    call(application, client, asked)
    [environ] = application.asked
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["HTTP_X_REAL"] == "1"
    assert environ["HTTP_COOKIE"] == "a=1;b=2"


@pytest.mark.parametrize(
    "path, method, lane",
    [
        ("/api/v1/authorize", "POST", "metering"),
        ("/api/v1/usage", "POST", "metering"),
        ("/api/v1/usage", "GET", "pages"),
        ("/o/acme/settings/usage/", "GET", "pages"),
        ("/healthz", "GET", "alive"),
        ("/readyz", "GET", "ready"),
    ],
)
def test_S3_pages_and_health_wait_for_no_metering(path, method, lane):
    application, client = Application(), Client()
    call(application, client, scope(path, method, authorization=KEY))
    assert application.threads == [f"{lane}-1"]


def test_what_the_application_raises_is_a_500():
    def broken() -> HttpResponse:
        raise ValueError("of ours")

    client = Client()
    call(Application(broken), client, scope("/api/v1/members", "GET"))
    assert client.status == 500
    assert client.headers[b"content-type"] == b"application/problem+json"


def test_fault_2_a_download_is_read_in_its_own_thread_and_language(db):
    def download() -> StreamingHttpResponse:
        def pieces() -> Iterator[bytes]:
            yield threading.current_thread().name.encode()
            yield translation.get_language().encode()

        translation.activate("ja")
        return StreamingHttpResponse(pieces())

    client = Client()
    call(Application(download), client, scope("/x.csv", "GET"))
    assert client.body in (b"download-1ja", b"download-2ja")
    assert client.headers[b"content-length"] == b"12"


def test_fault_2_a_slow_reader_holds_no_thread(monkeypatch, db):
    monkeypatch.setattr(downloads, "PATIENCE", 0.01)
    made = threading.Event()

    def large() -> Iterator[bytes]:
        for _ in range(24):
            yield b"x" * MIB
        made.set()

    application = Application(lambda: StreamingHttpResponse(large()))

    async def story() -> None:
        front, slow = Front(application, threads=1), [Client() for _ in range(4)]
        for client in slow:
            client.reads.clear()
        asked = scope("/x.csv", "GET")
        waiting = [
            asyncio.ensure_future(front(asked, client.receive, client.send))
            for client in slow
        ]
        while front.downloads.open < 4 or not made.is_set():
            await asyncio.sleep(0.01)
        quick = Client()
        asked = {**scope("/y.csv", "GET"), "client": ("127.0.0.2", 1234)}
        await front(asked, quick.receive, quick.send)
        assert len(quick.body) == 24 * MIB
        for client in slow:
            client.reads.set()
        await asyncio.gather(*waiting)
        assert all(len(client.body) == 24 * MIB for client in slow)
        assert front.downloads.open == 0

    asyncio.run(story())


def test_fault_2_a_download_that_fails_does_not_pass_for_whole(monkeypatch, db):
    def broken() -> Iterator[bytes]:
        yield b"x" * downloads.PIECE
        time.sleep(0.3)
        raise ValueError("of ours")

    async def story() -> Client:
        front = Front(Application(lambda: StreamingHttpResponse(broken())), threads=1)
        client = Client()
        asking = asyncio.ensure_future(
            front(scope("/x.csv", "GET"), client.receive, client.send)
        )
        await asyncio.sleep(1)
        client.left.set()
        await asking
        return client

    client = asyncio.run(story())
    assert client.status == 500  # nothing was sent yet
    monkeypatch.setattr(downloads, "PATIENCE", 0.05)
    client = asyncio.run(story())
    assert (client.status, len(client.body)) == (200, downloads.PIECE)
    assert not client.is_whole


def test_fault_2_too_many_downloads_are_told_when_to_come_again(monkeypatch, db):
    monkeypatch.setattr(downloads, "MOST", 0)
    client = Client()
    application = Application(lambda: StreamingHttpResponse([b"x"]))
    call(application, client, scope("/x.csv", "GET"))
    assert (client.status, client.headers[b"retry-after"]) == (503, b"60")
