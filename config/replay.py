"""Sending a trace of real requests through the metering API, check then charge, as a
gateway would.

The trace is CSV `TIMESTAMP,ContextTokens,GeneratedTokens` (the Azure LLM inference
trace's format).
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from config.kit.money import usd

HEADER = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
TRIES = 6


class ReplayError(Exception):
    """What stops a replay, as one sentence."""


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One request of the trace; times are UTC."""

    id: str
    at: dt.datetime
    input_tokens: int
    output_tokens: int


def read_trace(path: Path, *, salt: str) -> list[TraceRow]:
    """All rows of a file, each with an id that is the same every time.

    Raises ReplayError naming the bad line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayError(f"{path} can't be read: {error}.") from error
    digest = hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()[:12]
    lines = csv.reader(text.splitlines())
    if next(lines, None) != HEADER:
        raise ReplayError(f"{path} does not start with the line {','.join(HEADER)}.")
    return [
        _row(path, number, line, digest)
        for number, line in enumerate(lines, start=2)
        if line
    ]


def _row(path: Path, number: int, line: list[str], digest: str) -> TraceRow:
    try:
        stamp, context, generated = line
        # Ten-millionths of a second are cut to microseconds.
        at = dt.datetime.fromisoformat(stamp.strip()[:26]).replace(tzinfo=dt.UTC)
        tokens = int(context), int(generated)
        if min(tokens) < 0:
            raise ValueError
    except ValueError:
        raise ReplayError(
            f"{path}, line {number}: “{','.join(line)[:80]}” is not a time and two"
            " token counts."
        ) from None
    return TraceRow(f"replay-{digest}-{number:06d}", at, *tokens)


@dataclass(slots=True)
class Outcome:
    """What a replay came to; amounts in nano-USD."""

    answered: int = 0
    allowed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    charged: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)


class Gateway:
    """One kept connection to the server.

    A broken one is opened again and the same sent once more.
    """

    def __init__(self, server: str, key: str) -> None:
        parts = urlsplit(server)
        kind = (
            http.client.HTTPSConnection
            if parts.scheme == "https"
            else http.client.HTTPConnection
        )
        self.connect = lambda: kind(parts.netloc, timeout=60)
        self.connection = self.connect()
        self.base = parts.path.rstrip("/") + "/api/v1"
        self.headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
        }

    def ask(
        self, method: str, path: str, body: object = None, *, missing_ok: bool = False
    ) -> dict[str, object] | None:
        """The JSON answer; None for a 404 where that is an answer.

        Raises ReplayError after several failures.
        """
        sent = None if body is None else json.dumps(body)
        failure = ""
        for attempt in range(TRIES):
            try:
                self.connection.request(method, self.base + path, sent, self.headers)
                response = self.connection.getresponse()
                raw = response.read()
                if response.status == 404 and missing_ok:
                    return None
                if response.status < 300:
                    return json.loads(raw)
                failure = (
                    f"{method} {path} answered {response.status}:"
                    f" {raw[:200].decode(errors='replace')}"
                )
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    time.sleep(int(response.headers.get("Retry-After", "1")))
                    continue
                if response.status < 500:
                    break
            except (OSError, http.client.HTTPException) as error:
                failure = (
                    f"{self.connection.host}:{self.connection.port} is not responding "
                    f"({error or type(error).__name__})"
                )
                self.connection.close()
                self.connection = self.connect()
            time.sleep(0.2 * 2**attempt)
        raise ReplayError(failure + ".")


@dataclass(frozen=True, slots=True)
class Plan:
    """How to send: `members` are ids taken in turn; `speed` 0 means without waiting."""

    server: str
    key: str
    surface: str
    model: str
    members: list[int]
    speed: float = 0.0
    now: bool = False
    threads: int = 4


def replay(
    rows: list[TraceRow], *, plan: Plan, progress: Callable[[], None]
) -> Outcome:
    """Send all rows, each member's in order.

    Raises ReplayError when the server stops answering.
    """
    outcome, lock = Outcome(), threading.Lock()
    errors: list[ReplayError] = []
    started, first = time.monotonic(), rows[0].at if rows else None

    def work(part: int) -> None:
        gateway = Gateway(plan.server, plan.key)
        try:
            for row, member in _part(rows, plan, part):
                if plan.speed and first:
                    time.sleep(
                        max(
                            0.0,
                            started
                            + (row.at - first).total_seconds() / plan.speed
                            - time.monotonic(),
                        )
                    )
                if errors:
                    return
                _send(gateway, row, member, plan=plan, outcome=outcome, lock=lock)
                progress()
        except ReplayError as error:
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(part,), daemon=True)
        for part in range(plan.threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(timeout=0.5)
    if errors:
        raise errors[0]
    return outcome


def _part(
    rows: list[TraceRow], plan: Plan, part: int
) -> Iterator[tuple[TraceRow, int]]:
    for index, row in enumerate(rows):
        turn = index % len(plan.members)
        if turn % plan.threads == part:
            yield row, plan.members[turn]


def _send(
    gateway: Gateway,
    row: TraceRow,
    member: int,
    *,
    plan: Plan,
    outcome: Outcome,
    lock: threading.Lock,
) -> None:
    answer = gateway.ask(
        "POST",
        "/authorize",
        {"member": member, "surface": plan.surface, "model": plan.model},
    )
    assert answer is not None
    result: dict[str, object] | None
    if answer["allowed"]:
        result = _report(
            gateway, row, member, plan=plan, authorization=answer["authorization"]
        )
    else:
        # Refused now, but perhaps recorded by an earlier replay of the same file.
        result = gateway.ask(
            "GET", f"/events/{quote(row.id, safe='')}", missing_ok=True
        )
        result = result and {**result, "status": "duplicate"}
    with lock:
        _count(outcome, answer, result)


def _report(
    gateway: Gateway, row: TraceRow, member: int, *, plan: Plan, authorization: object
) -> dict[str, object]:
    at = dt.datetime.now(dt.UTC) if plan.now else row.at
    event = {
        "id": row.id,
        "member": member,
        "surface": plan.surface,
        "model": plan.model,
        "occurred_at": at.isoformat().replace("+00:00", "Z"),
        "usage": {"input_tokens": row.input_tokens, "output_tokens": row.output_tokens},
        "authorization": authorization,
    }
    answer = gateway.ask("POST", "/usage", {"events": [event]})
    assert answer is not None
    results: Any = answer["results"]
    return dict(results[0])


def _count(
    outcome: Outcome, answer: dict[str, object], result: dict[str, object] | None
) -> None:
    outcome.answered += 1
    outcome.allowed += bool(answer["allowed"])
    if result is None:
        outcome.refused[str(answer["reason"])] += 1
        return
    status = str(result["status"])
    outcome.statuses[status] += 1
    amounts = outcome.charged if status == "recorded" else outcome.known
    if result.get("cost_usd") is not None:
        amounts[str(result["funding"])] += usd(str(result["cost_usd"]))
