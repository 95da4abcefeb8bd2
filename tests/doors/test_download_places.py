"""Places for downloads: who may hold how many, and for how long (N2)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.http import StreamingHttpResponse

from config.front import downloads
from config.front.application import Front
from tests.doors.test_front import Application, Client, scope

FONT = "/static/vendor/font.ttf"
PRIVATE = "/o/acme/usage.csv"


def made() -> StreamingHttpResponse:
    """Some download."""
    return StreamingHttpResponse([b"x" * downloads.PIECE])


def session(name: str) -> dict[str, bytes]:
    """The headers of one who is signed in."""
    return {"cookie": f"a=1; {settings.SESSION_COOKIE_NAME}={name}; b=2".encode()}


async def status(front: Front, asked: dict[str, Any]) -> int:
    """What one who reads is answered."""
    client = Client()
    await front(asked, client.receive, client.send)
    return client.status


@asynccontextmanager
async def held(front: Front, asked: list[dict[str, Any]], *, places: int) -> Any:
    """While clients that read nothing ask for `asked`, `places` of which are let in."""
    clients = [Client() for _ in asked]
    for client in clients:
        client.reads.clear()
    calls = [
        asyncio.ensure_future(front(one, client.receive, client.send))
        for one, client in zip(asked, clients, strict=True)
    ]
    async with asyncio.timeout(10):
        while front.downloads.open + front.static.open < places:
            await asyncio.sleep(0.01)
    yield
    for client in clients:
        client.reads.set()
    await asyncio.gather(*calls)
    assert front.downloads.open == front.static.open == 0
    assert not front.downloads.clients and not front.static.clients


def of_address(number: int, path: str = FONT) -> dict[str, Any]:
    """A stranger's call."""
    return {**scope(path, "GET"), "client": (f"203.0.113.{number}", 1234)}


def test_N2_strangers_who_hold_all_static_files_hold_up_no_private_download(db):
    async def story() -> None:
        front = Front(Application(made), threads=1)
        asked = [of_address(number) for number in range(1, 65)]
        async with held(front, asked, places=downloads.MOST):
            assert await status(front, of_address(99)) == 503
            assert await status(front, scope(PRIVATE, "GET", **session("ann"))) == 200

    asyncio.run(story())


def test_N2_one_address_does_not_take_all_static_files(db):
    async def story() -> None:
        front = Front(Application(made), threads=1)
        async with held(front, [of_address(1)] * 40, places=front.static.each):
            assert await status(front, of_address(1)) == 429
            assert await status(front, of_address(2)) == 200

    asyncio.run(story())


@pytest.mark.parametrize(
    "path, mine, others",
    [
        (PRIVATE, session("ann"), session("bob")),
        (
            "/api/v1/usage.csv",
            {"authorization": b"Bearer xu_ann"},
            {"authorization": b"Bearer xu_bob"},
        ),
        # A cookie counts for nothing where the key opens.
        (
            "/api/v1/usage.csv",
            {"authorization": b"Bearer  xu_ann", **session("x")},
            {"authorization": b"Bearer xu_bob", **session("x")},
        ),
    ],
)
def test_N2_one_session_or_key_has_four_downloads_open(db, path, mine, others):
    async def story() -> None:
        front = Front(Application(made), threads=1)
        async with held(front, [scope(path, "GET", **mine)] * 6, places=4):
            assert await status(front, scope(path, "GET", **mine)) == 429
            assert await status(front, scope(path, "GET", **others)) == 200

    asyncio.run(story())


class Trickle(Client):
    """Reads a piece now and then."""

    async def send(self, message: dict[str, Any]) -> None:
        """Keep it after a while."""
        await asyncio.sleep(0.05)
        await super().send(message)


@pytest.mark.parametrize("patience, count", [(10, 40), (0.01, 40)])
def test_N2_who_reads_a_trickle_is_given_up(monkeypatch, db, patience, count):
    monkeypatch.setattr(downloads, "GRACE", 0.2)
    monkeypatch.setattr(downloads, "LEAST_SPEED", 100 * downloads.PIECE)
    monkeypatch.setattr(downloads, "PATIENCE", patience)

    def slow() -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * downloads.PIECE

    async def story() -> None:
        front = Front(Application(lambda: StreamingHttpResponse(slow())), threads=1)
        client = Trickle()
        asked = scope(PRIVATE, "GET", **session("ann"))
        calling = asyncio.ensure_future(front(asked, client.receive, client.send))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(1.5):
            while front.downloads.open:
                await asyncio.sleep(0.01)
        assert not client.is_whole
        client.left.set()
        await calling

    asyncio.run(story())


def test_N2_who_waits_for_a_slow_maker_is_not_called_slow(monkeypatch, db):
    monkeypatch.setattr(downloads, "GRACE", 0.1)
    monkeypatch.setattr(downloads, "LEAST_SPEED", 100 * downloads.PIECE)
    monkeypatch.setattr(downloads, "PATIENCE", 0.01)

    def slow() -> Iterator[bytes]:
        for _ in range(4):
            time.sleep(0.1)
            yield b"x" * downloads.PIECE

    client = Client()

    async def story() -> None:
        front = Front(Application(lambda: StreamingHttpResponse(slow())), threads=1)
        await front(scope(PRIVATE, "GET"), client.receive, client.send)

    asyncio.run(story())
    assert client.is_whole


def test_N2_fonts_of_printed_documents_are_not_collected(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, link=True, verbosity=0)
    collected = {path.suffix for path in tmp_path.rglob("*")}
    assert ".woff2" in collected and ".ttf" not in collected
