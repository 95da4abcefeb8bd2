"""How long anybody waits for the database, by what is being answered; and whether it was
silent a moment ago.

A check waits shorter than a page, a page shorter than a report. Times are seconds; zero
is no limit.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)
# Names in `settings.DATABASE_WAITS`.
CHECKS, CALLS, LONG, UNBOUNDED = "checks", "calls", "long", "unbounded"


@dataclass(frozen=True, slots=True)
class Waits:
    """For a lock, for a statement, for the next one inside a transaction, and for any
    byte of the server at all.
    """

    lock: int = 0
    statement: int = 0
    idle: int = 0
    silence: float = 0

    @property
    def parameters(self) -> dict[str, str]:
        """Those that the server keeps, as its parameters."""
        return {
            "lock_timeout": f"{self.lock}s",
            "statement_timeout": f"{self.statement}s",
            "idle_in_transaction_session_timeout": f"{self.idle}s",
        }


class _Here(threading.local):
    name: str = ""


_here = _Here()
_process = [UNBOUNDED]


def wait_as(name: str) -> None:
    """Until it is called again this thread waits as `name` says; empty: as its process."""
    _here.name = name


def process_waits_as(name: str) -> None:
    """Threads of this process that answer no request wait as `name` says."""
    _process[:] = [name]


def waits_now() -> Waits:
    """How this thread waits."""
    waits: Waits = settings.DATABASE_WAITS[_here.name or _process[0]]
    return waits


class Silence:
    """Remembers for SECONDS that the database did not answer at all, so that not every
    thread finds out by itself: meanwhile one asks again, and the others answer at once.
    """

    SECONDS = 1

    def __init__(self) -> None:
        self._until: float = 0
        self._is_known = False
        self._lock = threading.Lock()

    def note(self) -> None:
        """It was silent."""
        with self._lock:
            if not self._is_known:
                log.error("database.silent")
            self._is_known = True
            self._until = time.monotonic() + self.SECONDS

    def over(self) -> None:
        """It answers."""
        if self._is_known:
            self._is_known = False
            log.warning("database.answers_again")

    def keeps_from_asking(self) -> bool:
        """Whether to answer without asking; every SECONDS one caller is let through."""
        if not self._is_known:
            return False
        with self._lock:
            if time.monotonic() < self._until:
                return True
            self._until = time.monotonic() + self.SECONDS
            return False

    @property
    def is_known(self) -> bool:
        """Whether it was silent when last asked."""
        return self._is_known


silence = Silence()
