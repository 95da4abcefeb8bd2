"""Telemetry at the real server: 32 MiB, packed and not, with a length and in chunks, and
checks are answered meanwhile.
"""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
from collections.abc import Iterator

import pytest
from django.utils import timezone

from tests.billing.metering.telemetry import JSON, PROTOBUF, logs, protobuf, request_log
from tests.doors.server import found, served

MIB = 1_048_576
MOST = 32 * MIB


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[int, str]]:
    """A port, and a key."""
    folder = tmp_path_factory.mktemp("server")
    key = found(folder)
    with served(folder) as port:
        yield port, key


def pieces(body: bytes) -> Iterator[bytes]:
    """A generator, which http.client sends in chunks."""
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]


def send(server, path, body, kind=JSON, *, chunked=False, packed=False):
    """Status and body of the answer."""
    port, key = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    if packed:
        headers["Content-Encoding"] = "gzip"
    sent = pieces(body) if chunked else body
    connection.request("POST", path, sent, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def export(name: str, records: int, *, prompt: int = 0) -> object:
    """An export with an event a record, each with a prompt of so many letters."""
    at = timezone.now()
    return logs(
        *(
            request_log(at=at, request_id=f"{name}-{n}", prompt="x" * prompt)
            for n in range(records)
        )
    )


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("kind", [JSON, PROTOBUF])
def test_32_mib_are_recorded(server, chunked, kind):
    """40 requests, with their prompts beside them, which are left where they came."""
    made = export(f"{kind}{chunked}", 40, prompt=700_000)
    body = json.dumps(made).encode() if kind == JSON else protobuf(made)
    assert 26 * MIB < len(body) <= MOST
    answered = send(server, "/otlp/v1/logs", body, kind, chunked=chunked)
    assert answered == (200, b"{}" if kind == JSON else b"")
    again = send(server, "/otlp/v1/logs", body, kind, chunked=chunked)
    assert again == answered


@pytest.mark.parametrize("chunked", [True, False])
def test_one_byte_more_is_413_and_read(server, chunked):
    status, text = send(server, "/otlp/v1/logs", b" " * (MOST + 1), chunked=chunked)
    assert (status, json.loads(text)["code"]) == (413, 8)


def test_packed_it_is_as_long_unpacked(server):
    body = gzip.compress(json.dumps(export("packed", 20)).encode().ljust(MOST), 1)
    assert send(server, "/otlp/v1/logs", body, packed=True) == (200, b"{}")
    bomb = gzip.compress(b" " * (MOST + 1), 1)
    status, text = send(server, "/otlp/v1/logs", bomb, packed=True)
    assert (status, json.loads(text)["code"]) == (413, 8)


def test_a_hooks_prompt_of_many_mib_is_answered(server):
    body = json.dumps({"hook_event_name": "Stop", "prompt": "x" * 20 * MIB}).encode()
    for chunked in (True, False):
        status, text = send(server, "/doors/claude-code/hook", body, chunked=chunked)
        # An organization's key that names nobody.
        assert (status, json.loads(text)["continue"]) == (200, False)


def test_checks_are_answered_while_large_exports_are_read(server):
    check = json.dumps({"member": "bob@acme.example", "surface": "claude"}).encode()
    body = json.dumps(export("beside", 2_000, prompt=12_000)).encode()
    assert send(server, "/api/v1/authorize", check)[0] == 200
    done = []
    thread = threading.Thread(
        target=lambda: done.append(send(server, "/otlp/v1/logs", body))
    )
    thread.start()
    slowest, checks = 0, 0
    while thread.is_alive():
        began = time.monotonic()
        assert send(server, "/api/v1/authorize", check)[0] == 200
        slowest, checks = max(slowest, time.monotonic() - began), checks + 1
    thread.join()
    assert done == [(200, b"{}")]
    print(f"{checks} checks beside {len(body) / MIB:.0f} MiB, slowest {slowest:.3f} s")
    assert checks > 5
