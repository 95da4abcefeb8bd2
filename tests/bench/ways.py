"""The ways of a call that `tests/bench/gateways.py` measures: through LiteLLM alone, with
a hook that does nothing, with its own budget, and asking us; through Envoy alone and
asking us; and through none.

Before anything is measured, each is seen to do what its title says.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.server import say, served
from tests.peers.calls import Outcome, many, passed
from tests.peers.envoy import ENVOY, Envoy, running
from tests.peers.stage import BOB, LIMITS, Product, acme, proxy, upstream
from tests.run import ROOT

ASKING, BUDGETED = "LiteLLM asking us", "LiteLLM, its own budget"
EMPTY, ENVOY_ASKING = "LiteLLM, an empty hook", "Envoy asking us"
OURS = (ASKING, ENVOY_ASKING)
ALONE = {
    EMPTY: "LiteLLM alone",
    BUDGETED: "LiteLLM alone",
    ASKING: "LiteLLM alone",
    ENVOY_ASKING: "Envoy alone",
}
# LiteLLM has no database here: a key's budget is kept in its memory. The second is
# used up by its first call.
AMPLE, TINY = "budget-1000000", "budget-0.000001"
HOOKS = [ROOT / "tests" / "bench" / f"{name}_hook.py" for name in ("timed", "empty")]
LITELLMS = {
    "LiteLLM alone": {"callbacks": "[]"},
    EMPTY: {"callbacks": "empty_hook.hook"},
    BUDGETED: {"callbacks": "[]", "own_budgets": True},
    ASKING: {"callbacks": "timed_hook.hook"},
}


@dataclass(frozen=True)
class Way:
    """Where a call goes, by which key, and the gateway's process; 0 is none."""

    title: str
    address: str
    key: str
    pid: int


@dataclass(frozen=True)
class Stage:
    """All that runs, and what was noted of asks."""

    product: Product
    ways: list[Way]
    file: Path
    envoy: Envoy | None

    def asks(self) -> list[str]:
        """The lines of `timed_hook.py` so far."""
        return self.file.read_text().splitlines()

    def asks_of_envoy(self) -> dict[str, int]:
        """How Envoy's ended so far; empty without Envoy."""
        return self.envoy.asks() if self.envoy else {}


@contextmanager
def staged(folder: Path, environ: dict[str, str]) -> Iterator[Stage]:
    """All gateways, the provider and our server, warm."""
    with ExitStack() as stack:
        say("LiteLLM and Envoy start")
        provider = stack.enter_context(upstream(thinks=0))
        product = stack.enter_context(our_product(environ))
        ways = [Way("no gateway", provider, BOB, 0)]
        for title, settings in LITELLMS.items():
            home = folder / title
            home.mkdir()
            for hook in HOOKS:
                shutil.copy(hook, home)
            one = stack.enter_context(proxy(home, product, provider, **settings))
            assert one.process is not None
            key = AMPLE if title == BUDGETED else BOB
            ways.append(Way(title, one.address, key, one.process.pid))
        asking = None
        for title in ("Envoy alone", ENVOY_ASKING) if ENVOY.exists() else ():
            asks = title == ENVOY_ASKING
            home = folder / title
            asking = stack.enter_context(running(home, product, provider, asks=asks))
            ways.append(Way(title, asking.address, "bob", asking.pid))
        if asking is None:
            print("Envoy is not here: `make test-peers` installs it.")
        check(product, ways)
        yield Stage(product, ways, folder / ASKING / "asks.txt", asking)


@contextmanager
def our_product(environ: dict[str, str]) -> Iterator[Product]:
    """Our server with Acme, one of whose members makes all calls."""
    unlimited = dict.fromkeys((*LIMITS, "RATE_LIMIT_MEMBER"), "off")
    environ = {**environ, **unlimited}
    key = acme(environ)
    with served(environ) as (process, port):
        yield Product(port, key, process)


def check(product: Product, ways: list[Way]) -> None:
    """End the bench where a way stops a call, or does not ask or count as it should."""
    for way in ways:
        say(f"first calls: {way.title}")
        first = calls(way, way.key, count=20)
        if passed(first) < len(first):
            sys.exit(f"{way.title} stopped a call: {first}")
    product.cap("0.00")
    for way in ways:
        if way.title in OURS and calls(way, way.key)[0].status != 402:
            sys.exit(f"{way.title} let a call over the cap pass.")
        if way.title == BUDGETED and passed(calls(way, TINY, count=3)) == 3:
            sys.exit(f"{way.title} let calls over the budget pass.")
    product.cap(None)


def calls(way: Way, key: str, *, count: int = 1) -> list[Outcome]:
    """What comes of calls one after the other."""
    return asyncio.run(many([way], count=count, at_once=1, key=key))
