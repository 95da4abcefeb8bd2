"""Which errors of the database are an outage: nothing wrong with what was asked, so that
the same may be sent again after a while.
"""

from __future__ import annotations

from django.db import InterfaceError, OperationalError
from prometheus_client import Counter

# SQLSTATE: a lock or a statement that took too long, one of a deadlock, a transaction
# that stood still too long, a session that was ended.
BUSY = ("40001", "40P01", "55P03", "57014")
AWAY = ("25P03", "25P04", "53", "57P", "58", "08")
SQLITE_BUSY = ("database is locked", "database table is locked")


# What a 503 was for: a lock, a statement that took too long, a database that is away, no
# place left for the organization, a host whose clock is off.
LOCK, STATEMENT, DATABASE, NO_PLACE, CLOCK = CAUSES = (
    "lock",
    "statement",
    "database",
    "no_place",
    "clock",
)
_unavailable = Counter(
    "extra_usage_unavailable",
    "Calls and pages answered 503, by why.",
    ["cause"],
)
for _cause in CAUSES:
    _unavailable.labels(_cause)


def count_unavailable(cause: str) -> None:
    """A call or a page was answered 503 for one of CAUSES."""
    _unavailable.labels(cause).inc()


def cause_of(error: BaseException) -> str:
    """Which of CAUSES an outage is."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state == "57014":
        return STATEMENT
    is_lock = state and state.startswith(BUSY)
    return LOCK if is_lock or str(error).startswith(SQLITE_BUSY) else DATABASE


def is_away(error: BaseException) -> bool:
    """Whether the database itself could not be asked."""
    return seconds_to_wait(error) is not None and cause_of(error) == DATABASE


def seconds_to_wait(error: BaseException | None) -> int | None:
    """After how many seconds to send the same again; None where the error is no outage."""
    if isinstance(error, InterfaceError):
        return 2
    if not isinstance(error, OperationalError):
        return None
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        # psycopg has no state for a connection that is gone, or never was.
        is_psycopg = type(error.__cause__).__module__.startswith("psycopg")
        if is_psycopg or error.__cause__ is None:
            return 2
        return 1 if str(error).startswith(SQLITE_BUSY) else None
    if state.startswith(BUSY):
        return 1
    return 2 if state.startswith(AWAY) else None
