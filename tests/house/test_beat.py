"""What a beat does about runs that it missed while it was away."""

from __future__ import annotations

import datetime as dt

import pytest
from celery.beat import PersistentScheduler

from config.celery import app
from config.schedule import SCHEDULE


@pytest.fixture
def beat(tmp_path):
    """A beat as it starts, with its file in a folder of its own."""
    app.finalize()

    def start():
        return PersistentScheduler(
            app=app, schedule_filename=str(tmp_path / "schedule"), lazy=False
        )

    return start


def test_a_beat_that_remembers_no_run_starts_every_job_at_once(beat):
    scheduler = beat()
    assert {
        name for name, one in scheduler.schedule.items() if one.is_due().is_due
    } == set(SCHEDULE)
    scheduler.close()


def test_a_beat_that_kept_its_file_goes_by_it_and_makes_up_for_a_night_it_missed(beat):
    scheduler = beat()
    for name, entry in list(scheduler.schedule.items()):
        scheduler.schedule[name] = next(entry)
    yesterday = scheduler.app.now() - dt.timedelta(days=1)
    scheduler.schedule["sync-prices"].last_run_at = yesterday
    scheduler.close()
    again = beat()
    due = {name for name, one in again.schedule.items() if one.is_due().is_due}
    assert due == {"sync-prices"}
    again.close()
