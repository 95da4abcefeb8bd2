"""A steady load at a given rate: half checks, four in ten single reports, one in ten a
batch of twenty. Reads a job as `tests.steady.load` does, with calls a second as `rate`.

A call that is due waits for no other: what the service can't take piles up and shows.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

from tests.steady.load import Gateway, Load

BATCH = 20


async def single(gateway: Gateway) -> None:
    """One event without a promise."""
    member = random.choice(gateway.facts["members"])
    await gateway.report("single", gateway.batch(gateway.event(member)))


async def twenty(gateway: Gateway) -> None:
    """A batch."""
    members = random.choices(gateway.facts["members"], k=BATCH)
    await gateway.report("batch", gateway.batch(*map(gateway.event, members)))


KINDS = ((Gateway.check, 50), (single, 40), (twenty, 10))


class Metered(Load):
    """So many calls a second."""

    async def _work(self) -> None:
        kinds, weights = zip(*KINDS, strict=True)
        every, due = 1 / self.job["rate"], time.monotonic()
        calls: set[asyncio.Task[None]] = set()
        while not self.ending.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += every
            kind = random.choices(kinds, weights)[0]
            call = asyncio.create_task(kind(random.choice(self.gateways)))
            calls.add(call)
            call.add_done_callback(calls.discard)
        await asyncio.gather(*calls)

    def working(self) -> list[asyncio.Task[None]]:
        """One that sends all."""
        return [asyncio.create_task(self._work())]


async def main() -> None:
    await Metered(json.load(sys.stdin)).run()


if __name__ == "__main__":
    asyncio.run(main())
