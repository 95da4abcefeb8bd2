"""This host's clock beside the database's own, which all hosts share.

A host that is off by more than a minute says so and does nothing that depends on the
clock: what it would place, check or close might be in the wrong month. On SQLite the
database has no clock but the host's.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection
from django.utils import timezone
from prometheus_client import Gauge

from config.kit.sql import is_postgresql

log = structlog.get_logger(__name__)

MOST_SECONDS = 60
# A column that statements have beside their own, so that asking costs no round trip.
DATABASE_CLOCK = "clock_timestamp()" if is_postgresql() else "NULL"
# One line a process and minute, however many calls are refused.
LOG_EVERY_SECONDS = 60

_skew = Gauge(
    "extra_usage_clock_skew_seconds",
    "How far this host's clock is from the database's when last compared: positive where"
    " the host is ahead, negative where it is behind.",
    multiprocess_mode="mostrecent",
)
_next_line_at = [0]


class ClockIsOff(Exception):
    """This host's clock is more than a minute from the database's.

    `seconds` is positive where the host is ahead.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        way = "ahead of" if seconds > 0 else "behind"
        super().__init__(
            f"This host's clock is off: it is {abs(round(seconds)):,} seconds {way} the"
            " database's."
        )


@dataclass(frozen=True, slots=True)
class HostClock:
    """A moment of this host's clock, an aware UTC instant, at which the database was
    about to be asked for its own.
    """

    asked_at: dt.datetime

    @classmethod
    def read(cls) -> HostClock:
        """The clock as it stands."""
        return cls(timezone.now())

    def agree(self, database_time: Any) -> dt.datetime:
        """`asked_at` by the database's clock, from what that said just now (None: it
        said nothing). Raises ClockIsOff beyond a minute.

        The database spoke after it was asked and before it was heard, so however long
        it took, as behind a lock, a right clock is never found to be off.
        """
        if database_time is None:
            return self.asked_at
        heard_at = timezone.now()
        if self.asked_at <= database_time <= heard_at:
            off = dt.timedelta()
        elif database_time < self.asked_at:
            off = self.asked_at - database_time
        else:
            off = heard_at - database_time
        _tell(off.total_seconds())
        return self.asked_at - off


def _tell(seconds: float) -> None:
    """Keep the skew for /metrics, log one that is too large. Raises ClockIsOff for it."""
    _skew.set(round(seconds, 3))
    if abs(seconds) <= MOST_SECONDS:
        return
    if time.monotonic() >= _next_line_at[0]:
        _next_line_at[0] = int(time.monotonic()) + LOG_EVERY_SECONDS
        log.error("clock.off", seconds=round(seconds), most=MOST_SECONDS)
    raise ClockIsOff(seconds)


def database_now() -> dt.datetime:
    """This moment by the database's clock; by the host's where it has none.

    Raises ClockIsOff where the two contradict each other, DatabaseError where the
    database does not answer.
    """
    host = HostClock.read()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {DATABASE_CLOCK}")
        [database_time] = cursor.fetchone()
    return host.agree(database_time)
