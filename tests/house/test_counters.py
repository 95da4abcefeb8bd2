"""Counters of calls in a process, counted by many threads at once."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from config.kit import limits


@pytest.fixture
def _often():
    """Threads take turns a thousand times as often as they do by default."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.000005)
    yield
    sys.setswitchinterval(before)


def test_calls_counted_at_once_never_fail_and_each_counts(_often, monkeypatch):
    monkeypatch.setattr(limits, "TIDY", 0.0)
    counters = FixedWindowRateLimiter(limits.Counters())
    often, never = parse("1000000/hour"), parse("1/second")

    def call(number: int) -> None:
        for turn in range(200):
            counters.hit(often, "everybody")
            counters.hit(never, f"{number}-{turn % 7}")

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(call, range(16)))
    counted = counters.get_window_stats(often, "everybody")
    assert 1_000_000 - counted.remaining == 16 * 200


def test_a_call_starts_no_thread_that_another_may_have_started(monkeypatch):
    counters = FixedWindowRateLimiter(limits.Counters())
    counters.storage.timer.join()

    def started_already(self: threading.Timer) -> None:
        raise RuntimeError("threads can only be started once")

    monkeypatch.setattr(threading.Timer, "start", started_already)
    assert counters.hit(parse("9/minute"), "anybody")


def test_what_is_over_is_forgotten(monkeypatch):
    counters = limits.Counters()
    counters.incr("short", 0.05)
    time.sleep(0.1)
    monkeypatch.setattr(limits, "TIDY", 0.0)
    counters.incr("other", 60)
    assert set(counters.storage) == {"other"}
