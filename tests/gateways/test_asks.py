"""X6, X7: what the client makes of answers, of no answer, and of none for long."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from extra_usage_client import BadOption, ExtraUsage, Options, options_from_environment
from extra_usage_client.memory import Bounded, Breaker

from tests.gateways.fake import KEY, SENTENCE, FakeServer, options, running

BOB = "bob@acme.example"
Test = Callable[[ExtraUsage, FakeServer], Awaitable[None]]


def with_client(test: Test, spool: Path, server: FakeServer, **more: Any) -> None:
    """Run a test with a client of a server of its own."""

    async def run() -> None:
        async with (
            running(server),
            ExtraUsage(options(server, spool, **more)) as client,
        ):
            await test(client, server)

    asyncio.run(run())


def test_an_allowed_call_keeps_its_promise_and_reports_it(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        call = await client.ask(BOB, surface="claude_code", model="m")
        assert (call.allowed, call.answer.said) == (True, "server")
        client.report(call, id="one", usage={"input_tokens": 1}, labels={"p": "q"})
        assert await client.flush()
        event = server.events["one"]
        assert event["authorization"] == "promise-1"
        assert (event["member"], event["surface"]) == (BOB, "claude_code")
        assert (event["source"], event["labels"]) == ("gateway", {"p": "q"})
        assert dt.datetime.fromisoformat(event["occurred_at"]).tzinfo is not None
        assert server.asks == [{"member": BOB, "surface": "claude_code", "model": "m"}]

    with_client(test, tmp_path, FakeServer())


def test_a_refusal_is_told_with_its_sentence(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        call = await client.ask(BOB)
        assert not call.allowed
        assert call.answer.sentence == SENTENCE
        assert call.answer.reason == "member_cap"

    with_client(test, tmp_path, FakeServer(cap=0))


def test_a_member_whom_the_server_does_not_know_is_refused_with_its_words(tmp_path):
    problem = {"code": "member_not_found", "detail": "No member “x”."}

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = lambda path, body: web.json_response(problem, status=404)
        call = await client.ask("x")
        assert not call.allowed
        assert call.answer.sentence == "No member “x”."
        assert call.answer.reason == "member_not_found"
        assert client.metrics.ask_failures == 0

    with_client(test, tmp_path, FakeServer())


@pytest.mark.parametrize(
    "policy, funding, is_allowed",
    [
        ("allow", "extra_usage", True),
        ("refuse", "included", False),
        ("allow_included", "included", True),
        ("allow_included", "extra_usage", False),
    ],
)
def test_x6_without_an_answer_the_policy_holds(tmp_path, policy, funding, is_allowed):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert (await client.ask(BOB)).allowed
        server.fault = lambda path, body: web.Response(status=503)
        call = await client.ask(BOB)
        assert (call.allowed, call.answer.said) == (is_allowed, "outage")
        assert is_allowed or "Try again in a minute" in call.answer.sentence

    server = FakeServer(answer={"funding": funding})
    with_client(test, tmp_path, server, on_outage=policy)


@pytest.mark.parametrize(
    "resets_at, is_allowed",
    [("2099-12-01T05:00:00Z", False), (None, False), ("2020-12-01T05:00:00Z", True)],
)
def test_x6_a_no_holds_on_through_an_outage_until_it_is_over(
    tmp_path, resets_at, is_allowed
):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert not (await client.ask(BOB)).allowed
        server.fault = lambda path, body: web.Response(status=500)
        call = await client.ask(BOB)
        assert call.allowed == is_allowed
        assert is_allowed or call.answer.sentence == SENTENCE
        assert (await client.ask("eve@acme.example")).allowed

    server = FakeServer(cap=0, answer={"resets_at": resets_at})
    with_client(test, tmp_path, server)


def test_a_no_that_was_taken_back_is_forgotten(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert not (await client.ask(BOB)).allowed
        server.cap = 10**9
        assert (await client.ask(BOB)).allowed
        server.fault = lambda path, body: web.Response(status=500)
        assert (await client.ask(BOB)).allowed

    with_client(test, tmp_path, FakeServer(cap=0))


def test_few_calls_meet_the_time_out_and_none_waits_behind_them(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.gate = asyncio.Event()
        calls = [await client.ask(BOB) for _ in range(200)]
        assert all(call.allowed for call in calls)
        assert len(server.asks) == Breaker.FAILURES
        assert client.metrics.outage_allowed == 200
        assert client.metrics.breaker_open == 1
        server.gate.set()
        await asyncio.sleep(Breaker.FIRST)
        assert (await client.ask(BOB)).answer.said == "server"
        assert client.metrics.breaker_open == 0

    with_client(test, tmp_path, FakeServer(), timeout=0.05)


def test_the_breaker_lets_one_try_at_a_time_and_pauses_longer_each_time():
    breaker = Breaker()
    for _ in range(Breaker.FAILURES):
        assert breaker.lets_ask(0.0)
        breaker.failed(0.0)
    assert not breaker.lets_ask(0.9)
    assert breaker.lets_ask(1.0)
    assert not breaker.lets_ask(1.0)
    breaker.failed(2.0)
    assert not breaker.lets_ask(2.9)
    assert breaker.lets_ask(3.1)
    breaker.failed(3.1)
    assert not breaker.lets_ask(5.0)
    assert breaker.lets_ask(5.2)
    breaker.answered()
    assert breaker.lets_ask(5.2)
    assert breaker.lets_ask(5.2)


def test_an_ask_that_its_caller_left_does_not_keep_others_from_asking(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = lambda path, body: web.Response(status=500)
        for _ in range(Breaker.FAILURES):
            await client.ask(BOB)
        await asyncio.sleep(Breaker.FIRST)
        server.gate = asyncio.Event()
        left = asyncio.create_task(client.ask(BOB))
        await asyncio.sleep(0.1)
        left.cancel()
        server.gate, server.fault = None, lambda path, body: None
        await asyncio.sleep(Breaker.FIRST * 2)
        assert (await client.ask(BOB)).answer.said == "server"

    with_client(test, tmp_path, FakeServer())


def test_a_kept_connection_that_is_closed_on_us_is_asked_once_more(tmp_path):
    """As a server does whose worker ended: it answers a connection's first ask alone."""
    connections = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"}")
        body = b'{"allowed": true}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await reader.readuntil(b"}")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        fake = FakeServer(address=f"http://{host}:{port}")
        async with server, ExtraUsage(options(fake, tmp_path)) as client:
            for _ in range(3):
                assert (await client.ask(BOB)).answer.said == "server"
            assert client.metrics.ask_failures == 0
            assert len(connections) == 3

    asyncio.run(run())


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'{"allowed": "yes"}', b"[" * 100_000, b"\xff", b"x" * 9**8],
    ids=["empty", "null", "nothing", "text", "deep", "bytes", "long"],
)
def test_an_answer_that_is_none_counts_as_none(tmp_path, body):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = lambda path, sent: web.Response(body=body)
        call = await client.ask(BOB)
        assert (call.allowed, call.answer.said) == (True, "outage")

    with_client(test, tmp_path, FakeServer(), timeout=5)


