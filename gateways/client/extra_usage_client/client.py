"""The client: ask before a call, report after it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

from extra_usage_client.answers import Answer
from extra_usage_client.asking import Asker
from extra_usage_client.board import Board
from extra_usage_client.calls import Call, Running
from extra_usage_client.costs import TypicalCosts
from extra_usage_client.leases import Leases
from extra_usage_client.metrics import Metrics
from extra_usage_client.money import nanos_of
from extra_usage_client.near_limit import NearLimit, no_room
from extra_usage_client.options import Options
from extra_usage_client.sending import Sender
from extra_usage_client.spool import Spool
from extra_usage_client.transport import Transport

log = logging.getLogger("extra_usage_client")
TIDY_EVERY = 20.0  # seconds: orphaned files, calls that nobody ended
# What is left is far from used up: it pays for so many of the member's usual calls.
FAR = 100
UNUSUAL = 4  # times the tokens of a usual call


class ExtraUsage:
    """Extra usage for the calls of one process and one event loop.

    `async with ExtraUsage(options) as extra_usage:` or `start` and `close`. Raises OSError
    at the start where the spool folder can't be used.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.metrics = Metrics()
        self._costs, self._tokens = (
            TypicalCosts(options.first_cost_nanos),
            TypicalCosts(0),
        )
        self._leases, self._running = Leases(), Running()
        self._tasks: list[asyncio.Task[None]] = []
        self._pid = 0

    @property
    def is_started(self) -> bool:
        """Whether it was started in this process: a fork has to start its own."""
        return self._pid == os.getpid()

    async def start(self) -> None:
        """Open the spool, take over what others left, and begin to send."""
        if self.is_started:
            return
        self._spool = Spool(self.options.spool, self.metrics)
        self._board = Board(self._spool.board_path, self._spool.is_alive)
        self._near = NearLimit(self._board, hosts=self.options.hosts)
        self._transport = Transport(self.options)
        self._asker = Asker(self.options, self._transport, self.metrics)
        self._sender = Sender(
            self._spool, self._transport, self.metrics, self._on_settled
        )
        self._pid = os.getpid()
        self._tasks = [
            asyncio.create_task(self._sender.run()),
            asyncio.create_task(self._tidy()),
        ]
        if self.options.sync_every is not None:
            self._tasks.append(asyncio.create_task(self._sync(self.options.sync_every)))

    async def close(self) -> bool:
        """Send what waits, for `flush_timeout` seconds at most; whether all was taken.
        What was not stays in the spool for the next process.
        """
        if not self.is_started:
            return True
        is_sent = await self._sender.flush(self.options.flush_timeout)
        # Whoever comes now starts anew, with a spool of its own.
        self._pid = 0
        tasks, transport = self._tasks, self._transport
        self._board.close()
        for task in tasks:
            task.cancel()
        self._spool.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await transport.close()
        return is_sent

    async def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was reported is taken; whether it is."""
        seconds = self.options.flush_timeout if timeout is None else timeout
        return await self._sender.flush(seconds)

    async def ask(
        self, member: str, *, surface: str = "claude", model: str = ""
    ) -> Call:
        """May the member make a call? Look at the call's `allowed`, and end it by
        `report` or `cancel`. Never raises for want of an answer.
        """
        call = self._by_lease(member, surface=surface, model=model)
        if call is None:
            call = await self._asked(member, surface=surface, model=model)
        if call.allowed:
            self.metrics.allowed += 1
            self._running.add(call)
        else:
            self.metrics.refused += 1
        return call

    def report(
        self,
        call: Call,
        *,
        id: str,
        usage: dict[str, Any],
        model: str = "",
        occurred_at: dt.datetime | None = None,
        **more: Any,
    ) -> None:
        """What a call used, in any shape that the API takes. When it returns, the report
        is in the spool. `id` names the call for ever: the same again is no second one.

        `more` are further fields of an event: labels, provider, request_id, surface.
        """
        event = {
            "id": id,
            "member": call.member,
            "surface": call.surface,
            "model": model or call.model,
            "occurred_at": (occurred_at or dt.datetime.now(dt.UTC)).isoformat(),
            "usage": usage,
            "source": "gateway",
            **{name: value for name, value in more.items() if value},
        }
        if call.answer.authorization:
            event["authorization"] = call.answer.authorization
        self._running.reported(call, id)
        self._spool.append(json.dumps(event, separators=(",", ":")).encode())
        self.metrics.reported += 1
        self._sender.wake()
        if self._is_awaited(call, usage):
            self._sender.hurry()

    def cancel(self, call: Call) -> None:
        """The call did not run, or cost nothing."""
        self._settle(call, 0)

    def snapshot(self) -> Metrics:
        """The counters as of now."""
        self.metrics.spooled = int(self.is_started and not self._spool.is_empty)
        return self.metrics

    async def __aenter__(self) -> ExtraUsage:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _by_lease(self, member: str, *, surface: str, model: str) -> Call | None:
        expected = self._costs.of(member, model)
        funding = self._leases.take(member, expected, now=time.monotonic())
        if funding is None:
            return None
        self.metrics.leased += 1
        answer = Answer(allowed=True, said="lease", funding=funding)
        return self._begun(member, surface, model, answer)

    async def _asked(self, member: str, *, surface: str, model: str) -> Call:
        """A call as the server says, once there is room for it beside others."""
        until = time.monotonic() + self.options.near_limit_wait
        call, answer = await self._try(member, surface, model)
        if call is not None:
            return call
        self.metrics.near_limit_waits += 1
        self._sender.hurry()
        async with self._near.turn(member, until=until) as is_ours:
            while is_ours:
                self._near.about_to_ask(member)
                call, answer = await self._try(member, surface, model)
                if call is not None:
                    return call
                if not await self._near.wait(member, until=until):
                    break
        if not self._board.is_busy(member):
            return self._begun(member, surface, model, answer)
        self.metrics.near_limit_refusals += 1
        return Call(member, surface, model, no_room(answer))

    async def _try(
        self, member: str, surface: str, model: str
    ) -> tuple[Call | None, Answer]:
        """One ask; no call where it is allowed but finds no room."""
        settled = self._board.settled_so_far(member)
        asked_at = time.monotonic()
        answer = await self._asker.ask(member, surface=surface, model=model or None)
        if not answer.allowed:
            self._leases.end(member)
            return Call(member, surface, model, answer), answer
        expected = self._costs.of(member, model)
        if not self._near.fits(member, expected, answer, settled=settled):
            return None, answer
        if answer.lease and self.options.leases:
            self._leases.keep(
                member, answer.lease, funding=answer.funding, asked_at=asked_at
            )
            self._leases.spent(member, expected)
        return self._begun(member, surface, model, answer), answer

    def _begun(self, member: str, surface: str, model: str, answer: Answer) -> Call:
        expected = self._costs.of(member, model)
        self._board.started(member, expected)
        return Call(member, surface, model, answer, expected)

    def _is_awaited(self, call: Call, usage: dict[str, Any]) -> bool:
        """Whether the next ask of the member should know of the call: close to a limit,
        or after one that is larger than usual.
        """
        tokens = sum(count for count in usage.values() if isinstance(count, int))
        usual = self._tokens.of(call.member, call.model)
        self._tokens.note(call.member, call.model, tokens)
        left = call.answer.headroom_nanos
        is_near = left is not None and left < FAR * max(1, call.expected_nanos)
        is_unusual = not 0 < tokens <= UNUSUAL * usual
        return is_near or is_unusual or self._near.has_waiting(call.member)

    def _settle(self, call: Call, nanos: int | None) -> None:
        """A call cost so much, and the server's sums hold it now; None is unknown."""
        if call.is_settled or not call.expected_nanos:
            return
        call.is_settled = True
        self._running.remove(call)
        self._board.settled(call.member, call.expected_nanos)
        if nanos is not None:
            self._leases.spent(call.member, nanos - call.expected_nanos)
        self._near.settled(call.member)

    def _on_settled(self, event_id: str, cost_usd: Any) -> None:
        call = self._running.by_event(event_id)
        if call is None:
            return
        nanos = nanos_of(cost_usd)
        if nanos is not None:
            self._costs.note(call.member, call.model, nanos)
        self._settle(call, nanos)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY)
            for call in self._running.forgotten(time.monotonic()):
                self._settle(call, None)
            with suppress(OSError):
                self._spool.take_over()
            self._sender.wake()

    async def _sync(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(self._spool.sync)
