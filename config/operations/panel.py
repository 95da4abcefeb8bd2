"""Scheduled jobs on the operators' start page: what ran when, what is late, what comes
next. The rule of lateness is `config.operations.lateness`'s.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from celery.schedules import crontab
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.operators.start import Panel, register_panel
from config.kit.dates import duration_text, moment_label
from config.operations.lateness import JobState, job_states
from config.operations.words import job_label
from config.schedule import SCHEDULE

ZONE, SHOWN = "UTC", 6


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in words; times in UTC."""

    label: str
    facts: str
    late: str
    failed: str


def jobs_panel(request: HttpRequest, now: dt.datetime) -> dict[str, Any]:
    """Every job of the schedule: late ones first, those that failed, then the latest."""
    states = job_states()
    states.sort(key=lambda one: (-one.late_seconds(now), not _failed(one), -_ran(one)))
    rows = [_row(one, now) for one in states]
    return {
        "rows": rows[:SHOWN],
        "more": rows[SHOWN:],
        "late": sum(bool(row.late) for row in rows),
        "is_unknown": all(one.run is None for one in states),
    }


def _ran(state: JobState) -> float:
    ran_at = state.run and state.run.succeeded_at
    return ran_at.timestamp() if ran_at else 0.0


def _row(state: JobState, now: dt.datetime) -> JobRow:
    late = state.late_seconds(now)
    return JobRow(
        job_label(state.name),
        ", ".join(filter(None, [_ran_text(state, now), _next_text(state, now)])),
        _late_text(late) if late else "",
        _failed_text(state, now),
    )


def _ran_text(state: JobState, now: dt.datetime) -> str:
    if state.run is None or state.run.succeeded_at is None:
        return _("never ran")
    words = {"when": moment_label(state.run.succeeded_at, zone=ZONE, now=now)}
    if state.run.took_ms is None:
        return _("ran %(when)s") % words
    words["seconds"] = f"{state.run.took_ms / 1000:,.1f}"
    return _("ran %(when)s in %(seconds)s s") % words


def _next_text(state: JobState, now: dt.datetime) -> str:
    """When it starts next; nothing where no worker knows it."""
    if state.run is None:
        return ""
    starts_at = next_start(SCHEDULE[state.name]["schedule"], state, now)
    if starts_at <= now:
        return _("due now")
    return _("next %(when)s") % {"when": moment_label(starts_at, zone=ZONE, now=now)}


def next_start(schedule: Any, state: JobState, now: dt.datetime) -> dt.datetime:
    """When a job of the schedule starts next, as far as its last run tells."""
    if isinstance(schedule, crontab):
        start, ends_in, _now = schedule.remaining_delta(now, tz=dt.UTC)
        starts_at: dt.datetime = start + ends_in
        return starts_at
    run = state.run
    last = run and (run.started_at or run.created_at)
    return (last or now) + dt.timedelta(seconds=schedule)


def _late_text(seconds: float) -> str:
    """How late; a job that no worker has ever heard of has no number."""
    if seconds == float("inf"):
        return _("No worker has started it yet")
    length = duration_text(dt.timedelta(seconds=seconds))
    return _("%(duration)s late") % {"duration": length}


def _failed_text(state: JobState, now: dt.datetime) -> str:
    """That its last run failed; nothing where it has succeeded since."""
    if state.run is None or state.run.failed_at is None or not _failed(state):
        return ""
    when = moment_label(state.run.failed_at, zone=ZONE, now=now)
    return _("failed %(when)s; the log says why") % {"when": when}


def _failed(state: JobState) -> bool:
    run = state.run
    if run is None or run.failed_at is None:
        return False
    return run.succeeded_at is None or run.succeeded_at < run.failed_at


register_panel(
    "jobs",
    Panel(
        "admin/operations/_jobs.html",
        jobs_panel,
        "accounts.view_organization",
        order=20,
        is_wide=False,
    ),
)