def test_strange_amounts_and_times_are_taken_for_none(tmp_path):
    strange = {
        "remaining_usd": "NaN",
        "resets_at": "soon",
        "lease": {"usd": "1e999", "seconds": -1},
        "funding": 5,
    }

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        call = await client.ask(BOB)
        assert call.allowed
        assert call.answer.headroom_nanos is None
        assert (call.answer.lease, call.answer.funding) == (None, None)

    with_client(test, tmp_path, FakeServer(answer=strange), leases=True)


def test_neither_key_nor_member_is_logged(tmp_path, caplog, monkeypatch):
    # Django's settings, set up anew by other tests, silence loggers that they don't name.
    monkeypatch.setattr(logging.getLogger("extra_usage_client"), "disabled", False)
    monkeypatch.setattr(logging.getLogger("extra_usage_client"), "propagate", True)

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = lambda path, body: web.Response(status=401)
        call = await client.ask(BOB)
        client.report(call, id="one", usage={"input_tokens": 1})
        await client.flush(0.3)
        assert client.metrics.key_refused >= 1

    with caplog.at_level(logging.DEBUG, logger="extra_usage_client"):
        with_client(test, tmp_path, FakeServer(), flush_timeout=0.1)
    assert "The key is refused" in caplog.text
    assert KEY not in caplog.text
    assert BOB not in caplog.text
    assert KEY not in repr(Options(address="http://x", key=KEY))


