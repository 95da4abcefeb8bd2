"""What a soak looks at each minute: latencies, memory of each process, connections."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.doors.server import children
from tests.steady.journal import Attempt, Journal, at
from tests.steady.stage import Stage

Places = dict[str, float]


@dataclass(frozen=True, slots=True)
class Look:
    """At one moment (Unix seconds): USS in MB by process, connections to PostgreSQL."""

    at: float
    memory: Places
    connections: int


def uss(pid: int) -> float:
    """Memory that belongs to this process alone, in MB; 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0
    kept = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return (kept["Private_Clean"] + kept["Private_Dirty"]) / 1024


def look(stage: Stage) -> Look:
    """Now."""
    memory = {}
    for name, part in stage.parts.items():
        memory[name] = uss(part.pid)
        for number, pid in enumerate(sorted(children(part.pid)), 1):
            memory[f"{name} {number}"] = uss(pid)
    memory["redis"] = uss(stage.redis.kept.pid)
    return Look(time.time(), memory, len(stage.postgresql.backends()))


def slope(points: list[tuple[float, float]]) -> float:
    """Of the line through (seconds, MB) that fits best, in MB an hour."""
    if len(points) < 2:
        return 0.0
    x_mean = sum(x for x, _y in points) / len(points)
    y_mean = sum(y for _x, y in points) / len(points)
    spread = sum((x - x_mean) ** 2 for x, _y in points)
    along = sum((x - x_mean) * (y - y_mean) for x, y in points)
    return along / spread * 3600 if spread else 0.0


def growth(looks: list[Look]) -> Places:
    """MB an hour that each process grew over the last two thirds."""
    late = looks[len(looks) // 3 :]
    return {
        name: slope([(one.at, one.memory.get(name, 0.0)) for one in late])
        for name in looks[-1].memory
    }


def minutes(journal: Journal, looks: list[Look]) -> str:
    """A table with a line a minute; milliseconds and MB."""
    kinds = ("check", "single", "batch")
    heads = [f"{kind} {share}" for kind in kinds for share in ("p50", "p99")]
    names = list(looks[-1].memory)
    lines = [_line(["minute", "calls", "errors", *heads, "conns", *names])]
    began = looks[0].at
    for number, one in enumerate(looks[1:], 1):
        mine = [
            call
            for call in journal.attempts
            if _minute(call, began, one, looks, number)
        ]
        errors = sum(call.status != 200 for call in mine)
        cells = [str(number), str(len(mine)), str(errors)]
        for kind in kinds:
            times = [call.took for call in mine if call.kind == kind] or [0.0]
            cells += [f"{at(times, share) * 1e3:.1f}" for share in (0.5, 0.99)]
        cells += [str(one.connections)]
        cells += [f"{one.memory.get(name, 0.0):.1f}" for name in names]
        lines.append(_line(cells))
    return "\n".join(lines)


def _minute(
    call: Attempt, began: float, one: Look, looks: list[Look], number: int
) -> bool:
    return max(began, looks[number - 1].at) <= call.began < one.at


def _line(cells: list[str]) -> str:
    return "".join(f"{cell:>11}" for cell in cells)
