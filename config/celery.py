"""The Celery application.

A message only says “soon”: what is due is found in the rows, so a lost one loses nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("extra_usage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_queue_folders(sender: Celery, **kwargs: object) -> None:
    """The embedded broker keeps its messages in folders, which must exist."""
    options = sender.conf.broker_transport_options
    for name in ("data_folder_in", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)


@app.on_after_finalize.connect
def schedule(sender: Celery, **kwargs: object) -> None:
    """Beat's schedule, in code."""
    from config.schedule import SCHEDULE

    sender.conf.beat_schedule = SCHEDULE


@setup_logging.connect
def keep_our_logging(**kwargs: object) -> None:
    """Django configured logging already; Celery must not replace it."""
