"""X6, X7: reports arrive once each, whatever the server answers and whoever is killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from aiohttp import web
from extra_usage_client import ExtraUsage, sending
from extra_usage_client.metrics import Metrics
from extra_usage_client.spool import Spool

from tests.gateways.fake import FakeServer, options, running, until
from tests.gateways.test_asks import BOB, with_client


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.05)


async def report(client: ExtraUsage, *ids: str, model: str = "m") -> None:
    """Calls that are asked about and reported."""
    for id in ids:
        call = await client.ask(BOB, model=model)
        client.report(call, id=id, usage={"input_tokens": 1})


def test_idle_it_reports_at_once_and_busy_in_growing_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(sending, "GATHER", 0.01)

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await report(client, "first")
        await until(lambda: server.batches == [1], "The first report")
        server.gate = asyncio.Event()
        client.report(
            await ask_later(client, server), id="second", usage={"input_tokens": 1}
        )
        await asyncio.sleep(0.1)
        call = await ask_later(client, server)
        for number in range(2_500):
            client.report(call, id=f"{number}", usage={"input_tokens": 1})
        server.gate.set()
        assert await client.flush()
        assert server.batches == [1, 1, 1_000, 1_000, 500]

    async def ask_later(client: ExtraUsage, server: FakeServer) -> Any:
        gate, server.gate = server.gate, None
        call = await client.ask(BOB)
        server.gate = gate
        return call

    with_client(test, tmp_path, FakeServer())


def test_a_batch_stays_below_a_mebibyte(tmp_path):
    sizes = []

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = lambda path, body: (
            sizes.append(len(json.dumps(body))) if path == "usage" else None
        )
        call = await client.ask(BOB)
        for number in range(60):
            labels = {"l": "x" * 50_000}
            client.report(
                call, id=f"{number}", usage={"input_tokens": 1}, labels=labels
            )
        assert await client.flush()
        assert len(server.events) == 60

    with_client(test, tmp_path, FakeServer())
    assert len(sizes) > 2
    assert max(sizes) < 1_048_576


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_what_is_not_taken_is_sent_again_until_it_is(tmp_path, status):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await report(client, "zero")
        assert await client.flush()
        server.fault = lambda path, body: (
            web.Response(status=status) if path == "usage" else None
        )
        await report(client, *map(str, range(20)))
        await until(lambda: client.metrics.report_failures > 12, "Many tries")
        server.fault = lambda path, body: None
        assert await client.flush()
        assert len(server.events) == 21
        assert client.metrics.set_aside == 0
        assert bool(client.metrics.key_refused) == (status in (401, 403))

    with_client(test, tmp_path, FakeServer())


def test_the_server_says_when_to_come_again(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        wait = {"Retry-After": "1"}
        tries = []

        def fault(path: str, body: Any) -> web.Response | None:
            if path != "usage":
                return None
            tries.append(asyncio.get_running_loop().time())
            return web.Response(status=503, headers=wait) if len(tries) < 3 else None

        server.fault = fault
        await report(client, "one")
        assert await client.flush()
        waits = [after - before for before, after in itertools.pairwise(tries)]
        assert len(waits) == 2
        assert min(waits) >= 0.99

    with_client(test, tmp_path, FakeServer())


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_poisoned_event_is_found_set_aside_and_stops_no_other(tmp_path, status):
    def fault(path: str, body: Any) -> web.Response | None:
        if path == "usage" and any(e["id"] == "poison" for e in body["events"]):
            return web.json_response({"detail": "too bad"}, status=status)
        return None

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = fault
        ids = [str(number) for number in range(40)]
        calls = {id: await client.ask(BOB) for id in [*ids[:20], "poison", *ids[20:]]}
        for id, call in calls.items():  # in one batch
            client.report(call, id=id, usage={"input_tokens": 1})
        assert await client.flush()
        assert set(server.events) == set(ids)
        assert client.metrics.set_aside == 1
        aside = (tmp_path / "aside" / "events.txt").read_text()
        assert aside.startswith(f"status {status}: too bad\t")
        assert json.loads(aside.split("\t")[1])["id"] == "poison"
        # Nothing waits for what will never be settled.
        assert not client._running._calls

    with_client(test, tmp_path, FakeServer())


def test_a_fault_over_one_event_holds_up_no_other_and_loses_nothing(tmp_path):
    is_broken = [True]

    def fault(path: str, body: Any) -> web.Response | None:
        events = body["events"] if path == "usage" else []
        if is_broken[0] and any(event["id"] == "poison" for event in events):
            return web.Response(status=500)
        return None

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = fault
        ids = [str(number) for number in range(20)]
        call = await client.ask(BOB)
        for id in ["poison", *ids]:
            client.report(call, id=id, usage={"input_tokens": 1})
        await until(lambda: set(ids) <= set(server.events), "All others")
        is_broken[0] = False
        assert await client.flush()
        assert "poison" in server.events
        assert client.metrics.set_aside == 0

    with_client(test, tmp_path, FakeServer())


def test_an_event_that_is_answered_invalid_is_set_aside(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await report(client, "odd", model="bad")
        await report(client, "even")
        assert await client.flush()
        assert list(server.events) == ["even"]
        aside = (tmp_path / "aside" / "events.txt").read_text()
        assert aside.startswith("invalid: ")
        assert "is bad" in aside

    with_client(test, tmp_path, FakeServer())


def test_an_answer_that_fits_not_the_batch_is_none(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.fault = lambda path, body: (
            web.json_response({"results": []}) if path == "usage" else None
        )
        await report(client, "one")
        await until(lambda: client.metrics.report_failures > 2, "Some tries")
        server.fault = lambda path, body: None
        assert await client.flush()
        assert list(server.events) == ["one"]

    with_client(test, tmp_path, FakeServer())


def test_after_an_outage_every_call_is_recorded_once(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        server.gate = asyncio.Event()
        await report(client, *(f"{number}" for number in range(100)))
        assert client.metrics.spool_failures == 0
        server.gate.set()
        assert await client.flush()
        assert len(server.events) == 100
        assert client.snapshot().spooled == 0

    with_client(test, tmp_path, FakeServer(), timeout=0.05)


KILLED = """
import asyncio, sys
from pathlib import Path
from extra_usage_client import ExtraUsage, Options
async def main(address, spool, count):
    options = Options(address=address, key="xu_x", spool=Path(spool), timeout=0.05)
    async with ExtraUsage(options) as client:
        for number in range(int(count)):
            call = await client.ask("bob@acme.example")
            client.report(call, id=f"event-{number}", usage={"input_tokens": 1})
            print(number, flush=True)
        await asyncio.sleep(600)
asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("is_away", [True, False], ids=["away", "answers"])
def test_a_sigkill_loses_nothing_that_was_reported(tmp_path, is_away):
    async def run() -> None:
        server = FakeServer()
        async with running(server):
            server.gate = asyncio.Event() if is_away else None
            killed = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", KILLED, server.address, str(tmp_path), "500"),
                stdout=subprocess.PIPE,
                env={"PYTHONPATH": ":".join(sys.path)},
            )
            assert killed.stdout
            told = [await killed.stdout.readline() for _ in range(150)]
            killed.send_signal(signal.SIGKILL)
            await killed.wait()
            server.gate = None
            async with ExtraUsage(options(server, tmp_path)) as client:
                assert client.metrics.taken_over == 1
                assert await client.flush()
            assert {f"event-{int(line)}" for line in told} <= set(server.events)
            assert [path.name for path in tmp_path.iterdir()] == []

    asyncio.run(run())


def test_many_processes_share_a_folder_and_what_one_left_is_taken_over_once(tmp_path):
    first, second = Spool(tmp_path, Metrics()), Spool(tmp_path, Metrics())
    second.append(b'{"id":"two"}')
    first.append(b'{"id":"one"}')
    first._writing.close()
    os.close(first._held._descriptor)  # as the system does at its end
    takers = [Spool(tmp_path, Metrics()) for _ in range(3)]
    taken = [spool._metrics.taken_over for spool in takers]
    assert sorted(taken) == [0, 0, 1]
    batch = takers[taken.index(1)].next_batch(most_events=10, most_bytes=1_000)
    assert batch.events == [b'{"id":"one"}']
    mine = second.next_batch(most_events=10, most_bytes=1_000)
    assert mine.events == [b'{"id":"two"}']


def test_a_line_that_was_cut_short_is_set_aside(tmp_path):
    (tmp_path / "gone.000001.events").write_bytes(
        b'{"id":"one","model":"m"}\n\xff\xfe\n\n[]\n{"id":"two","model":"m"}\n{"id":"thr'
    )

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        assert await client.flush()
        assert set(server.events) == {"one", "two"}
        assert client.metrics.set_aside == 4

    with_client(test, tmp_path, FakeServer())


def test_a_long_outage_fills_files_and_not_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("extra_usage_client.segments.FULL", 1_000)

    async def test(client: ExtraUsage, server: FakeServer) -> None:
        call = await client.ask(BOB)
        server.gate = asyncio.Event()
        for number in range(500):
            client.report(call, id=f"{number}", usage={"input_tokens": 1})
        assert len(list(tmp_path.glob("*.events"))) > 50
        server.gate.set()
        assert await client.flush()
        assert len(server.events) == 500
        assert len(list(tmp_path.glob("*.events"))) == 1

    with_client(test, tmp_path, FakeServer())


def test_a_full_disk_keeps_reports_in_memory(tmp_path, monkeypatch):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        def full(line: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(client._spool._writing, "append", full)
        await report(client, *map(str, range(250)))
        assert client.metrics.spool_failures == 250
        assert await client.flush()
        assert len(server.events) == 250
        assert client.metrics.lost == 0

    with_client(test, tmp_path, FakeServer())


def test_the_end_flushes_and_leaves_the_rest_for_the_next(tmp_path):
    async def run() -> None:
        server = FakeServer()
        async with running(server):
            client = ExtraUsage(options(server, tmp_path, flush_timeout=0.2))
            await client.start()
            await report(client, "one", "two")
            assert await client.close()
            assert set(server.events) == {"one", "two"}
            await client.start()
            await report(client, "three")
            server.gate = asyncio.Event()
            await report_under(client, server, "four")
            assert not await client.close()
            server.gate.set()
            async with ExtraUsage(options(server, tmp_path)) as following:
                assert await following.flush()
            assert set(server.events) == {"one", "two", "three", "four"}

    async def report_under(client: ExtraUsage, server: FakeServer, id: str) -> None:
        client.report(await client.ask(BOB), id=id, usage={"input_tokens": 1})

    asyncio.run(run())


def test_the_counters_are_told_in_prometheus_words(tmp_path):
    async def test(client: ExtraUsage, server: FakeServer) -> None:
        await report(client, "one")
        assert await client.flush()
        told = client.snapshot().as_prometheus()
        assert "extra_usage_client_recorded_total 1\n" in told
        assert "# TYPE extra_usage_client_spooled gauge\n" in told
        assert client.snapshot().as_dict()["asks"] == 1

    with_client(test, tmp_path, FakeServer())
