"""`python -m config.serve`: the web process, with the same protection wherever it runs
(`make demo`, Procfile, image, compose).
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from config.operations import multiprocess

TARGET = "config.asgi:application"


class Respawned(dict[int, float]):
    """When each worker was started again, monotonic seconds, as granian keeps it.

    Where one worker dies twice in these seconds, granian ends them all. Here it does so
    only where no other has served longer than that: one that dies again stops nobody.
    """

    SECONDS = 5.5  # granian's own

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server

    def get(self, key: int, default: Any = None) -> Any:
        """As if worker `key` were started long ago, where another one serves."""
        return default if self._is_served_without(key) else super().get(key, default)

    def _is_served_without(self, index: int) -> bool:
        now = time.monotonic()
        return any(
            worker.is_alive() and now - worker.birth > self.SECONDS
            for worker in self.server.wrks
            if worker.idx != index
        )


def server(*, host: str, port: int) -> Any:
    """The server, not yet running. A bad setting ends the start with its sentence."""
    made = Granian(
        TARGET,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        loop=Loops.asyncio,
        http=HTTPModes.http1,  # whatever ends TLS speaks it
        websockets=False,
        workers=settings.WEB_WORKERS,
        backlog=1024,
        backpressure=512,  # connections of one worker; the rest wait in the backlog
        http1_settings=HTTP1Settings(max_buffer_size=65_536),  # bytes of a head
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=8,  # seconds for calls that are being answered
        log_level=LogLevels(settings.LOG_LEVEL.lower()),
    )
    made.respawned_wrks = Respawned(made)
    return made


def port(word: str) -> int:
    """A TCP port. Raises argparse.ArgumentTypeError for any other word."""
    number = int(word) if word.isascii() and word.isdigit() else 0
    if not 1 <= number <= 65_535:
        raise argparse.ArgumentTypeError("give a number from 1 to 65535")
    return number


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    words = argparse.ArgumentParser(prog="python -m config.serve")
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=port, default=settings.PORT)
    chosen = words.parse_args()
    multiprocess.clear()
    server(host=chosen.host, port=chosen.port).serve()


if __name__ == "__main__":
    main()
