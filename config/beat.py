"""Celery beat as it runs here: it adds nothing to a queue that nobody empties."""

from __future__ import annotations

from typing import Any

import structlog
from celery.beat import PersistentScheduler

from config.kit.queue import MOST_WAITING, is_full
from config.schedule import LEAST_EXPIRY

log = structlog.get_logger(__name__)


class BoundedScheduler(PersistentScheduler):
    """Skips a turn while enough messages wait; the next comes by itself."""

    def apply_async(
        self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any
    ) -> Any:
        """Send one entry's message, unless the queue is full; raises what the broker
        raises, which beat logs.

        Jobs with a day or an hour between them may go further than the frequent ones.
        """
        is_rare = entry.options["expires"] > LEAST_EXPIRY
        if is_full(MOST_WAITING * (2 if is_rare else 1)):
            log.warning("beat.queue_full", skipped=entry.name)
            return None
        return super().apply_async(entry, producer, advance, **kwargs)
