"""A small stand-in for Extra usage: a cap, costs, and the faults that a test asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from extra_usage_client import Options

NANOS = 1_000_000_000
KEY = "xu_of-a-test"
SENTENCE = "You have reached your cap. You can go on on 1 December."


def usd(nanos: int) -> str:
    """As the API writes amounts."""
    sign = "-" if nanos < 0 else ""
    whole, rest = divmod(abs(nanos), NANOS)
    return f"{sign}{whole}.{rest:09d}"


@dataclass
class FakeServer:
    """What it was sent and what it answers. `cap` and `cost` are nano-USD."""

    cap: int | None = None
    cost: int = 1_400_000
    answer: dict[str, Any] = field(default_factory=dict)  # over what it would answer
    spent: int = 0
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    asks: list[dict[str, Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    # Called with the path; what it returns is answered instead.
    fault: Callable[[str, Any], web.Response | None] = lambda path, body: None
    gate: asyncio.Event | None = None  # nobody is answered before it is set
    address: str = ""

    async def authorize(self, request: web.Request) -> web.Response:
        """Allowed while less than the cap is spent."""
        question = await request.json()
        self.asks.append(question)
        if self.gate:
            await self.gate.wait()
        if instead := self.fault("authorize", question):
            return instead
        left = None if self.cap is None else self.cap - self.spent
        if left is not None and left <= 0:
            refused = {
                "allowed": False,
                "reason": "member_cap",
                "message": SENTENCE,
                "resets_at": "2099-12-01T05:00:00Z",
            }
            return web.json_response({**refused, **self.answer})
        allowed = {
            "allowed": True,
            "funding": "extra_usage",
            "authorization": f"promise-{len(self.asks)}",
            "remaining_usd": None if left is None else usd(left),
        }
        return web.json_response({**allowed, **self.answer})

    async def usage(self, request: web.Request) -> web.Response:
        """Each id once."""
        try:
            body = json.loads(await request.read())
        except ValueError:
            return web.json_response({"detail": "no JSON"}, status=400)
        if self.gate:
            await self.gate.wait()
        if instead := self.fault("usage", body):
            return instead
        self.batches.append(len(body["events"]))
        return web.json_response({"results": [self._one(e) for e in body["events"]]})

    def _one(self, event: dict[str, Any]) -> dict[str, Any]:
        if event["model"] == "bad":
            errors = [{"loc": ["model"], "msg": "is bad"}]
            return {"id": event["id"], "status": "invalid", "errors": errors}
        is_known = event["id"] in self.events
        if not is_known:
            self.events[event["id"]] = event
            self.spent += self.cost
        status = "duplicate" if is_known else "recorded"
        return {"id": event["id"], "status": status, "cost_usd": usd(self.cost)}


@asynccontextmanager
async def running(server: FakeServer) -> AsyncIterator[FakeServer]:
    """The server on loopback, at its `address`."""
    app = web.Application()
    app.router.add_post("/api/v1/authorize", server.authorize)
    app.router.add_post("/api/v1/usage", server.usage)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = int(server.address.rpartition(":")[2] or 0) if server.address else 0
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.address = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


def options(server: FakeServer, spool: Path, **more: Any) -> Options:
    """Options of a client of this server."""
    return Options(address=server.address, key=KEY, spool=spool, **more)


async def until(done: Callable[[], object], what: str) -> None:
    """Until `done()`, for a minute at most."""
    for _ in range(6_000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what} did not come")
