"""When a job is late: the one rule for metrics, health and operators' pages.

A job with an interval is late once its last success is older than three of them, five
minutes at least; one with fixed times, GRACE after the time that followed its last
success. One that never succeeded is measured from when a worker first knew of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from celery.schedules import crontab

from accounts.models import JobRun
from config.schedule import SCHEDULE

LEAST = dt.timedelta(minutes=5)
# A run may take half an hour (CELERY_TASK_TIME_LIMIT), and wait for its turn.
GRACE = dt.timedelta(minutes=45)


@dataclass(frozen=True, slots=True)
class JobState:
    """One job of the schedule, by its name there; `run` is None where no worker has ever
    heard of it, and `due_by` the moment by which it must succeed (again).
    """

    name: str
    run: JobRun | None
    due_by: dt.datetime | None

    def late_seconds(self, now: dt.datetime) -> float:
        """How late it is: zero in time, infinite where nobody ever ran it."""
        if self.due_by is None:
            return float("inf")
        return max(0, (now - self.due_by).total_seconds())


def due_by(schedule: Any, last: dt.datetime) -> dt.datetime:
    """The moment by which a job that succeeded at `last` must succeed again."""
    if isinstance(schedule, crontab):
        start, ends_in, _now = schedule.remaining_delta(last, tz=dt.UTC)
        due: dt.datetime = start + ends_in
        return due + GRACE
    return last + max(3 * dt.timedelta(seconds=schedule), LEAST)


def job_states() -> list[JobState]:
    """Every job of the schedule with its last run: one small query."""
    runs = {run.name: run for run in JobRun.objects.filter(name__in=SCHEDULE)}
    return [_state(name, runs.get(name)) for name in SCHEDULE]


def _state(name: str, run: JobRun | None) -> JobState:
    if run is None:
        return JobState(name, None, None)
    last = run.succeeded_at or run.created_at
    return JobState(name, run, due_by(SCHEDULE[name]["schedule"], last))


def lagging_jobs(now: dt.datetime) -> list[JobState]:
    """The jobs that are late at `now`."""
    return [one for one in job_states() if one.late_seconds(now) > 0]


@lru_cache(maxsize=1)
def names_by_task() -> dict[str, str]:
    """The names of the schedule by their tasks'."""
    return {str(entry["task"]): name for name, entry in SCHEDULE.items()}
