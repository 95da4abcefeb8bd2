"""The front at the doors: bodies thrown away, large ones in their lane and their rooms."""

from __future__ import annotations

import asyncio
import json

import pytest

from config.front import bodies
from config.front.application import Front
from config.kit.doors import HOOK_BEGINNING
from tests.doors.test_front import Application, Client, call, scope

KEY = b"Bearer xu_test"
MIB = 1_048_576


@pytest.fixture(autouse=True)
def _empty_rooms():
    yield
    assert bodies.Room._large == {True: 0, False: 0}


def test_of_a_proxys_body_nothing_is_read():
    application, client = Application(), Client([b"prompt"] * 40)
    asked = scope(
        "/doors/ext-authz/v1/messages", authorization=KEY, content_length=b"240"
    )
    call(application, client, asked)
    assert application.bodies == [b""]
    assert client.taken == 240  # thrown away, so that the answer can be read
    assert client.status == 200


def test_of_a_hooks_body_the_beginning_is_read():
    body = json.dumps({"hook_event_name": "Stop", "prompt": "x" * 90_000}).encode()
    application, client = Application(), Client([body[:50_000], body[50_000:]])
    length = b"%d" % len(body)
    asked = scope("/doors/claude-code/hook", authorization=KEY, content_length=length)
    call(application, client, asked)
    assert application.bodies == [body[:HOOK_BEGINNING]]
    assert client.taken == len(body)
    assert client.status == 200


def test_a_hook_that_ends_early_takes_no_thread():
    application, client = Application(), Client(ends=False)
    client.left.set()
    asked = scope("/doors/claude-code/hook", authorization=KEY, content_length=b"9")
    call(application, client, asked)
    assert application.asked == []
    assert client.status == 400


def test_a_trickle_of_a_hook_has_a_deadline(monkeypatch):
    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    application, client = Application(), Client([b"{"], ends=False)
    asked = scope("/doors/claude-code/hook", authorization=KEY, content_length=b"9")
    call(application, client, asked)
    assert (application.asked, client.status) == ([], 408)


@pytest.mark.parametrize(
    "path, headers, is_asked",
    [
        ("/doors/ext-authz/x", {"x_extra_usage_key": b"xu_a"}, True),
        ("/doors/ext-authz/x", {"x_extra_usage_key": b"no"}, False),
        ("/doors/ext-authz/x", {"authorization": KEY}, True),
        ("/doors/ext-authz/x", {}, False),
        (
            "/doors/ext-authz/x",
            {"authorization": KEY, "x_extra_usage_key": b"sk-ant"},
            False,
        ),
        ("/doors/claude-code/hook", {"x_extra_usage_key": b"xu_a"}, False),
        ("/otlp/v1/logs", {"authorization": b"Bearer sk-ant"}, False),
        ("/otlp/v1/metrics", {"authorization": KEY}, True),
    ],
)
def test_s2_without_a_key_no_body_is_read(path, headers, is_asked):
    application, client = Application(), Client([b"x" * 100])
    call(application, client, scope(path, content_length=b"100", **headers))
    assert bool(application.asked) is is_asked
    assert client.status == (200 if is_asked else 401)
    if not is_asked and path.startswith("/otlp/"):
        assert client.headers[b"www-authenticate"].startswith(b"Bearer")
        assert json.loads(client.body)["code"] == 16


@pytest.mark.parametrize(
    "path, lane",
    [
        ("/doors/ext-authz/v1/messages", "metering"),
        ("/doors/claude-code/hook", "metering"),
        ("/otlp/v1/logs", "telemetry"),
        ("/api/v1/usage", "metering"),
        ("/api/v1/caps", "pages"),
    ],
)
def test_telemetry_has_a_lane_of_its_own(path, lane):
    application, client = Application(), Client([b"{}"])
    call(application, client, scope(path, authorization=KEY, content_length=b"2"))
    [thread] = application.threads
    assert thread.startswith(f"{lane}-")


def test_of_telemetry_32_mib_are_read_and_of_the_api_one():
    for path, most in (("/otlp/v1/logs", 32), ("/api/v1/usage", 1)):
        for more in (0, 1):
            application = Application()
            client = Client([b"x" * MIB] * most + [b"x"] * more)
            call(
                application,
                client,
                scope(path, authorization=KEY, transfer_encoding=b"chunked"),
            )
            [body] = application.bodies
            assert len(body) == (0 if more else most * MIB)
            assert (bodies.TOO_LONG in application.asked[0]) is bool(more)


def together(*clients: Client) -> Application:
    """Exports of 2 MiB under way at once, until all wait for their ends."""
    application = Application()
    front = Front(application, threads=1)
    asked = scope("/otlp/v1/logs", authorization=KEY, transfer_encoding=b"chunked")

    async def all_of_them():
        calls = []
        for client in clients:
            calls.append(asyncio.create_task(front(asked, client.receive, client.send)))
            await asyncio.sleep(0.05)
        await asyncio.gather(*calls)

    asyncio.run(all_of_them())
    return application


def test_large_bodies_of_strangers_have_one_room(monkeypatch):
    monkeypatch.setattr(bodies, "SECONDS", 0.3)
    held = Client([b"x" * MIB] * 2, ends=False)
    refused, small = Client([b"x" * MIB] * 2), Client([b"{}"])
    application = together(held, refused, small)
    assert (held.status, refused.status, small.status) == (408, 503, 200)
    assert int(refused.headers[b"retry-after"]) >= 1
    assert application.bodies == [b"{}"]


def test_large_bodies_have_four_rooms(monkeypatch):
    monkeypatch.setattr(bodies, "SECONDS", 0.5)
    monkeypatch.setattr("config.front.clients.is_known", lambda digest: True)
    held = [Client([b"x" * MIB] * 2, ends=False) for _ in range(bodies.MOST_LARGE)]
    refused = Client([b"x" * MIB] * 2)
    together(*held, refused)
    assert [client.status for client in held] == [408] * bodies.MOST_LARGE
    assert refused.status == 503
