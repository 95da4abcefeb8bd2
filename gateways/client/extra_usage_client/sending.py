"""The sender: takes from the spool what waits and hands it to the server, at once when
idle; what comes meanwhile is the next batch, so batches grow as it gets busy. Far from
every limit reports gather for a moment after a batch: each one by itself would cost more
than the ask before it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile
from typing import Any

from extra_usage_client.metrics import Metrics
from extra_usage_client.spool import Batch, Spool, set_aside
from extra_usage_client.transport import NoAnswer, Reply, Transport

log = logging.getLogger("extra_usage_client")

MOST_EVENTS = 1_000
MOST_BYTES = 1_000_000  # of events; the call's own letters fit below 1 MiB
TIMEOUT = 30.0  # seconds
GATHER = 0.25  # seconds between two batches while nobody waits for them
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds between tries
SAY_AGAIN = 60.0  # seconds between two log lines about the same trouble
FAULTS = 4  # answers of 500 to the same events before they are tried in smaller parts
TOO_LARGE, UNREADABLE, FAULT = 413, (400, 422), 500
RECORDED = ("recorded", "duplicate")

# Called with an event's id and its cost in the server's words, or None.
Settled = Callable[[str, Any], None]


class Sender:
    """Sends one batch at a time. `settled` hears of each event that is done with."""

    def __init__(
        self, spool: Spool, transport: Transport, metrics: Metrics, settled: Settled
    ) -> None:
        self._spool, self._transport = spool, transport
        self._metrics, self._settled = metrics, settled
        self._something, self._hurry = asyncio.Event(), asyncio.Event()
        self._all_sent = asyncio.Event()
        self._most = MOST_EVENTS
        self._pause = FIRST_PAUSE
        self._faults = 0
        self._said_at = -SAY_AGAIN

    def wake(self) -> None:
        """Something was put into the spool."""
        self._all_sent.clear()
        self._something.set()

    def hurry(self) -> None:
        """Somebody waits for what is in the spool to be recorded."""
        self._hurry.set()

    async def run(self) -> None:
        """Send for as long as the process runs."""
        while True:
            try:
                await self._send_next()
            except Exception as error:
                # Whatever it is, it must not end the sending.
                log.exception("A report could not be sent: %s", type(error).__name__)
                await asyncio.sleep(LONGEST_PAUSE)

    async def _send_next(self) -> None:
        self._something.clear()
        self._hurry.clear()
        batch = self._spool.next_batch(most_events=self._most, most_bytes=MOST_BYTES)
        if not batch.events:
            self._all_sent.set()
            await self._something.wait()
            return
        ids = _ids_of(batch)
        if not ids:
            self._put_aside(batch.first(1), "is not JSON")
            return
        is_all = len(ids) < self._most and self._spool.is_newest(batch)
        if pause := await self._send(batch.first(len(ids)), ids):
            await asyncio.sleep(pause)
        elif is_all:
            await self._gather()

    async def _gather(self) -> None:
        """Until somebody waits for reports, for a moment at most."""
        if self._spool.is_empty:
            self._all_sent.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER):
                await self._hurry.wait()

    async def flush(self, timeout: float) -> bool:
        """Wait until nothing waits, for so many seconds at most; whether it is so."""
        self.wake()
        self.hurry()
        try:
            await asyncio.wait_for(self._all_sent.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def _send(self, batch: Batch, ids: list[str]) -> float:
        """One try; the seconds to wait before the next one."""
        body = b'{"events":[' + b",".join(batch.events) + b"]}"
        try:
            reply = await self._transport.post("usage", body, timeout=TIMEOUT)
        except NoAnswer as error:
            return self._later(f"The server is away ({error})")
        if reply.status == 200 and self._heard(batch, ids, reply.body):
            self._most = min(MOST_EVENTS, self._most * 2)
            self._pause, self._faults = FIRST_PAUSE, 0
            return 0.0
        self._metrics.report_failures += 1
        return self._refused(batch, reply)

    def _heard(self, batch: Batch, ids: list[str], body: Any) -> bool:
        """Settle what was answered event by event; False for an answer that is none."""
        results = body.get("results") if isinstance(body, dict) else None
        if not isinstance(results, list) or len(results) != len(batch.events):
            return False
        if not all(isinstance(result, dict) for result in results):
            return False
        for event, id, result in zip(batch.events, ids, results, strict=True):
            self._one_heard(event, id, result)
        self._spool.take(batch)
        return True

    def _one_heard(self, event: bytes, id: str, result: dict[str, Any]) -> None:
        status = result.get("status")
        self._metrics.recorded += status == "recorded"
        self._metrics.duplicates += status == "duplicate"
        if status not in RECORDED:
            why = f"{status}: {json.dumps(result.get('errors'))[:500]}"
            self._keep_aside(event, why)
        self._settled(id, result.get("cost_usd"))

    def _refused(self, batch: Batch, reply: Reply) -> float:
        """What a status other than 200 asks for; the seconds to wait."""
        if reply.status == TOO_LARGE or reply.status in UNREADABLE:
            return self._smaller(batch, f"status {reply.status}: {reply.detail}")
        if reply.status in (401, 403):
            self._metrics.key_refused += 1
            return self._later(f"The key is refused ({reply.detail}); reports are kept")
        if reply.status == FAULT:
            self._faults += 1
            if self._faults > FAULTS:
                return self._around_a_fault(batch)
        if reply.retry_after is not None:
            return max(FIRST_PAUSE, reply.retry_after)
        return self._later(f"The server took no report ({reply.detail})")

    def _smaller(self, batch: Batch, why: str) -> float:
        """Half of it next time; an event that is alone is what is wrong."""
        if len(batch.events) > 1:
            self._most = len(batch.events) // 2
        else:
            self._put_aside(batch, why)
        return 0.0

    def _around_a_fault(self, batch: Batch) -> float:
        """A fault of the server that comes again and again may be due to one event: it
        is found by halves and sent after all others.
        """
        if len(batch.events) > 1:
            self._most = len(batch.events) // 2
        else:
            self._spool.put_last(batch)
        return self._later("The server fails on a report; others go first")

    def _later(self, what: str) -> float:
        """Say what is wrong, once a minute; the seconds to wait, more each time."""
        now = time.monotonic()
        if now >= self._said_at + SAY_AGAIN:
            self._said_at = now
            log.warning("%s. Reports wait in %s", what, self._spool.folder)
        pause, self._pause = self._pause, min(LONGEST_PAUSE, self._pause * 2)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311

    def _put_aside(self, batch: Batch, why: str) -> None:
        for event in batch.events:
            self._keep_aside(event, why)
            if id := _id_of(event):
                self._settled(id, None)
        self._spool.take(batch)

    def _keep_aside(self, event: bytes, why: str) -> None:
        self._metrics.set_aside += 1
        log.error("A report was set aside in %s: %s", self._spool.folder, why)
        if not set_aside(self._spool.folder, why, event):
            self._metrics.lost += 1


def _ids_of(batch: Batch) -> list[str]:
    """The ids of its events, up to a line that is none: one that was cut short."""
    ids = (_id_of(event) for event in batch.events)
    return list(takewhile(bool, ids))  # type: ignore[arg-type]


def _id_of(line: bytes) -> str | None:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    id = read.get("id") if isinstance(read, dict) else None
    return id if isinstance(id, str) else None
