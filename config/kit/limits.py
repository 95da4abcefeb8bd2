"""How often somebody may call: counted in this process, or for all processes in Redis.

What is called thousands of times a second is counted in memory, which costs
microseconds; what abuse is made of is counted in Redis, where there is one. A Redis
that does not answer limits nobody and fails nobody: each process counts for itself then.
"""

from __future__ import annotations

import math
import threading
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from config.kit.redis import AwayFor, patient_options

# Limits by name, as `settings.RATE_LIMITS` has them. The hot paths are those that run
# with every request of a gateway; they and members are counted by each process alone.
HOT, MEMBER = "hot", "member"
CALLS, REPORTS = "calls", "reports"
WRONG_KEYS, ANONYMOUS = "wrong_keys", "anonymous"
IN_PROCESS = frozenset({HOT, MEMBER})

TIDY = 5  # seconds between two looks for counters whose time is over

_away = AwayFor(seconds=5)


class Counters(MemoryStorage):
    """limits' own, that starts a thread each time to tidy up: two calls at once could
    start the same one, which fails the call. Here every TIDY seconds one call tidies.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tidying = threading.Lock()
        self._tidied_at = time.monotonic()

    def _MemoryStorage__schedule_expiry(self) -> None:
        if time.monotonic() - self._tidied_at < TIDY:
            return
        if self._tidying.acquire(blocking=False):
            try:
                self._tidied_at = time.monotonic()
                self._MemoryStorage__expire_events()  # type: ignore[attr-defined]
            finally:
                self._tidying.release()


class TooManyCalls(Exception):
    """A limit is used up; `seconds` is after how long, in whole seconds, it is worth
    trying again.
    """

    def __init__(self, name: str, *, seconds: int) -> None:
        super().__init__(name)
        self.name = name
        self.seconds = seconds


def count_call(name: str, *who: object) -> None:
    """Count one call by `who` against the limit `name`.

    Raises TooManyCalls when it is used up; that call counts for nothing.
    """
    limit = _limit(name)
    if limit is not None and not _ask("hit", name, limit, who):
        raise TooManyCalls(name, seconds=_wait(name, limit, who))


def check_calls(name: str, *who: object) -> None:
    """Raise TooManyCalls when the limit `name` is used up for `who`; counts nothing."""
    limit = _limit(name)
    if limit is not None and not _ask("test", name, limit, who):
        raise TooManyCalls(name, seconds=_wait(name, limit, who))


def forget_calls() -> None:
    """Count from zero again, in this process."""
    _strategy_in_process.cache_clear()
    _strategy_in_redis.cache_clear()
    _away.forget()


def _limit(name: str) -> RateLimitItem | None:
    rate = settings.RATE_LIMITS[name]
    return _parsed(rate) if rate else None


@lru_cache(maxsize=64)
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)


def _wait(name: str, limit: RateLimitItem, who: tuple[object, ...]) -> int:
    window = _ask("get_window_stats", name, limit, who)
    return max(1, math.ceil(window.reset_time - time.time()))


def _ask(act: str, name: str, limit: RateLimitItem, who: tuple[object, ...]) -> Any:
    """One question to the counters: Redis', where it is for all and answers."""
    words = (name, *map(str, who))
    if name not in IN_PROCESS and settings.REDIS_URL and not _away:
        try:
            return getattr(_strategy_in_redis(settings.REDIS_URL), act)(limit, *words)
        except StorageError as error:
            _away.note(error.storage_error)
    return getattr(_strategy_in_process(), act)(limit, *words)


@lru_cache(maxsize=1)
def _strategy_in_process() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(Counters())


@lru_cache(maxsize=1)
def _strategy_in_redis(url: str) -> FixedWindowRateLimiter:
    address = f"redis+{url}" if url.startswith("unix:") else url
    storage = storage_from_string(address, wrap_exceptions=True, **patient_options())
    assert isinstance(storage, Storage)
    return FixedWindowRateLimiter(storage)
