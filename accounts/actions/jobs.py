"""Keeping what became of scheduled jobs: one statement each, whoever runs it at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from accounts.models import JobRun

MOST = 2**63 - 1


def know_jobs(names: Iterable[str], *, now: dt.datetime) -> None:
    """From now on they are expected to run; those known already are left alone."""
    rows = [JobRun(name=name, created_at=now) for name in names]
    JobRun.objects.bulk_create(rows, ignore_conflicts=True)


def job_started(name: str, *, now: dt.datetime) -> None:
    """It began."""
    _keep(name, now=now, started_at=now)


def job_succeeded(name: str, *, took_ms: int, result: object, now: dt.datetime) -> None:
    """It ended well, after so many milliseconds; a whole number it returned is kept."""
    is_number = type(result) is int and abs(result) <= MOST
    kept = result if is_number else None
    _keep(name, now=now, succeeded_at=now, took_ms=took_ms, result=kept)


def job_failed(name: str, *, took_ms: int, now: dt.datetime) -> None:
    """It raised, after so many milliseconds."""
    _keep(name, now=now, failed_at=now, took_ms=took_ms)


def _keep(name: str, *, now: dt.datetime, **changes: Any) -> None:
    JobRun.objects.bulk_create(
        [JobRun(name=name, created_at=now, **changes)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=list(changes),
    )
