"""The worker's heartbeat: from its own loop, so that one that hangs leaves none."""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from config.operations.alive import EVERY_SECONDS


class Heartbeat(bootsteps.StartStopStep):
    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.timer: Any = None

    def start(self, parent: Any) -> None:
        """From the start of the worker on."""
        from config.operations.beat import live

        live("worker")
        self.timer = parent.timer.call_repeatedly(
            EVERY_SECONDS, live, ("worker",), priority=10
        )

    def stop(self, parent: Any) -> None:
        """With its end."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
