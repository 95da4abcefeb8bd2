"""Places in this process, so that one caller who waits leaves threads to the others.

A call that waits for a lock holds a thread. An organization may hold all but one of
them; a further call of it waits a moment for a place and is refused then. Where its
calls have waited in vain, it has one place until one of them goes through.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Any

from django.conf import settings
from prometheus_client import Counter, Gauge

# Seconds: how long a call waits for a place, and from when on those who have one are
# taken to be stuck, so that nobody waits for them.
MOMENT = 1 / 2
STUCK = 1
MOST_NAMES = 10_000


_in_use = Gauge(
    "extra_usage_places_in_use",
    "Calls under way that hold one of their organization's places.",
    multiprocess_mode="livesum",
)
_refused = Counter(
    "extra_usage_places_refused",
    "Calls refused with 503 since their organization had no place left.",
)


class NoPlace(Exception):
    """The caller has all the places it may have: 503."""


_changed = Condition()
# By caller: since when each of its places is taken.
_taken: dict[Any, list[float]] = defaultdict(list)
_stuck: set[Any] = set()
_names: dict[str, Any] = {}


def also_called(name: str, caller: Any) -> None:
    """Whoever comes with this name (a key's digest, a slug) is that caller."""
    if len(_names) >= MOST_NAMES:
        _names.clear()
    _names[name] = caller


@contextmanager
def place_for(name: str) -> Iterator[None]:
    """Hold one of the caller's places. Raises NoPlace."""
    caller = _names.get(name, name)
    since = _take(caller)
    _in_use.inc()
    try:
        yield
    finally:
        _in_use.dec()
        with _changed:
            _taken[caller].remove(since)
            if not _taken[caller]:
                del _taken[caller]
            _changed.notify_all()


def waited_in_vain(name: str, is_so: bool) -> None:
    """How the caller's last call ended."""
    caller = _names.get(name, name)
    if is_so:
        _stuck.add(caller)
    else:
        _stuck.discard(caller)


def _take(caller: Any) -> float:
    deadline = time.monotonic() + MOMENT
    with _changed:
        while taken := _taken.get(caller):
            if caller not in _stuck and len(taken) < settings.ORGANIZATION_PLACES:
                break
            now = time.monotonic()
            if caller in _stuck or now >= deadline or now - min(taken) > STUCK:
                _refused.inc()
                raise NoPlace
            _changed.wait(deadline - now)
        since = time.monotonic()
        _taken[caller].append(since)
        return since
