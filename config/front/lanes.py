"""Lanes: a few threads each, so that what is slow in one does not hold up another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from prometheus_client import Gauge

_under_way = Gauge(
    "extra_usage_front_calls",
    "Calls that wait for a thread of their lane, or have one.",
    ["lane"],
    multiprocess_mode="livesum",
)


class Lane:
    """Threads that take work in the order it came; they start with the first work.

    Plain threads and a queue, since an executor's own futures and locks would cost the
    shortest calls twice as much.
    """

    def __init__(self, name: str, *, threads: int) -> None:
        self.name = name
        self.threads = threads
        self._waiting: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._runs = False
        self._under_way = _under_way.labels(name)
        self._last_at = 0.0  # monotonic seconds

    def is_used(self) -> bool:
        """Whether it was given work within the last second."""
        return time.monotonic() - self._last_at < 1

    async def run(self, work: Callable[..., Any], *values: Any) -> Any:
        """What `work(*values)` returns in a thread of this lane; raises what it raises."""
        if not self._runs:
            self._start()
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._under_way.inc()
        self._last_at = time.monotonic()
        self._waiting.put((work, values, loop, done))
        try:
            return await done
        finally:
            self._under_way.dec()

    def _start(self) -> None:
        self._runs = True
        for number in range(self.threads):
            name = f"{self.name}-{number + 1}"
            Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            work, values, loop, done = self._waiting.get()
            outcome, error = None, None
            try:
                outcome = work(*values)
            except BaseException as raised:
                error = raised
            try:
                loop.call_soon_threadsafe(_settle, done, outcome, error)
            except RuntimeError:  # the loop has ended: nobody waits any more
                return
            del work, values, done, outcome, error


def _settle(
    done: asyncio.Future[Any], outcome: Any, error: BaseException | None
) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(outcome)
    else:
        done.set_exception(error)
