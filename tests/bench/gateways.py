"""What asking us costs a gateway: LiteLLM alone, with a hook that does nothing, with its own
budget, and asking us; Envoy alone and asking us. Before them stands the load generator, one
call at a time and eight, behind them a fake provider that answers at once.

The rounds of all ways alternate, every other one backward; what is added is the median of
the differences within a round. CPU a call is that of the gateway's and of our server's
processes, by their own clocks, with what they do behind their answers. The ask is timed
inside LiteLLM (`timed_hook.py`).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.server import generate, say
from tests.bench.ways import ALONE, OURS, Stage, Way, staged
from tests.doors.server import children
from tests.peers.calls import question

AT_ONCE = {1: "one at a time", 8: "8 at once"}
BEHIND = 1.0  # seconds for what gateways still log and report after a round
MOST_CPU, MOST_ASK = 1.0, 3.0  # aims, in ms
Figures = dict[str, float]
Found = dict[tuple[str, int], list[Figures]]


def report_gateways(environ: dict[str, str], *, rounds: int, seconds: float) -> None:
    """Measure all ways on the database of `environ`, and print."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-gateways") as folder,
        staged(Path(folder), environ) as stage,
    ):
        found, asks = measure(stage, rounds=rounds, seconds=seconds)
        ended = stage.asks_of_envoy()
    report(found, asks)
    if ended:
        answered, failed = ended.get("ok", 0), ended.get("error", 0)
        print(f"asks of Envoy: {answered:,}, and {failed:,} without an answer")


def measure(
    stage: Stage, *, rounds: int, seconds: float
) -> tuple[Found, dict[int, list[str]]]:
    """The figures of each way's rounds, and the lines about LiteLLM's asks."""
    found: Found = defaultdict(list)
    asks: dict[int, list[str]] = defaultdict(list)
    for number in range(rounds):
        for at_once, words in AT_ONCE.items():
            for way in stage.ways[:: -1 if number % 2 else 1]:
                say(f"round {number + 1} of {rounds}: {way.title}, {words}")
                seen = len(stage.asks())
                figures = one_round(way, stage, at_once=at_once, seconds=seconds)
                found[way.title, at_once].append(figures)
                asks[at_once] += stage.asks()[seen:]
    say("")
    return found, asks


def one_round(way: Way, stage: Stage, *, at_once: int, seconds: float) -> Figures:
    """One round of one way; CPU in ms a call."""
    job = {
        "host": "127.0.0.1",
        "port": urlsplit(way.address).port,
        "kind": "message",
        "body": question(),
        "gateways": [{"key": f"sk-{way.key}", "members": [0]}],
        "connections": at_once,
        "warm": seconds / 3,
        "seconds": seconds,
        "expect": "Hello there",
        "run": way.title,
    }
    product = stage.product.process.pid
    gateway_before, ours_before = cpu(way.pid), cpu(product)
    measured = generate(way.title, job)
    time.sleep(BEHIND)
    each = 1e3 / measured["calls"]
    measured["cpu"] = (cpu(way.pid) - gateway_before) * each
    measured["ours"] = (cpu(product) - ours_before) * each
    return measured


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and those that it started took so far; 0 for none."""
    if not pid:
        return 0.0
    # The number of another process' clock, as clock_getcpuclockid(3) makes it.
    clocks = [(~one << 3) | 2 for one in (pid, *children(pid))]
    return sum(time.clock_gettime(clock) for clock in clocks)


def report(found: Found, asks: dict[int, list[str]]) -> None:
    """The tables, what is added, and LiteLLM's asks."""
    for at_once, words in AT_ONCE.items():
        columns = ("per second", "p50 ms", "p99 ms", "CPU ms", "CPU of us")
        print(f"\n{words:28}" + "".join(f"{name:>12}" for name in columns))
        for title in (title for title, number in found if number == at_once):
            print(f"{title:28}" + row(found[title, at_once]))
    print("\nAdded a call, the median of the rounds (least to most):")
    for title, at_once in found:
        if title in ALONE:
            print(f"{title}, {AT_ONCE[at_once]}: " + added(title, at_once, found))
    for at_once, lines in asks.items():
        print(f"our ask inside LiteLLM, {AT_ONCE[at_once]}: " + asked(at_once, lines))


def row(several: list[Figures]) -> str:
    """The median round."""
    names = {
        "rate": ",.0f",
        "p50": ",.2f",
        "p99": ",.2f",
        "cpu": ",.2f",
        "ours": ",.2f",
    }
    return "".join(
        f"{format(statistics.median(one[name] for one in several), form):>12}"
        for name, form in names.items()
    )


def added(title: str, at_once: int, found: Found) -> str:
    """What a way takes more than the gateway alone in the same round."""
    rounds = list(zip(found[title, at_once], found[ALONE[title], at_once], strict=True))
    texts = []
    for name in ("p50", "cpu"):
        more = sorted(one[name] - alone[name] for one, alone in rounds)
        middle = statistics.median(more)
        texts.append(f"{middle:+.2f} ms ({more[0]:+.2f} to {more[-1]:+.2f})")
    missed = ", MISSED" if middle > MOST_CPU else ""
    aim = f" (aim {MOST_CPU:g} ms{missed})" if title in OURS else ""
    return f"p50 {texts[0]}, CPU in the gateway {texts[1]}{aim}"


def asked(at_once: int, lines: list[str]) -> str:
    """How long LiteLLM's asks took, and how many the server did not answer."""
    times = sorted(float(line.split()[0]) * 1e3 for line in lines)
    away = sum(not line.endswith(" server") for line in lines)
    p50, p95 = (times[int(len(times) * share)] for share in (0.5, 0.95))
    missed = ", MISSED" if p50 > MOST_ASK else ""
    aim = f" (aim {MOST_ASK:g} ms{missed})" if at_once == 1 else ""
    of = f"of {len(times):,}, {away:,} of them without an answer"
    return f"p50 {p50:.2f} ms{aim}, p95 {p95:.2f} ms {of}"
