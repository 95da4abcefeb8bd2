"""What imports cannot show of the staircase: who reads the clock, who starts jobs, and
what a room may hold.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.house.layers import ROOT, modules_of, rooms

CLOCKS = frozenset(
    {
        "timezone.now",
        "timezone.localtime",
        "timezone.localdate",
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.perf_counter",
    }
)
DISPATCHES = frozenset(
    {
        "delay",
        "delay_on_commit",
        "apply_async",
        "send_task",
        "enqueue",
        "enqueue_now",
        "send_soon",
    }
)


def dotted(node: ast.expr) -> str:
    """`dt.datetime.now` of an expression that is such a name; else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def names_used(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of everything a module names or imports, called or passed on."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.Name, ast.Attribute)):
            yield node.lineno, dotted(node) or getattr(node, "attr", "")
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{(node.module or '').split('.')[-1]}.{alias.name}"


def ends_in(name: str, endings: frozenset[str]) -> bool:
    """Whether `dt.datetime.now` ends in one of them, whole names alone."""
    return any(name == ending or name.endswith(f".{ending}") for ending in endings)


def uses(endings: frozenset[str], *steps: str) -> list[str]:
    """Where modules of these steps name one of `endings`."""
    paths = modules_of(*steps)
    assert len(paths) > 10
    return [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in paths
        for line, name in names_used(path)
        if ends_in(name, endings)
    ]


def test_acts_queries_and_rules_never_read_the_clock():
    assert uses(CLOCKS, "actions", "queries", "rules") == []


def test_acts_queries_and_rules_start_no_job():
    assert uses(DISPATCHES, "actions", "queries", "rules") == []


def test_rules_read_no_settings():
    endings = frozenset({"conf.settings", "settings", "environ", "getenv"})
    assert uses(endings, "rules") == []


def steps_in_a_room() -> tuple[set[str], set[str]]:
    """The rooms and the steps that the contract of pyproject.toml names."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract = next(
        contract
        for contract in pyproject["tool"]["importlinter"]["contracts"]
        if contract["name"] == "In a room one walks down"
    )
    names = {room.removeprefix("billing.") for room in contract["containers"]}
    return names, set(re.findall(r"\w+", " ".join(contract["layers"])))


def test_every_room_of_billing_holds_only_steps():
    contained, steps = steps_in_a_room()
    # A page is a file of its own: `pages` puts the other rooms together and has no steps.
    assert {room.name for room in rooms()} == contained | {"pages"}
    strange = [
        f"{room.name}/{entry.name}"
        for room in rooms()
        if room.name != "pages"
        for entry in sorted(room.iterdir())
        if entry.stem not in steps | {"__init__", "__pycache__"}
    ]
    assert strange == []
    assert {"actions", "queries", "rules", "views", "api"} <= steps
