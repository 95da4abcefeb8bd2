"""X1, X5, X7: running calls count against what is left, so a cap is passed by one call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from extra_usage_client import Call, ExtraUsage, Options
from extra_usage_client.board import Board
from extra_usage_client.costs import TypicalCosts
from extra_usage_client.leases import Lease, Leases

from tests.gateways.fake import KEY, FakeServer, options, running
from tests.gateways.test_asks import BOB, with_client

CENT = 10_000_000  # of nano-USD
DUE = 8  # calls of $0.0014 until $0.01 is passed
SLOW = 0.02  # seconds that a call takes


async def one_call(client: ExtraUsage, number: int, *, seconds: float = SLOW) -> Call:
    """Ask, work for a while, report."""
    call = await client.ask(BOB, model="m")
    if call.allowed:
        await asyncio.sleep(seconds)
        client.report(call, id=f"event-{number}", usage={"input_tokens": 1})
    return call


@pytest.mark.parametrize("at_once", [1, 8, 30])
@pytest.mark.parametrize("go", [1, 2, 3])
def test_a_cap_lets_as_many_calls_pass_as_are_due(tmp_path, at_once, go):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        lanes = asyncio.Semaphore(at_once)

        async def call(number: int) -> Call:
            async with lanes:
                return await one_call(client, number)

        calls = await asyncio.gather(*(call(number) for number in range(60)))
        assert sum(one.allowed for one in calls) == DUE
        assert {one.answer.reason for one in calls if not one.allowed} == {"member_cap"}
        assert await client.flush()
        assert len(server.events) == DUE

    with_client(test, tmp_path, FakeServer(cap=CENT))


def test_without_headroom_in_the_answer_nothing_is_counted(tmp_path):
    """A server that does not say what is left: the control of the test above."""

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        calls = await asyncio.gather(*(one_call(client, n) for n in range(30)))
        assert sum(call.allowed for call in calls) == 30

    with_client(test, tmp_path, FakeServer(cap=CENT, answer={"remaining_usd": None}))


def test_far_from_a_limit_nobody_waits(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        calls = await asyncio.gather(*(one_call(client, n) for n in range(100)))
        assert all(call.allowed for call in calls)
        assert client.metrics.near_limit_waits == 0

    with_client(test, tmp_path, FakeServer(cap=100 * 10**9))


def test_who_waits_longer_than_may_be_is_refused_with_a_sentence(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        running_one = await client.ask(BOB)
        assert running_one.allowed
        call = await client.ask(BOB)
        assert (call.allowed, call.answer.reason) == (False, "near_limit")
        assert "may use up the $0.01 that is left" in call.answer.sentence
        client.cancel(running_one)
        assert (await client.ask(BOB)).allowed
        assert (await client.ask("eve@acme.example")).allowed

    with_client(test, tmp_path, FakeServer(cap=CENT), near_limit_wait=0.2)


def test_included_and_extra_usage_that_are_left_count_together(tmp_path):
    answer = {"funding": "included", "remaining_usd": "0.00"}
    server = FakeServer(answer={**answer, "window_remaining_usd": "0.01"})

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert (await client.ask(BOB)).answer.headroom_nanos == CENT
        assert (await client.ask(BOB)).answer.reason == "near_limit"
        server.answer = {**answer, "remaining_usd": "5.00"}
        server.answer["window_remaining_usd"] = "0.01"
        assert (await client.ask(BOB)).allowed

    with_client(test, tmp_path, server, near_limit_wait=0)


def test_a_host_gives_its_calls_only_its_share(tmp_path):
    """Of $1 with calls of $0.05 that are not known yet: 20 on one host, 5 on one of 4."""

    async def passed(hosts: int) -> int:
        server = FakeServer(cap=10**9)
        folder = tmp_path / str(hosts)
        more = {"hosts": hosts, "near_limit_wait": 0}
        async with (
            running(server),
            ExtraUsage(options(server, folder, **more)) as client,
        ):
            calls = await asyncio.gather(*(client.ask(BOB) for _ in range(40)))
            return sum(call.allowed for call in calls)

    assert asyncio.run(passed(1)) == 20
    assert asyncio.run(passed(4)) == 5


def test_what_settles_during_an_ask_counts_as_running(tmp_path):
    """The answer may be of the moment before."""
    board = Board(tmp_path / "a.running", lambda name: False)
    board.started(BOB, 5)
    settled = board.settled_so_far(BOB)
    board.settled(BOB, 5)
    assert board.outstanding(BOB, settled=settled) == 5
    assert board.outstanding(BOB, settled=board.settled_so_far(BOB)) == 0
    assert board.outstanding("eve@acme.example", settled=0) == 0


def test_processes_of_a_host_see_each_others_calls(tmp_path):
    living = {"a", "b"}
    one = Board(tmp_path / "a.running", living.__contains__)
    other = Board(tmp_path / "b.running", living.__contains__)
    other.started(BOB, 7)
    assert one.outstanding(BOB, settled=one.settled_so_far(BOB)) == 7
    other.settled(BOB, 7)
    assert one.outstanding(BOB, settled=one.settled_so_far(BOB)) == 0
    other.started(BOB, 7)
    living.remove("b")
    one._looked_at = 0.0
    assert one.outstanding(BOB, settled=0) == 0


def test_a_call_of_another_process_holds_up_for_no_longer_than_may_be(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        other = ExtraUsage(client.options)
        await other.start()
        assert (await other.ask(BOB)).allowed
        calls = await asyncio.gather(*(client.ask(BOB) for _ in range(5)))
        assert [call.allowed for call in calls].count(True) == 1
        await other.close()

    with_client(test, tmp_path, FakeServer(cap=CENT), near_limit_wait=0.3)


WORKER = """
import asyncio, sys
from pathlib import Path
from extra_usage_client import ExtraUsage, Options
from tests.gateways.test_near_limit import one_call
async def main(address, spool, first):
    options = Options(address=address, key="xu_x", spool=Path(spool))
    async with ExtraUsage(options) as client:
        numbers = range(int(first), int(first) + 30)
        calls = await asyncio.gather(*(one_call(client, n) for n in numbers))
        print(sum(call.allowed for call in calls))
