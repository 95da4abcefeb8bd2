"""What operators watch of jobs and their queue."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

from celery import current_app
from django.conf import settings
from redis import Redis, RedisError

from config.kit.measures import Measure, measures, single
from config.kit.redis import patient_options
from config.operations.lateness import JobState, job_states


@measures
def jobs(now: dt.datetime) -> list[Measure]:
    """Each job's last start, success and failure, how long it took, and how late it is."""
    states = job_states()
    late = {one.name: one.late_seconds(now) for one in states}
    return [
        _moments("started", "started", states, lambda run: run.started_at),
        _moments("success", "succeeded", states, lambda run: run.succeeded_at),
        _moments("failure", "failed", states, lambda run: run.failed_at),
        Measure(
            "job_last_duration_seconds",
            "How long the job's last finished run took.",
            {
                one.name: one.run.took_ms / 1_000
                for one in states
                if one.run and one.run.took_ms is not None
            },
            "job_name",
        ),
        Measure(
            "job_late_seconds",
            "For how long the job should have succeeded by now: 0 in time, +Inf where no"
            " worker has ever run.",
            late,
            "job_name",
        ),
    ]


def _moments(
    name: str,
    word: str,
    states: list[JobState],
    moment: Callable[..., dt.datetime | None],
) -> Measure:
    """Zero where it has not happened yet, so that the series is there."""
    values = {}
    for one in states:
        at = moment(one.run) if one.run else None
        values[one.name] = at.timestamp() if at else 0.0
    text = f"When the job last {word} (Unix time); 0: never."
    return Measure(f"job_last_{name}_timestamp_seconds", text, values, "job_name")


def broker() -> list[Measure]:
    """Whether the broker answers, and how many messages wait in each queue."""
    names = list(current_app.amqp.queues)
    try:
        lengths = _in_redis(names) if settings.REDIS_URL else _in_files(names)
    except (RedisError, OSError):
        return [_up(0)]
    text = "Messages that wait for a worker."
    return [_up(1), Measure("queue_messages", text, lengths, "queue")]


def _up(value: int) -> Measure:
    return single("broker_up", "Whether the broker answered this scrape.", value)


def _in_redis(names: list[str]) -> dict[str, float]:
    with Redis.from_url(settings.REDIS_URL, **patient_options()) as client:
        return {name: int(client.llen(name)) for name in names}  # type: ignore[arg-type]


def _in_files(names: list[str]) -> dict[str, float]:
    """The embedded broker's messages: a file each, `…_<id>.<queue>.msg`."""
    lengths = dict.fromkeys(names, 0.0)
    queue_dir = getattr(settings, "QUEUE_DIR", None)
    if queue_dir is None:
        return lengths
    for entry in os.scandir(queue_dir):
        parts = entry.name.split(".")
        if parts[-1] == "msg" and parts[-2] in lengths:
            lengths[parts[-2]] += 1
    return lengths
