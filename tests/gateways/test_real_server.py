"""X6, X7: the client and the real web process, with its faults."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from extra_usage_client import ExtraUsage, Options

from tests.doors.server import children
from tests.peers.stage import BOB, Product, cap_above_spent, product

SONNET = "claude-sonnet-4-5"
ALICE = "alice@acme.example"
CALL = {"input_tokens": 100, "output_tokens": 74}  # $0.00141
DUE = 8  # of them until $0.01 is passed


@dataclass
class Stage:
    """A server, and clients of it that share a spool."""

    server: Product
    spool: Path

    def client(self, **more: Any) -> ExtraUsage:
        """A client, not started yet."""
        more = {"key": self.server.key, **more}
        return ExtraUsage(
            Options(address=self.server.address, spool=self.spool, **more)
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A server on SQLite for all tests here."""
    with product(tmp_path_factory.mktemp("product")) as server:
        yield server


@pytest.fixture
def stage(server: Product, tmp_path: Path) -> Stage:
    """The server and an empty spool."""
    return Stage(server, tmp_path / "spool")


async def one_call(client: ExtraUsage, id: str, member: str = BOB) -> bool:
    """Ask, work for a moment, report."""
    call = await client.ask(member, surface="claude_code", model=SONNET)
    if call.allowed:
        await asyncio.sleep(0.02)
        client.report(call, id=id, usage=CALL)
    return call.allowed


def test_calls_are_recorded_at_their_cost_and_refusals_told(stage):
    async def run() -> None:
        async with stage.client() as client:
            assert await one_call(client, "one")
            assert await client.flush()
            stranger = await client.ask("x@nowhere.example", model=SONNET)
            assert stranger.answer.reason == "member_not_found"
            stage.server.cap("0.00")
            call = await client.ask(BOB)
            asked = {"member": BOB, "surface": "claude"}
            told = stage.server.call("POST", "/authorize", asked)
            assert call.answer.sentence == told["message"]
            assert call.answer.reason == told["reason"]
        assert client.metrics.set_aside == 0

    asyncio.run(run())
    assert stage.server.spent() == "0.001410000"
    assert stage.server.usage()[0]["surface"] == "claude_code"
    stage.server.cap(None)


def test_ids_that_come_again_are_recorded_once(stage):
    moment = dt.datetime.now(dt.UTC)

    async def run() -> None:
        async with stage.client() as client:
            call = await client.ask(BOB, model=SONNET)
            for _ in range(3):
                client.report(call, id="again", usage=CALL, occurred_at=moment)
            client.report(call, id="odd", usage={"tokens": 5})
            assert await client.flush()
            assert client.metrics.as_dict().items() >= {
                ("recorded", 1),
                ("duplicates", 2),
                ("set_aside", 1),
            }

    before = stage.server.events()
    asyncio.run(run())
    assert stage.server.events() == before + 1


def test_a_wrong_key_keeps_reports_until_the_right_one_sends_them(stage):
    async def run() -> None:
        async with stage.client(key="xu_wrong", flush_timeout=0.2) as client:
            assert await one_call(client, "kept")
            assert not await client.flush(0.5)
            assert client.metrics.key_refused >= 1
        async with stage.client() as client:
            assert client.metrics.taken_over == 1
            assert await client.flush()

    before = stage.server.events()
    asyncio.run(run())
    assert stage.server.events() == before + 1


def pause(server: Product, how: signal.Signals) -> None:
    """Stop the server's processes, or let them go on."""
    for pid in [server.process.pid, *children(server.process.pid)]:
        os.kill(pid, how)


def test_x6_while_the_server_hangs_calls_go_on_and_a_no_holds(stage):
    async def run() -> None:
        stage.server.cap("0.00", "ada@acme.example")
        async with stage.client() as client:
            assert not await one_call(client, "no", "ada@acme.example")
            pause(stage.server, signal.SIGSTOP)
            try:
                loop = asyncio.get_running_loop()
                began = loop.time()
                for number in range(50):
                    assert await one_call(client, f"event-{number}")
                assert loop.time() - began < 10
                assert not await one_call(client, "no", "ada@acme.example")
            finally:
                pause(stage.server, signal.SIGCONT)
            assert await client.flush(60)

    before = stage.server.events()
    asyncio.run(run())
    assert stage.server.events() == before + 50


@pytest.mark.parametrize("at_once", [1, 30])
def test_x1_a_cap_lets_as_many_calls_pass_as_are_due(stage, at_once):
    asked = {"member": BOB, "surface": "claude"}
    if "remaining_usd" not in stage.server.call("POST", "/authorize", asked):
        pytest.skip("the server does not say what is left")

    async def run() -> int:
        lanes = asyncio.Semaphore(at_once)
        async with stage.client() as client:

            async def call(number: int) -> bool:
                async with lanes:
                    return await one_call(client, f"{at_once}-{number}", ALICE)

            return sum(await asyncio.gather(*(call(n) for n in range(40))))

    cap_above_spent(stage.server, ALICE)
    before = stage.server.events()
    assert asyncio.run(run()) == DUE
    assert stage.server.events() == before + DUE