asyncio.run(main(*sys.argv[1:]))
"""


def test_two_processes_pass_a_cap_by_two_calls_at_most(tmp_path):
    async def run() -> list[int]:
        server = FakeServer(cap=CENT)
        async with running(server):
            started = [
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-c", WORKER, server.address, str(tmp_path), str(first)),
                    stdout=subprocess.PIPE,
                    env={"PYTHONPATH": ":".join(sys.path)},
                )
                for first in (0, 100)
            ]
            said = [(await one.communicate())[0] for one in started]
            assert len(server.events) == sum(map(int, said))
        return [int(one) for one in said]

    passed = asyncio.run(run())
    assert DUE <= sum(passed) <= DUE + 1, passed


def test_a_call_that_nobody_ended_counts_for_an_hour(tmp_path, monkeypatch):
    monkeypatch.setattr("extra_usage_client.client.TIDY_EVERY", 0.05)
    monkeypatch.setattr("extra_usage_client.calls.LIFETIME", 0.1)

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert (await client.ask(BOB)).allowed
        assert (await client.ask(BOB)).allowed  # waits for the first one's end

    with_client(test, tmp_path, FakeServer(cap=CENT), near_limit_wait=10)


def test_costs_are_learned_by_member_and_model():
    costs = TypicalCosts(50)
    assert costs.of(BOB, "m") == 50
    costs.note(BOB, "m", 1_000)
    assert (costs.of(BOB, "m"), costs.of("eve", "m")) == (1_000, 1_000)
    assert costs.of(BOB, "other") == 50
    costs.note("eve", "m", 2_600)
    assert (costs.of(BOB, "m"), costs.of("eve", "m")) == (1_000, 2_600)
    costs.note(BOB, "m", 5_000)
    assert costs.of(BOB, "m") == 2_000
    costs.note(BOB, "m", 400)
    assert costs.of(BOB, "m") == 1_900


LEASE = {"lease": {"usd": "0.50", "seconds": 20}, "remaining_usd": "10.00"}


def test_x5_under_a_lease_nobody_is_asked_until_it_is_used_up(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.cost = 50_000_000  # ten calls of $0.05 are in it
        for number in range(10):
            call = await client.ask(BOB, model="m")
            assert call.answer.said == ("server" if number == 0 else "lease")
            client.report(call, id=f"{number}", usage={"input_tokens": 1})
            assert await client.flush()
        assert len(server.asks) == 1
        assert server.asks[0]["lease"] is True
        assert (await client.ask(BOB, model="m")).answer.said == "server"
        events = list(server.events.values())
        assert [event.get("authorization") for event in events[:2]] == [
            "promise-1",
            None,
        ]
        assert client.metrics.leased == 9

    with_client(test, tmp_path, FakeServer(answer=LEASE), leases=True)


def test_x5_without_the_option_a_lease_is_neither_asked_for_nor_used(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        for _ in range(3):
            assert (await client.ask(BOB)).answer.said == "server"
        assert "lease" not in server.asks[0]

    with_client(test, tmp_path, FakeServer(answer=LEASE))


def test_x5_a_lease_ends_with_its_time_and_of_many_at_once_one_holds():
    leases = Leases()
    leases.keep(BOB, Lease(100, 5.0), funding=None, asked_at=0.0)
    assert leases.take(BOB, 60, now=1.0) == "extra_usage"
    leases.keep(BOB, Lease(100, 5.0), funding=None, asked_at=1.0)
    assert leases.take(BOB, 60, now=1.0) is None
    leases.keep(BOB, Lease(100, 5.0), funding="included", asked_at=2.0)
    assert leases.take(BOB, 60, now=6.9) == "included"
    leases.spent(BOB, -60)
    assert leases.take(BOB, 60, now=6.9) == "included"
    assert leases.take(BOB, 1, now=7.0) is None


def test_options_of_a_lease_are_off_unless_set():
    assert Options(address="http://x", key=KEY, spool=Path("x")).leases is False
