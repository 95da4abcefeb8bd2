"""The Celery application.

A message only says “soon”: what is due is found in the rows, so a lost one loses nothing.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging, worker_init

from config.operations.worker import Heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("extra_usage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Heartbeat)


@app.on_after_configure.connect
def make_queue_folders(sender: Celery, **kwargs: object) -> None:
    """The embedded broker keeps its messages in folders, which must exist."""
    options = sender.conf.broker_transport_options
    for name in ("data_folder_in", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)


@app.on_after_finalize.connect
def schedule(sender: Celery, **kwargs: object) -> None:
    """Beat's schedule, in code.

    A beat that remembers no run (a new container) starts each job at once: a nightly one
    whose hour passed meanwhile would else wait for the next night. One that kept its
    file goes by that.
    """
    from config.schedule import SCHEDULE

    longest_ago = sender.now() - dt.timedelta(days=1)
    sender.conf.beat_schedule = {
        name: {"last_run_at": longest_ago, **entry} for name, entry in SCHEDULE.items()
    }


@setup_logging.connect
def keep_our_logging(**kwargs: object) -> None:
    """Django configured logging already; Celery must not replace it."""


@worker_init.connect
def wait_as_jobs_do(**kwargs: object) -> None:
    """Jobs wait longer for the database than calls, and not for ever."""
    from config.kit.waits import LONG, process_waits_as

    process_waits_as(LONG)
