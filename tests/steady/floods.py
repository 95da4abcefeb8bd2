"""What one organization does to all others: reads that are not read, downloads, a held
lock, a report of 200 MB; and a PostgreSQL that stands still.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.steady.stage import Stage
from tests.steady.supervisor import send

HELD = "SELECT 1 FROM accounts_organization WHERE slug = 'big' FOR UPDATE"
# Bytes of one row of the report below: a member's day.
ROW = 122


@dataclass(frozen=True, slots=True)
class Target:
    """A web process of the stage, and the organization that floods it."""

    stage: Stage
    port: int
    big: dict[str, Any]

    def report_path(self, days: int) -> str:
        """A report by everything of the last `days` days."""
        until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
        asked = {
            "start": until - dt.timedelta(days=days),
            "end": until,
            "group_by": "member,day,surface,model",
        }
        return f"/api/v1/usage?{urlencode(asked)}"

    def days_of(self, megabytes: int) -> int:
        """How many days make a report of that size."""
        return max(1, round(megabytes * 1e6 / ROW / self.big["size"]))


Flood = Callable[[Target], AbstractContextManager[None]]


@contextmanager
def at_work(count: int, work: Callable[[int, Event], None]) -> Iterator[None]:
    """`work(number, over)` again and again in `count` threads."""
    over = Event()

    def again(number: int) -> None:
        while not over.is_set():
            with suppress(OSError, http.client.HTTPException):
                work(number, over)
            over.wait(0.2)

    threads = [Thread(target=again, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def _head(target: Target, number: int, days: int) -> bytes:
    keys = target.big["keys"]
    lines = (
        f"GET {target.report_path(days)} HTTP/1.1",
        f"Host: 127.0.0.1:{target.port}",
        f"Authorization: Bearer {keys[number % len(keys)]}",
        "Accept: text/csv",
        "Connection: close",
        "\r\n",
    )
    return "\r\n".join(lines).encode()


@contextmanager
def readers_of_nothing(target: Target) -> Iterator[None]:
    """Ten that ask for 23 MB and read nothing."""
    days, held = target.days_of(23), []
    for number in range(10):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", target.port))
        line.sendall(_head(target, number, days))
        held.append(line)
    try:
        yield
    finally:
        for line in held:
            line.close()


def _downloads(target: Target, count: int, megabytes: int) -> Any:
    days = target.days_of(megabytes)

    def work(number: int, over: Event) -> None:
        with socket.create_connection(("127.0.0.1", target.port), timeout=30) as line:
            line.sendall(_head(target, number, days))
            while line.recv(1 << 18) and not over.is_set():
                pass

    return at_work(count, work)


def honest_downloads(target: Target) -> Any:
    """Eight that read 23 MB as fast as they come, again and again."""
    return _downloads(target, 8, 23)


def large_reports(target: Target) -> Any:
    """Eight that read reports of 200 MB."""
    return _downloads(target, 8, 200)


@contextmanager
def held_lock(target: Target) -> Iterator[None]:
    """An open transaction holds the organization's row; twelve report usage."""
    key = target.big["keys"][0]

    def work(number: int, over: Event) -> None:
        event = {
            "id": f"held-{target.port}-{number}",
            "member": target.big["members"][number],
            "surface": "claude_code",
            "model": "claude-sonnet-5",
            "occurred_at": dt.datetime.now(dt.UTC).isoformat(),
            "usage": {"output_tokens": 10},
        }
        line = http.client.HTTPConnection("127.0.0.1", target.port, timeout=8)
        with suppress(TimeoutError):
            line.request(
                "POST",
                "/api/v1/usage",
                json.dumps({"events": [event]}),
                {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            )
            line.getresponse().read()
        line.close()

    with psycopg.connect(target.stage.postgresql.url) as holder:
        holder.execute(HELD)
        with at_work(12, work):
            try:
                yield
            finally:
                holder.rollback()


@contextmanager
def postgresql_stands_still(target: Target) -> Iterator[None]:
    """As a machine that vanished; goes on at the end."""
    stopped = target.stage.postgresql.everybody()
    for pid in stopped:
        send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            send(pid, signal.SIGCONT)
        time.sleep(1)
