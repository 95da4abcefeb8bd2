"""Beat's scheduler: the one that fills no queue, leaving a heartbeat at each turn."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings

from config.beat import BoundedScheduler
from config.operations.alive import touch

log = structlog.get_logger(__name__)


def live(name: str) -> None:
    """Leave a heartbeat; a full disk is told and ends nothing."""
    try:
        touch(settings.VAR_DIR, name)
    except OSError as error:
        log.warning("heartbeat.not_written", name=name, error=str(error))


class Scheduler(BoundedScheduler):
    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """One turn: send what is due; the seconds until the next."""
        live("beat")
        return super().tick(*args, **kwargs)

    def _ensure_connected(self) -> Any:
        """While the broker is away, beat waits for it here and lives all the same."""

        def not_yet(error: Exception, seconds: float) -> None:
            live("beat")
            log.warning("beat.broker_away", error=str(error), again_in=seconds)

        tries = self.app.conf.broker_connection_max_retries
        return self.connection.ensure_connection(not_yet, tries)