def test_what_is_remembered_is_bounded():
    kept: Bounded[int, int] = Bounded(3)
    for number in range(10):
        kept[number] = number
    assert list(kept) == [7, 8, 9]


@pytest.mark.parametrize(
    "environ, said",
    [
        ({}, "EXTRA_USAGE_URL: is not set"),
        ({"EXTRA_USAGE_URL": "usage.acme"}, "EXTRA_USAGE_KEY: is not set"),
        ({"EXTRA_USAGE_URL": "usage.acme", "EXTRA_USAGE_KEY": "x"}, "address"),
        ({"EXTRA_USAGE_URL": "http://u:p@x", "EXTRA_USAGE_KEY": "x"}, "address"),
        ({"EXTRA_USAGE_ON_OUTAGE": "pray"}, "on_outage: must be one of allow,"),
        ({"EXTRA_USAGE_TIMEOUT": "soon"}, "EXTRA_USAGE_TIMEOUT: must be a number"),
        ({"EXTRA_USAGE_LEASES": "maybe"}, "EXTRA_USAGE_LEASES: must be true or"),
        ({"EXTRA_USAGE_FIRST_COST_USD": "-1"}, "must be an amount of USD"),
    ],
)
def test_settings_that_cannot_be_meant_say_so(environ, said):
    whole = {"EXTRA_USAGE_URL": "http://x", "EXTRA_USAGE_KEY": "x"}
    given = environ if "EXTRA_USAGE_URL" in environ or not environ else whole | environ
    with pytest.raises(BadOption, match=said):
        options_from_environment(given)


def test_all_settings_come_from_the_environment():
    read = options_from_environment(
        {
            "EXTRA_USAGE_URL": "https://usage.acme.example/base/",
            "EXTRA_USAGE_KEY": KEY,
            "EXTRA_USAGE_SPOOL": "/var/spool/x",
            "EXTRA_USAGE_ON_OUTAGE": "refuse",
            "EXTRA_USAGE_TIMEOUT": "2.5",
            "EXTRA_USAGE_LEASES": "true",
            "EXTRA_USAGE_HOSTS": "3",
            "EXTRA_USAGE_FIRST_COST_USD": "0.25",
            "EXTRA_USAGE_NEAR_LIMIT_WAIT": "9",
            "EXTRA_USAGE_FLUSH_TIMEOUT": "4",
            "EXTRA_USAGE_SYNC_EVERY": "0.5",
        }
    )
    assert read == Options(
        address="https://usage.acme.example/base/",
        key=KEY,
        spool=Path("/var/spool/x"),
        on_outage="refuse",
        timeout=2.5,
        leases=True,
        hosts=3,
        first_cost_nanos=250_000_000,
        near_limit_wait=9,
        flush_timeout=4,
        sync_every=0.5,
    )
    assert read.url("usage") == "https://usage.acme.example/base/api/v1/usage"


def test_n5_who_waits_for_their_own_yes_is_told_where_to_say_it(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        answer = (await client.ask(BOB)).answer
        assert answer.continue_url == "https://usage.example/o/acme/usage/#continue"
        assert answer.sentence == f"{SENTENCE} {answer.continue_url}"

    waits = {
        "reason": "confirmation_needed",
        "continue_url": "https://usage.example/o/acme/usage/#continue",
    }
    with_client(test, tmp_path, FakeServer(cap=0, answer=waits))


@pytest.mark.parametrize(
    ("sent", "told"), [(True, True), (False, False), (None, False)]
)
def test_n5_an_answer_says_that_extra_usage_begins(tmp_path, sent, told):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert (await client.ask(BOB)).answer.changeover is told

    with_client(test, tmp_path, FakeServer(answer={"changeover": sent}))
