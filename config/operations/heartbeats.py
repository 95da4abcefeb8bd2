"""Notes what becomes of jobs: a line in the log for each run, and for those of the
schedule a row. The one place that hears Celery's signals about runs.

A database that is away loses the note and never the job.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery.signals import task_postrun, task_prerun, worker_ready
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from config.operations.lateness import names_by_task

log = structlog.get_logger("extra_usage.jobs")
_began: dict[str, float] = {}


def _noted(act: Callable[..., None], *args: Any, **facts: Any) -> None:
    try:
        act(*args, now=timezone.now(), **facts)
    except (DatabaseError, InterfaceError) as error:
        log.warning("job.not_noted", job=args[0], error=str(error))


@worker_ready.connect
def know(**kwargs: Any) -> None:
    """A worker expects the jobs of the schedule from now on."""
    from accounts.actions.jobs import know_jobs

    _noted(know_jobs, list(names_by_task().values()))


@task_prerun.connect
def began(task_id: str, task: Any, **kwargs: Any) -> None:
    """A run begins."""
    from accounts.actions.jobs import job_started

    if task.request.is_eager:
        return
    _began[task_id] = time.monotonic()
    name = names_by_task().get(task.name)
    if name:
        _noted(job_started, name)


@task_postrun.connect
def ended(
    task_id: str, task: Any, retval: Any = None, state: str | None = None, **kwargs: Any
) -> None:
    """A run ended, whatever came of it."""
    from accounts.actions.jobs import job_failed, job_succeeded

    if task.request.is_eager:
        return
    seconds = time.monotonic() - _began.pop(task_id, time.monotonic())
    took_ms = round(seconds * 1_000)
    outcome = {"SUCCESS": "succeeded", "RETRY": "retried"}.get(state or "", "failed")
    log.info("job.ran", job=task.name, id=task_id, outcome=outcome, ms=took_ms)
    name = names_by_task().get(task.name)
    if name and outcome == "succeeded":
        _noted(job_succeeded, name, took_ms=took_ms, result=retval)
    elif name and outcome == "failed":
        _noted(job_failed, name, took_ms=took_ms)
