"""X1, X6, X7: a cap holds at any load, nothing is lost at an end, and an outage of the
product holds up nobody. Prints its figures.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from pathlib import Path

import aiohttp
import pytest

from tests.doors.server import children
from tests.peers.calls import Outcome, many, message, passed
from tests.peers.stage import (
    BOB,
    Product,
    Proxy,
    cap_above_spent,
    proxy,
    settle,
    wait_for,
)

pytestmark = pytest.mark.peers
ADA = "ada@acme.example"
DUE = 8  # calls of $0.00141 until $0.01 is passed
AWAY = 30.0  # seconds


@pytest.fixture
def capped(server: Product):
    """Gives Bob a cent to spend; needs a server that says what is left."""
    question = {"member": BOB, "surface": "claude"}
    if "remaining_usd" not in server.call("POST", "/authorize", question):
        pytest.skip("the server does not say what is left")
    yield lambda: cap_above_spent(server)
    server.cap(None)


@pytest.mark.parametrize("go", [1, 2, 3])
@pytest.mark.parametrize("at_once", [1, 8, 30])
def test_as_many_calls_pass_a_cap_as_are_due(litellm, capped, at_once, go):
    capped()
    count = passed(asyncio.run(many([litellm], count=40, at_once=at_once)))
    print(f"\n{at_once} at once: {count} of {DUE} passed")
    assert DUE <= count <= DUE + 1


def test_two_proxies_on_a_host_pass_a_cap_by_two_calls_at_most(
    litellm, capped, server, provider
):
    with proxy(litellm.folder.parent / "two", server, provider) as other:
        for _ in range(3):
            capped()
            count = passed(asyncio.run(many([litellm, other], count=60, at_once=15)))
            print(f"\ntwo processes: {count} of {DUE} passed")
            assert DUE <= count <= DUE + 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
def test_an_end_loses_what_litellm_had_not_handed_over_at_most(
    tmp_path: Path, server: Product, provider: str, how: signal.Signals, is_busy: bool
):
    async def run(one: Proxy) -> int:
        if not is_busy:
            return passed(await many([one], count=150, at_once=8))
        done: list[Outcome] = []
        load = asyncio.create_task(many([one], count=400, at_once=8, done=done))
        while len(done) < 150:
            await asyncio.sleep(0.01)
        assert one.process is not None
        one.process.send_signal(how)
        return passed(await load)

    before = settle(server.events)
    with proxy(tmp_path / "one", server, provider) as one:
        count = asyncio.run(run(one))
        one.stop(how)
        at_its_end = settle(server.events) - before
        one.start()  # takes over what waited
        recorded = settle(server.events, still=3) - before
    lost = count - recorded
    print(
        f"\n{how.name}, {'busy' if is_busy else 'idle'}: {count} answered,"
        f" {at_its_end} recorded at its end, {recorded} in the end, {lost} lost"
    )
    # A call that the client saw broken off may be recorded all the same.
    assert lost <= (0 if how == signal.SIGTERM else 8)


def frozen(server: Product, how: signal.Signals) -> None:
    """Stop the product's processes, or let them go on."""
    for pid in [server.process.pid, *children(server.process.pid)]:
        os.kill(pid, how)


def test_x6_thirty_seconds_without_the_product(litellm: Proxy, server: Product):
    usual: list[Outcome] = []
    away: list[Outcome] = []
    refused: list[Outcome] = []

    async def lane(
        session: aiohttp.ClientSession, kept: list[Outcome], end: float
    ) -> None:
        while time.monotonic() < end:
            kept.append(await message(session, litellm, key=ADA))

    async def load(kept: list[Outcome], seconds: float) -> None:
        end = time.monotonic() + seconds
        async with aiohttp.ClientSession() as session:
            lanes = [lane(session, kept, end) for _ in range(4)]
            await asyncio.gather(*lanes)

    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            assert (await message(session, litellm)).status == 402
            await load(usual, 10)
            frozen(server, signal.SIGSTOP)
            try:
                bobs = [message(session, litellm) for _ in range(40)]
                one = asyncio.create_task(load(away, AWAY))
                await asyncio.sleep(5)
                refused.extend(await asyncio.gather(*bobs))
                await one
            finally:
                frozen(server, signal.SIGCONT)

    server.cap("0.00")
    before = settle(server.events)
    asyncio.run(run())
    server.cap(None)
    count = passed(usual) + passed(away)
    wait_for(lambda: server.events() - before >= count, "All calls", litellm)
    recorded = settle(server.events, still=3) - before
    slow = sum(outcome.seconds > 1 for outcome in away)
    print(
        f"\nusual p50 {p50(usual)} ms of {len(usual)}; away p50 {p50(away)} ms of"
        f" {len(away)}, {slow} of them over 1 s; {passed(refused)} of 40 refused passed;"
        f" {count} passed, {recorded} recorded"
    )
    assert passed(away) == len(away)
    assert passed(refused) == 0
    assert recorded == count
    assert slow < 20


def p50(outcomes: list[Outcome]) -> int:
    """Milliseconds."""
    return round(statistics.median(outcome.seconds for outcome in outcomes) * 1_000)
