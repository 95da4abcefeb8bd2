"""The load generator as a process, and its journal as it was written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.steady.procfile import ROOT
from tests.steady.stage import Stage


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as its sender saw it: status 0 is no answer; Unix seconds."""

    kind: str
    began: float
    ended: float
    status: int
    error: str

    @property
    def took(self) -> float:
        """Seconds."""
        return self.ended - self.began


@dataclass
class Journal:
    """All attempts; the ids that went out; and what was told of each, once an answer."""

    attempts: list[Attempt] = field(default_factory=list)
    # By organization: the ids of each body.
    sent: dict[str, list[list[str]]] = field(default_factory=dict)
    # By organization and id: (status, funding, cost in USD) of each answer.
    told: dict[tuple[str, str], list[tuple[str, str, str]]] = field(
        default_factory=dict
    )

    def between(self, since: float, until: float) -> list[Attempt]:
        """Those that were under way then."""
        return [
            one for one in self.attempts if one.ended >= since and one.began < until
        ]


def read(path: Path) -> Journal:
    """The journal in a file."""
    journal = Journal()
    with path.open() as lines:
        for line in lines:
            _take(journal, json.loads(line))
    return journal


def _take(journal: Journal, line: dict[str, Any]) -> None:
    if line["t"] == "try":
        attempt = Attempt(line["k"], line["a"], line["z"], line["s"], line.get("e", ""))
        journal.attempts.append(attempt)
    elif line["t"] == "sent":
        journal.sent.setdefault(line["o"], []).append(line["i"])
    else:
        for event_id, *told in line["r"]:
            journal.told.setdefault((line["o"], event_id), []).append(tuple(told))


def at(times: list[float], share: float) -> float:
    """The time that `share` of them do not pass."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Loading:
    """A load generator that runs, or ran."""

    process: subprocess.Popen[str]
    path: Path

    def end(self) -> Journal:
        """Let it finish; its journal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=120) == 0, "The load generator failed."
        return read(self.path)


@contextmanager
def loaded(
    stage: Stage,
    *,
    module: str = "load",
    name: str = "journal",
    gateways: list[dict[str, Any]] | None = None,
    url: str | None = None,
    **job: Any,
) -> Iterator[Loading]:
    """A load generator of this package on the stage, by `module` and `job`."""
    path = stage.folder / f"{name}.jsonl"
    words = {"people": 0, "rest": 0.1, "probes": 0, "every": 0.1, "mix": "kills"}
    words |= {"url": url or stage.url, "journal": str(path)}
    words |= {"gateways": gateways or stage.organizations, **job}
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.steady.{module}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(words))
    process.stdin.close()
    try:
        yield Loading(process, path)
    finally:
        process.kill()
        process.wait()
