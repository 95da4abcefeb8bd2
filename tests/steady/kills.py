"""Random faults on a stage under load, one after the other, and all that must hold."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.doors.server import children
from tests.steady import checker
from tests.steady.faults import KINDS, Fault, strike
from tests.steady.journal import Journal, loaded
from tests.steady.promises import PROMISES
from tests.steady.stage import Stage
from tests.steady.supervisor import processes_of
from tests.waiting import wait_until

WEB_WORKERS = 2  # the default
REST = 2.0  # seconds of peace after each promise
MOST = 10.0  # seconds that are waited for a promise; jobs are waited for already


@dataclass(frozen=True, slots=True)
class Run:
    """What was done, what callers saw, how long it took in seconds."""

    faults: list[Fault]
    journal: Journal
    seconds: float


def run(
    stage: Stage,
    *,
    seconds: float,
    kinds: Iterable[str] = KINDS,
    people: int = 12,
    peace: float = 5,
) -> Run:
    """Strike at random for so long, and each kind once before any comes again; `peace`
    is the seconds before and after."""
    faults: list[Fault] = []
    began = time.time()
    with loaded(stage, people=people, rest=0.15, probes=2, every=0.1) as load:
        time.sleep(peace)
        left: list[str] = []
        while time.time() - began < seconds or len(faults) < len(list(kinds)):
            left = left or random.sample(list(kinds), len(list(kinds)))
            fault = strike(stage, left.pop())
            faults.append(fault)
            print(f"  {fault.kind}", flush=True)
            whole = fault.back + min(PROMISES[fault.kind], MOST) + REST
            time.sleep(max(0.0, whole - time.time()))
            wait_until(lambda: _is_whole(stage), "A whole service")
        time.sleep(peace)
        journal = load.end()
    return Run(faults, journal, time.time() - began)


def _is_whole(stage: Stage) -> bool:
    """Whether all processes are there, and web answers some times in a row."""
    if not all(one.is_running for one in stage.parts.values()):
        return False
    is_manned = len(stage.workers("web")) == WEB_WORKERS
    return is_manned and all(stage.is_ready() for _turn in range(4))


def findings(stage: Stage, done: Run) -> list[str]:
    """All that does not hold; waits for the sweeps to catch up."""
    wait_until(lambda: not checker.unsettled(stage), "The sweeps' end")
    faults = [(fault.began, fault.back) for fault in done.faults]
    return [
        *checker.findings(stage, done.journal),
        *checker.doubled_mails(stage, faults),
        *checker.missed_sweeps(stage, done.seconds),
        *strays(stage),
    ]


def strays(stage: Stage) -> list[str]:
    """Processes that outlived their main one."""
    mains = [*stage.parts.values(), stage.postgresql.kept, stage.redis.kept]
    known = {one.pid for one in mains}
    for one in mains:
        known |= set(_descendants(one.pid))
    mark = f"STEADY_STAGE={stage.environ['STEADY_STAGE']}"
    return [
        f"process {pid} is a stray" for pid in processes_of(mark) if pid not in known
    ]


def _descendants(pid: int) -> list[int]:
    found = children(pid)
    return [*found, *(deeper for child in found for deeper in _descendants(child))]


def summary(done: Run) -> str:
    """Figures of one run."""
    journal = done.journal
    statuses = Counter(one.status for one in journal.attempts)
    words = ", ".join(f"{n} × {s or 'no answer'}" for s, n in statuses.most_common())
    slowest = max((one.took for one in journal.attempts), default=0.0)
    return (
        f"{len(done.faults)} faults in {done.seconds:.0f} s; {len(journal.attempts):,}"
        f" calls ({words}); {len(journal.told):,} events acknowledged; slowest call"
        f" {slowest:.1f} s"
    )
