"""The load generator: gateways that do as docs/metering.md tells them, in a process of
their own.

After 5xx, 429 or a lost connection the same bytes go out again, after the seconds that
`Retry-After` says. Reads a job as JSON from standard input; writes a journal, one JSON
line for each attempt, each body before it is first sent, and each answer that was
acknowledged. SIGTERM ends it, after the calls that are under way.

Knows nothing of Django.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import signal
import sys
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any, TextIO

import aiohttp

TIMEOUT = 10.0  # seconds that a gateway waits for an answer
PAUSE = 0.25  # seconds before it sends again what had no answer
LAST = 60.0  # seconds after SIGTERM for what is under way
MODELS = ("claude-sonnet-5", "claude-opus-4-5", "claude-haiku-4-5")


class Journal:
    """Lines of JSON; the times in them are Unix seconds."""

    def __init__(self, path: str) -> None:
        self.file: TextIO = Path(path).open("w", buffering=1 << 16)  # noqa: SIM115

    def write(self, kind: str, **facts: Any) -> None:
        """One line."""
        self.file.write(json.dumps({"t": kind, **facts}) + "\n")


class Gateway:
    """One organization's gateway, with a connection for each call that is under way."""

    def __init__(
        self, job: dict[str, Any], facts: dict[str, Any], journal: Journal
    ) -> None:
        self.facts, self.journal, self.url = facts, journal, job["url"]
        self.sent: deque[bytes] = deque(maxlen=200)
        self.is_over = False
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            connector=aiohttp.TCPConnector(limit=0),
            headers={
                "Authorization": f"Bearer {facts['key']}",
                "Content-Type": "application/json",
            },
        )

    async def once(self, kind: str, path: str, body: bytes) -> tuple[int, Any, float]:
        """One attempt: its status (0 for none), answer, and seconds to wait."""
        began, status, answer, wait, error = time.time(), 0, None, PAUSE, ""
        try:
            async with self.session.post(self.url + path, data=body) as response:
                read = await response.read()
                status = response.status
                wait = float(response.headers.get("Retry-After", PAUSE))
                if response.content_type == "application/json":
                    answer = json.loads(read)
                if status not in (200, 503):
                    error = read[:300].decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            error = repr(lost)[:200]
        line = {"o": self.facts["slug"], "k": kind, "a": began, "z": time.time()}
        self.journal.write("try", **line, s=status, **({"e": error} if error else {}))
        return status, answer, wait

    async def until_answered(self, kind: str, path: str, body: bytes) -> Any:
        """The answer, however often it takes; None where it is refused for good, or at
        the end of the run.
        """
        while True:
            status, answer, wait = await self.once(kind, path, body)
            if status == 200:
                return answer
            if (400 <= status < 500 and status != 429) or self.is_over:
                return None
            await asyncio.sleep(wait)

    async def check(self, kind: str = "check") -> tuple[int, str | None]:
        """A member, and the promise they got."""
        member = random.choice(self.facts["members"])
        asked = {"member": member, "surface": "claude_code", "model": MODELS[0]}
        body = json.dumps(asked).encode()
        answer = await self.until_answered(kind, "/api/v1/authorize", body)
        return member, answer and answer["authorization"]

    async def report(self, kind: str, body: bytes) -> None:
        """Send events, and keep what was told of each."""
        answer = await self.until_answered(kind, "/api/v1/usage", body)
        if answer is None:
            return
        told = [
            (one["id"], one["status"], one["funding"], one["cost_usd"])
            for one in answer["results"]
        ]
        self.journal.write("told", o=self.facts["slug"], r=told)
        self.sent.append(body)

    def batch(self, *events: dict[str, Any]) -> bytes:
        """A body that is sent from now on."""
        ids = [event["id"] for event in events]
        self.journal.write("sent", o=self.facts["slug"], i=ids)
        return json.dumps({"events": events}).encode()

    def event(self, member: int, promise: str | None = None) -> dict[str, Any]:
        """Something that just ran."""
        return {
            "id": uuid.uuid4().hex,
            "member": member,
            "surface": random.choice(("claude", "claude_code")),
            "model": random.choice(MODELS),
            "occurred_at": dt.datetime.now(dt.UTC).isoformat(),
            "usage": {"input_tokens": 900, "output_tokens": random.randrange(50, 900)},
            **({"authorization": promise} if promise else {}),
        }

    def some(self, most: int) -> bytes:
        """A batch of two to `most` events."""
        members = random.choices(self.facts["members"], k=random.randrange(2, most + 1))
        return self.batch(*map(self.event, members))


async def ordinary(gateway: Gateway) -> None:
    """A check, and the report of what it allowed."""
    member, promise = await gateway.check()
    await gateway.report("single", gateway.batch(gateway.event(member, promise)))


async def batches(gateway: Gateway) -> None:
    """Up to a hundred at once."""
    await gateway.report("batch", gateway.some(100))


async def twins(gateway: Gateway) -> None:
    """The same batch from two connections at once."""
    body = gateway.some(40)
    await asyncio.gather(gateway.report("twin", body), gateway.report("twin", body))


async def again(gateway: Gateway) -> None:
    """An old batch once more."""
    if gateway.sent:
        await gateway.report("again", random.choice(gateway.sent))


MIXES = {
    "kills": ((ordinary, 70), (batches, 14), (twins, 8), (again, 8)),
    "checks": ((Gateway.check, 100),),
}


class Load:
    """All gateways at work, until the job's end or SIGTERM."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job, self.journal = job, Journal(job["journal"])
        self.gateways = [Gateway(job, facts, self.journal) for facts in job["gateways"]]
        self.ending = asyncio.Event()

    async def run(self) -> None:
        """Work, end, say goodbye."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.ending.set)
        working = self.working()
        await self.ending.wait()
        _done, late = await asyncio.wait(working, timeout=LAST)
        for gateway in self.gateways:
            gateway.is_over = True
        for task in late:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for gateway in self.gateways:
            await gateway.session.close()
        for task in working:
            if not task.cancelled() and (error := task.exception()):
                raise error
        self.journal.file.close()

    def working(self) -> list[asyncio.Task[None]]:
        """People who send one thing after the other, and probes."""
        kinds, weights = zip(*MIXES[self.job["mix"]], strict=True)
        probes = self.job["probes"]
        people = [self._person(kinds, weights) for _ in range(self.job["people"])]
        probing = [self._probe(turn / probes) for turn in range(probes)]
        return [asyncio.create_task(work) for work in (*people, *probing)]

    async def _person(self, kinds: Any, weights: Any) -> None:
        while not self.ending.is_set():
            kind = random.choices(kinds, weights)[0]
            await kind(random.choice(self.gateways))
            await asyncio.sleep(random.uniform(0, 2 * self.job["rest"]))

    async def _probe(self, phase: float) -> None:
        """Checks at fixed moments, sent once each: they measure."""
        every = self.job["every"]
        begins = time.monotonic() + phase * every
        while not self.ending.is_set():
            await asyncio.sleep(max(0, begins - time.monotonic()))
            gateway = random.choice(self.gateways)
            member = random.choice(gateway.facts["members"])
            asked = {"member": member, "surface": "claude_code", "model": MODELS[0]}
            body = json.dumps(asked).encode()
            await gateway.once("probe", "/api/v1/authorize", body)
            begins = max(begins + every, time.monotonic())


async def main() -> None:
    await Load(json.load(sys.stdin)).run()


if __name__ == "__main__":
    asyncio.run(main())
