"""Names that were meant to be settings of ours: found by how little they differ."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

# What `.env` may hold besides settings: what compose, Procfile and libraries read.
OF_OTHERS = re.compile(
    r"POSTGRES_(PASSWORD|USER|DB)|WORKER_CONCURRENCY|PROMETHEUS_MULTIPROC_DIR|TMPDIR"
    r"|TZ|LANG|LC_[A-Z]+|PATH|COMPOSE_[A-Z_]+|DOCKER_[A-Z_]+|PYTHON[A-Z_]+|PG[A-Z]+"
    r"|DJANGO_(SETTINGS_MODULE|COLORS|ALLOW_ASYNC_UNSAFE)|(HTTPS?|NO|ALL)_PROXY",
    re.IGNORECASE,
)
# Names of other programs that only look like ours.
KNOWN = frozenset({"LOGLEVEL", "SERVER_EMAIL"})
PREFIXES = ("DJANGO_", "EXTRA_USAGE_")
LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=.*")
LOOSE_LINE = re.compile(r"[\s\ufeff]*(?:export\s+)?([A-Za-z_0-9]+)\s*[=:].*")


def names_in(path: Path) -> tuple[set[str], dict[int, str]]:
    """The names that a `.env` file sets, and by line number those that stand in a line
    nobody can read, such as `NAME = value`. Raises OSError or UnicodeDecodeError where
    there is a file and it can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return set(), {}
    read, loose = set(), {}
    for number, line in enumerate(lines, 1):
        if found := LINE.fullmatch(line):
            read.add(found[1])
        elif found := LOOSE_LINE.fullmatch(line):
            loose[number] = found[1]
    return read, loose


def lookalikes(
    names: Iterable[str], ours: Collection[str], *, in_file: bool
) -> dict[str, str]:
    """Those of `names` that were meant to be another, with that one.

    In a file of ours short names count too; an environment has names of everybody.
    """
    found = {}
    for name in sorted(set(names) - set(ours)):
        if meant := _meant(name, ours, in_file=in_file):
            found[name] = meant
    return found


def in_environment(
    environment: Mapping[str, str], ours: Collection[str]
) -> dict[str, str]:
    """Look-alikes in an environment: not where the setting that was meant is set as well,
    nor where Kubernetes tells of a service.
    """
    names = [
        name
        for name, value in environment.items()
        if name not in KNOWN and not value.startswith(("tcp://", "udp://", "sctp://"))
    ]
    found = lookalikes(names, ours, in_file=False)
    return {name: meant for name, meant in found.items() if meant not in environment}


def unknown_in(names: Iterable[str], ours: Collection[str]) -> list[str]:
    """Those of `names` that neither we nor what runs beside us read."""
    return sorted(
        name for name in set(names) - set(ours) if not OF_OTHERS.fullmatch(name)
    )


def _meant(name: str, ours: Collection[str], *, in_file: bool) -> str | None:
    if OF_OTHERS.fullmatch(name):
        return None
    upper = name.upper()
    prefixes = (*PREFIXES, "APP_") if in_file else PREFIXES
    for prefix in prefixes:
        meant = upper.removeprefix(prefix)
        # `EXTRA_USAGE_PORT` is what Kubernetes calls the address of a service.
        if meant != upper and meant != "PORT" and meant in ours:
            return meant
    near = [
        (steps(upper, one), one) for one in ours if len(one) > (3 if in_file else 7)
    ]
    distance, nearest = min(near, default=(99, ""))
    return nearest if distance <= _allowed(nearest, in_file=in_file) else None


def _allowed(name: str, *, in_file: bool) -> int:
    return 2 if len(name) > (7 if in_file else 11) else 1


def steps(one: str, other: str) -> int:
    """How many letters to add, drop, change or swap with their neighbour."""
    if abs(len(one) - len(other)) > 2:
        return 99
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, above = above, row
    return above[-1]
