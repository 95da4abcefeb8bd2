"""X7: far from every limit reports gather for a moment; whoever waits for them does not."""

from __future__ import annotations

import asyncio
import time

import pytest
from extra_usage_client import ExtraUsage, sending

from tests.gateways.fake import FakeServer, until
from tests.gateways.test_asks import with_client

BOB = "bob@acme.example"
USUAL = {"input_tokens": 100, "output_tokens": 50}
COST = 1_400_000  # nano-USD, of the fake server's calls


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "GATHER", 3_600.0)


async def reported(client: ExtraUsage, *ids: str, tokens: int = 150) -> None:
    """Calls one after the other."""
    for id in ids:
        call = await client.ask(BOB, model="m")
        client.report(call, id=id, usage={"input_tokens": tokens})


async def warm(client: ExtraUsage, server: FakeServer) -> None:
    """What calls usually cost and hold is known, and a batch was just sent."""
    for number in range(3):
        await reported(client, f"warm-{number}")
        await client.flush()
    server.batches.clear()


def test_far_from_a_limit_reports_gather_into_one_batch(tmp_path, monkeypatch):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await warm(client, server)
        monkeypatch.setattr(sending, "GATHER", 0.3)
        await reported(client, "one")  # ends the moment that began with the last batch
        client._sender.hurry()
        await until(lambda: server.batches == [1], "The first report")
        await reported(client, *"abcdefghij")
        assert server.batches == [1]
        await until(lambda: server.batches == [1, 10], "The batch")

    with_client(test, tmp_path, FakeServer(cap=None))


@pytest.mark.parametrize("cap", [None, 200 * COST])
def test_far_from_a_limit_nobody_is_told_at_once(tmp_path, cap):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await warm(client, server)
        await reported(client, "a", "b")
        await asyncio.sleep(0.2)
        assert server.batches == []

    with_client(test, tmp_path, FakeServer(cap=cap))


def test_close_to_a_limit_each_call_is_reported_at_once(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await warm(client, server)
        for number in range(3):
            await reported(client, f"{number}")
            await until(lambda: len(server.events) == 4 + number, "The report")  # noqa: B023

    with_client(test, tmp_path, FakeServer(cap=90 * COST))


def test_a_call_far_larger_than_usual_is_reported_at_once(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await warm(client, server)
        await reported(client, "usual", tokens=300)
        await asyncio.sleep(0.1)
        assert server.batches == []
        await reported(client, "large", tokens=30_000)
        await until(lambda: server.batches == [2], "The report")

    with_client(test, tmp_path, FakeServer(cap=200 * COST))


def test_a_call_that_waits_for_running_ones_waits_for_no_moment(tmp_path):
    """Near the limit only by the number of calls that run at once."""

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await warm(client, server)
        running = [await client.ask(BOB, model="m") for _ in range(117)]
        await asyncio.sleep(0)
        waiting = asyncio.create_task(client.ask(BOB, model="m"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        server.cost = COST // 2
        for number, call in enumerate(running[:5]):
            client.report(call, id=f"{number}", usage={"input_tokens": 150})
            await asyncio.sleep(0.05)
        began = time.monotonic()
        assert (await asyncio.wait_for(waiting, 5)).allowed
        assert time.monotonic() - began < 5
        assert len(server.events) > 3

    with_client(test, tmp_path, FakeServer(cap=120 * COST))


def test_at_the_end_nothing_waits_for_the_moment_to_pass(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await warm(client, server)
        await reported(client, "a", "b")
        began = time.monotonic()
        assert await client.flush()
        assert time.monotonic() - began < 5
        assert server.batches == [2]

    with_client(test, tmp_path, FakeServer())
