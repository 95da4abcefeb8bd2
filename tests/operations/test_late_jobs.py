"""When a job is late, told from its row alone."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.jobs import job_failed, job_started, job_succeeded, know_jobs
from accounts.models import JobRun
from config.operations.lateness import GRACE, due_by, lagging_jobs
from config.schedule import SCHEDULE

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = (
    dt.timedelta(seconds=1),
    dt.timedelta(minutes=1),
    dt.timedelta(hours=1),
)
SWEEP, CLOSE, HOURLY, NIGHTLY = (
    "send-due-mails",
    "close-months",
    "roll-up-charges",
    "audit-books",
)


def late(now: dt.datetime) -> set[str]:
    """Names of late jobs."""
    return {one.name for one in lagging_jobs(now)}


@pytest.fixture
def all_ran(now):
    """Every job succeeded just now."""
    for name in SCHEDULE:
        job_succeeded(name, took_ms=5, result=0, now=now)


@pytest.mark.parametrize(
    ("name", "at_least"), [(SWEEP, 5 * MINUTE), (CLOSE, 15 * MINUTE)]
)
def test_a_job_with_an_interval_is_late_after_three_and_five_minutes_at_least(
    all_ran, now, name, at_least
):
    assert name not in late(now + at_least)
    assert name in late(now + at_least + SECOND)


def test_a_job_with_fixed_times_is_late_some_time_after_the_next(all_ran, now):
    hourly, nightly = SCHEDULE[HOURLY]["schedule"], SCHEDULE[NIGHTLY]["schedule"]
    assert due_by(hourly, now) == now.replace(hour=20, minute=5) + GRACE
    morning = dt.datetime(2026, 11, 24, 2, 35, tzinfo=dt.UTC)
    assert due_by(nightly, now) == morning + GRACE
    assert NIGHTLY not in late(morning + GRACE)
    assert NIGHTLY in late(morning + GRACE + SECOND)


def test_a_job_that_never_succeeded_counts_from_when_it_was_first_known(now):
    know_jobs(SCHEDULE, now=now)
    job_started(SWEEP, now=now)
    job_failed(SWEEP, took_ms=1, now=now)
    know_jobs(SCHEDULE, now=now + HOUR)
    assert late(now) == set()
    assert SWEEP in late(now + 6 * MINUTE)
    assert NIGHTLY not in late(now + 6 * MINUTE)


def test_where_no_worker_ever_ran_every_job_is_late(now):
    assert late(now) == set(SCHEDULE)


def test_a_failure_leaves_the_last_success_as_it_was(now):
    job_succeeded(NIGHTLY, took_ms=5, result=3, now=now)
    job_failed(NIGHTLY, took_ms=7, now=now + HOUR)
    run = JobRun.objects.get(name=NIGHTLY)
    assert (run.succeeded_at, run.failed_at) == (now, now + HOUR)
    assert (run.result, run.took_ms) == (3, 7)


def test_noting_a_run_is_one_statement(now, django_assert_num_queries):
    with django_assert_num_queries(2):
        job_started(SWEEP, now=now)
        job_succeeded(SWEEP, took_ms=5, result="a text", now=now)
    assert JobRun.objects.get().result is None
