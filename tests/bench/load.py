"""The load generator: one process, a bounded number of kept connections, one request in
flight on each.

Reads a job as JSON from standard input, prints what it measured as JSON. Knows nothing
of Django, so that it stays cheap.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import itertools
import json
import secrets
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

Job = dict[str, Any]


def request(job: Job, path: str, body: bytes, *headers: str) -> bytes:
    """One HTTP request as bytes."""
    head = [
        f"POST {path} HTTP/1.1" if body else f"GET {path} HTTP/1.1",
        f"Host: {job['host']}:{job['port']}",
        *headers,
    ]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


def _event(gateway: Job, number: int, event_id: str, at: str) -> Job:
    place = number % len(gateway["members"])
    usage = {
        "input_tokens": 200 + number % 50,
        "output_tokens": 100,
        "cache_read_input_tokens": 1000,
    }
    return {
        "id": event_id,
        "member": gateway["members"][place],
        "surface": "claude_code",
        "model": "claude-sonnet-5",
        "occurred_at": at,
        "usage": usage,
        "authorization": _authorization(gateway, place),
    }


def _authorization(gateway: Job, place: int) -> str:
    """A promise of its own, as a check would sign it: each is good for one event."""
    number = int(time.time()) * 2**30 + secrets.randbelow(2**30)
    value = f"x.{gateway['id']}.{gateway['members'][place]}.{number}"
    key = bytes.fromhex(gateway["signing_key"])
    signed = hmac.digest(key, value.encode(), "sha256")
    return f"{value}:{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def requests(job: Job) -> Iterator[bytes]:
    """Endless requests of the job's kind, over its gateways in turn."""
    at = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
    for number in itertools.count():
        gateway = job["gateways"][number % len(job["gateways"])]
        turn = number // len(job["gateways"])
        key, name = f"Authorization: Bearer {gateway['key']}", f"{job['run']}-{number}"
        member = gateway["members"][turn % len(gateway["members"])]
        if job["kind"] == "empty":
            yield request(job, "/api/bench/empty", b"")
        elif job["kind"] == "select":
            yield request(
                job, "/api/bench/select", b"{}", f"X-Digest: {gateway['digest']}"
            )
        elif job["kind"] == "authorize":
            asked = {
                "member": member,
                "surface": "claude_code",
                "model": "claude-sonnet-5",
            }
            yield request(job, "/api/v1/authorize", json.dumps(asked).encode(), key)
        elif job["kind"] == "message":
            body = json.dumps(job["body"]).encode()
            yield request(job, "/v1/messages", body, f"x-api-key: {gateway['key']}")
        elif job["kind"] == "charge":
            sent = {"id": name, "member": member, "organization": gateway["id"]}
            yield request(job, "/api/bench/charge", json.dumps(sent).encode())
        elif job["kind"] == "usage":
            events = [_event(gateway, turn, name, at)]
            yield request(
                job, "/api/v1/usage", json.dumps({"events": events}).encode(), key
            )
        elif job["kind"] == "bare_batch":
            sent = {
                "id": name,
                "members": gateway["members"],
                "organization": gateway["id"],
                "count": job["count"],
            }
            yield request(job, "/api/bench/batch", json.dumps(sent).encode())
        else:
            events = [
                _event(gateway, n, f"{name}-{n}", at) for n in range(job["count"])
            ]
            yield request(
                job, "/api/v1/usage", json.dumps({"events": events}).encode(), key
            )


class Connection:
    """One kept connection with at most one request in flight."""

    def __init__(self, job: Job) -> None:
        self.socket = socket.create_connection((job["host"], job["port"]))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.expect = job["expect"].encode()
        self.sent_at, self.buffer = 0.0, b""

    def send(self, data: bytes) -> None:
        """Send a request."""
        self.buffer, self.sent_at = b"", time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> bool:
        """Read what is there; whether the answer is complete.

        Ends the run when it is not the expected one.
        """
        self.buffer += self.socket.recv(1 << 18)
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return False
        length = int(head.lower().split(b"\r\ncontent-length:")[1].split(b"\r\n")[0])
        if len(body) < length:
            return False
        if b" 200 " not in head[:15] or self.expect not in body:
            sys.exit(f"Unexpected answer: {head[:80]!r} {body[:400]!r}")
        return True


def measure(job: Job) -> Job:
    """Answers a second and latencies in ms over the measured time, after a warm-up; and
    how many calls were answered, those of the warm-up too.
    """
    source = requests(job)
    ready = [next(source) for _ in range(job.get("prepared", 0))]
    supply = iter(ready) if ready else source
    selector = selectors.DefaultSelector()
    began = time.perf_counter()
    start, end = began + job["warm"], began + job["warm"] + job["seconds"]
    for _ in range(job["connections"]):
        connection = Connection(job)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(supply))
    times, calls, last = _run(selector, supply, start, end)
    times.sort()
    took = last - start
    return {
        "rate": len(times) / took,
        "p50": _at(times, 0.5) * 1e3,
        "p99": _at(times, 0.99) * 1e3,
        "calls": calls,
    }


def _run(
    selector: selectors.BaseSelector, supply: Iterator[bytes], start: float, end: float
) -> tuple[list[float], int, float]:
    times: list[float] = []
    calls = 0
    while True:
        for key, _mask in selector.select(timeout=5):
            connection: Connection = key.data
            if not connection.receive():
                continue
            now = time.perf_counter()
            calls += 1
            if connection.sent_at >= start or now > start:
                times.append(now - connection.sent_at)
            data = next(supply, None)
            if now >= end or data is None:
                return times, calls, now
            connection.send(data)


def _at(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    json.dump(measure(json.load(sys.stdin)), sys.stdout)
