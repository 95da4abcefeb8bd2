"""Redis as something that may be away: short waits, no tries again, and for some
seconds after a failure nobody asks.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)
# A request waits for a cache or a counter this long and no longer.
SECONDS = 1


def patient_options() -> dict[str, Any]:
    """Options of a connection that gives up after a second, at the first failure."""
    return {
        "socket_timeout": SECONDS,
        "socket_connect_timeout": SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


class AwayFor:
    """True for `seconds` after a failure was noted."""

    def __init__(self, *, seconds: int) -> None:
        self.seconds = seconds
        self._until: float = 0

    def __bool__(self) -> bool:
        return time.monotonic() < self._until

    def note(self, error: Exception) -> None:
        """Redis did not answer."""
        self._until = time.monotonic() + self.seconds
        log.warning("redis.away", error=type(error).__name__, seconds=self.seconds)

    def forget(self) -> None:
        """Ask again at once."""
        self._until = 0
