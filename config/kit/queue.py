"""How many messages wait for a worker, and when that is enough.

A broker keeps expired messages until a worker takes them, so without one the queue would
grow for ever. What is not sent loses nothing: a sweep finds the row.
"""

from __future__ import annotations

import time

from celery import current_app
from kombu.exceptions import ChannelError

# Above it nobody adds messages; jobs that run once an hour or a day, up to twice as many.
MOST_WAITING = 1_000
# The broker is asked at most this often by one process.
LOOK_EVERY_SECONDS = 5


class Waiting:
    """The length of the queue as a process last saw it."""

    def __init__(self) -> None:
        self._seen = 0
        self._until: float = 0

    def count(self) -> int:
        """Messages that wait. Raises what the broker raises."""
        if time.monotonic() >= self._until:
            self._seen = _ask()
            self._until = time.monotonic() + LOOK_EVERY_SECONDS
        return self._seen

    def forget(self) -> None:
        """Ask again at once."""
        self._until = 0


waiting = Waiting()


def is_full(most: int = MOST_WAITING) -> bool:
    """Whether the queue holds as many messages as it may."""
    return waiting.count() >= most


def _ask() -> int:
    with current_app.connection_for_write() as connection:
        name = current_app.conf.task_default_queue
        try:
            return connection.default_channel.queue_declare(
                name, passive=True
            ).message_count
        except ChannelError:  # there was never a message
            return 0
