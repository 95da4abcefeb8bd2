"""Close to a limit: a call runs once those that run leave room for it.

What the server says is left does not hold what calls cost that run. They count at what
the member's calls usually cost; a call that finds no room waits for others to be settled
and asks again. However long those of other processes run, one of this process then may:
so a cap is passed by a call of each process at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from extra_usage_client.answers import Answer
from extra_usage_client.board import Board
from extra_usage_client.money import usd

LOOK_AGAIN = 0.5  # seconds; calls of other processes tell nobody when they end


class NearLimit:
    """Who waits, by member; one call of a member at a time asks again."""

    def __init__(self, board: Board, *, hosts: int) -> None:
        self._board, self._hosts = board, hosts
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._settled: dict[str, asyncio.Event] = {}

    def fits(self, member: str, expected: int, answer: Answer, *, settled: int) -> bool:
        """Whether there is room for a call beside those that run. `settled` is what was
        settled before the ask.
        """
        if answer.headroom_nanos is None:
            return True
        runs = self._board.outstanding(member, settled=settled)
        return not runs or (runs + expected) * self._hosts <= answer.headroom_nanos

    @asynccontextmanager
    async def turn(self, member: str, *, until: float) -> AsyncIterator[bool]:
        """Wait for the other waiting calls of the member, the first come first; whether
        it was before `until` (of the monotonic clock).
        """
        lock, waiting = self._turns.get(member, (asyncio.Lock(), 0))
        self._turns[member] = (lock, waiting + 1)
        is_ours = False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(_loop_time(until)):
                    is_ours = await lock.acquire()
            yield is_ours
        finally:
            if is_ours:
                lock.release()
            self._leave(member)

    async def wait(self, member: str, *, until: float) -> bool:
        """Until a call of the member is settled, or a moment passed; False after `until`."""
        seconds = min(LOOK_AGAIN, until - time.monotonic())
        if seconds <= 0:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled[member].wait(), seconds)
        return True

    def has_waiting(self, member: str) -> bool:
        """Whether a call of the member waits for others to be settled."""
        return member in self._turns

    def about_to_ask(self, member: str) -> None:
        """What is settled from now on may not be in the answer."""
        self._settled.setdefault(member, asyncio.Event()).clear()

    def settled(self, member: str) -> None:
        """A call of the member is settled: whoever waits asks again."""
        if event := self._settled.get(member):
            event.set()

    def _leave(self, member: str) -> None:
        lock, waiting = self._turns[member]
        if waiting == 1:
            del self._turns[member]
            self._settled.pop(member, None)
        else:
            self._turns[member] = (lock, waiting - 1)


def _loop_time(until: float) -> float:
    return asyncio.get_running_loop().time() + until - time.monotonic()


def no_room(answer: Answer) -> Answer:
    """The refusal of a call that waited as long as it may."""
    left = usd(answer.headroom_nanos or 0)
    return replace(
        answer,
        allowed=False,
        said="near_limit",
        authorization=None,
        reason="near_limit",
        message=f"Your other requests are still running and may use up the {left} that"
        " is left. Send this one again when they have finished.",
        short_message=f"{left} left, and other requests still run",
        lease=None,
    )
