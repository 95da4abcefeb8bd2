"""The sender: takes from the spool what waits and hands it to the server, at once when
idle; what comes meanwhile is the next batch, so batches grow as it gets busy.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from typing import Any

from extra_usage_client.metrics import Metrics
from extra_usage_client.spool import Batch, Spool, set_aside
from extra_usage_client.transport import NoAnswer, Reply, Transport

log = logging.getLogger("extra_usage_client")

MOST_EVENTS = 1_000
MOST_BYTES = 1_000_000  # of events; the call's own letters fit below 1 MiB
TIMEOUT = 30.0  # seconds
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
        self._something = asyncio.Event()
        self._all_sent = asyncio.Event()
        self._most = MOST_EVENTS
        self._pause = FIRST_PAUSE
        self._faults = 0
        self._said_at = -SAY_AGAIN

    def wake(self) -> None:
        """Something was put into the spool."""
        self._all_sent.clear()
        self._something.set()

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
        batch = self._spool.next_batch(most_events=self._most, most_bytes=MOST_BYTES)
        if not batch.events:
            self._all_sent.set()
            await self._something.wait()
        elif not self._sort_out(batch):
            await asyncio.sleep(await self._send(batch))

    async def flush(self, timeout: float) -> bool:
        """Wait until nothing waits, for so many seconds at most; whether it is so."""
        self.wake()
        try:
            await asyncio.wait_for(self._all_sent.wait(), timeout)
        except TimeoutError:
            return False
        return True

    def _sort_out(self, batch: Batch) -> bool:
        """Whether the first event is none, and was set aside: a line that was cut short."""
        for position, event in enumerate(batch.events):
            if _is_event(event):
                continue
            if position == 0:
                self._put_aside(batch.first(1), "is not JSON")
                return True
            del batch.events[position:]
            return False
        return False

    async def _send(self, batch: Batch) -> float:
        """One try; the seconds to wait before the next one."""
        body = b'{"events":[' + b",".join(batch.events) + b"]}"
        try:
            reply = await self._transport.post("usage", body, timeout=TIMEOUT)
        except NoAnswer as error:
            return self._later(f"The server is away ({error})")
        if reply.status == 200 and self._heard(batch, reply.body):
            self._most = min(MOST_EVENTS, self._most * 2)
            self._pause, self._faults = FIRST_PAUSE, 0
            return 0.0
        self._metrics.report_failures += 1
        return self._refused(batch, reply)

    def _heard(self, batch: Batch, body: Any) -> bool:
        """Settle what was answered event by event; False for an answer that is none."""
        results = body.get("results") if isinstance(body, dict) else None
        if not isinstance(results, list) or len(results) != len(batch.events):
            return False
        if not all(isinstance(result, dict) for result in results):
            return False
        for event, result in zip(batch.events, results, strict=True):
            self._one_heard(event, result)
        self._spool.take(batch)
        return True

    def _one_heard(self, event: bytes, result: dict[str, Any]) -> None:
        status = result.get("status")
        self._metrics.recorded += status == "recorded"
        self._metrics.duplicates += status == "duplicate"
        if status not in RECORDED:
            why = f"{status}: {json.dumps(result.get('errors'))[:500]}"
            self._keep_aside(event, why)
        self._settled(json.loads(event)["id"], result.get("cost_usd"))

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
            if _is_event(event):
                self._settled(json.loads(event)["id"], None)
        self._spool.take(batch)

    def _keep_aside(self, event: bytes, why: str) -> None:
        self._metrics.set_aside += 1
        log.error("A report was set aside in %s: %s", self._spool.folder, why)
        if not set_aside(self._spool.folder, why, event):
            self._metrics.lost += 1


def _is_event(line: bytes) -> bool:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(read, dict) and isinstance(read.get("id"), str)
