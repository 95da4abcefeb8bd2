"""Faults 3 and 16: workers of the real server that die, and workers whose main dies."""

from __future__ import annotations

import http.client
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from config.serve import Respawned
from tests.doors.server import children, found, started
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where a server has its database."""
    folder = tmp_path_factory.mktemp("workers")
    found(folder)
    return folder


def is_alive(port: int) -> bool:
    """Whether the health check is answered."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    return False


def runs(pid: int) -> bool:
    """Whether a process is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        not Path(f"/proc/{pid}/stat").exists()
        or " Z " not in Path(f"/proc/{pid}/stat").read_text()
    )


def test_fault_3_a_dead_worker_is_replaced_and_the_others_go_on(folder):
    with started(folder) as (server, port):
        wait_until(lambda: len(children(server.pid)) == 2, "Two workers")
        wait_until(lambda: is_alive(port), "The health check")
        dead = children(server.pid)[0]
        os.kill(dead, signal.SIGKILL)

        def replaced() -> bool:
            now = children(server.pid)
            return len(now) == 2 and dead not in now

        began = time.monotonic()
        wait_until(replaced, "Another worker")
        assert time.monotonic() - began < 5
        assert server.poll() is None
        wait_until(lambda: is_alive(port), "The health check")


def test_fault_3_a_worker_that_dies_again_at_once_stops_nobody(folder):
    with started(folder) as (server, port):
        wait_until(lambda: len(children(server.pid)) == 2, "Two workers")
        wait_until(lambda: is_alive(port), "The health check")
        time.sleep(Respawned.SECONDS + 0.5)  # the other one serves long enough
        other, dead = children(server.pid)
        for _time in range(3):
            os.kill(dead, signal.SIGKILL)

            def next_of(dead: int = dead) -> list[int]:
                now = children(server.pid)
                return [pid for pid in now if pid not in (other, dead)]

            wait_until(next_of, "Another worker")
            assert is_alive(port) and runs(other) and server.poll() is None
            [dead] = next_of()


def test_workers_that_all_die_at_once_end_the_server(folder):
    with started(folder) as (server, port):
        wait_until(lambda: is_alive(port), "The health check")

        def all_die() -> bool:
            for pid in children(server.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return server.poll() is not None

        wait_until(all_die, "The server's end")


def test_fault_16_a_killed_main_leaves_no_worker(folder):
    with started(folder) as (server, port):
        wait_until(lambda: len(children(server.pid)) == 2, "Two workers")
        wait_until(lambda: is_alive(port), "The health check")
        workers = children(server.pid)
        server.kill()
        server.wait()
        wait_until(lambda: not any(map(runs, workers)), "The workers' end")


def test_a_call_in_flight_is_answered_before_the_server_ends(folder):
    with started(folder) as (server, port):
        wait_until(lambda: is_alive(port), "The health check")
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        line.putrequest("POST", "/accounts/login/")
        line.putheader("Content-Length", "3")
        line.endheaders(b"ab")
        time.sleep(0.5)
        server.terminate()
        time.sleep(0.5)
        line.send(b"c")
        assert line.getresponse().status == 403
        assert server.wait(timeout=30) == 0
