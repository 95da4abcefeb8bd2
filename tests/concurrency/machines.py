"""Celery workers and a beat as processes of their own, on the tests' PostgreSQL and
Redis; who dies is started again.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from asyncio import AbstractServer
from collections.abc import Awaitable
from pathlib import Path

import redis
from aiosmtpd.controller import Controller
from celery import Celery
from django.db import connection

from tests.services import REDIS_URL
from tests.waiting import LONG, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Broker:
    """The tests' Redis, of which each of these uses names of its own: runs beside each
    other never meet.
    """

    def __init__(self) -> None:
        self.prefix = f"{uuid.uuid4().hex}:"
        self.transport_options = {"global_keyprefix": self.prefix}

    def app(self) -> Celery:
        """Sends tasks to whoever works here; in this process all others go on running
        theirs at once.
        """
        app = Celery(broker=REDIS_URL, set_as_current=False)
        app.conf.broker_transport_options = self.transport_options
        return app

    def forget(self) -> None:
        """Take away what is left."""
        server = redis.Redis.from_url(REDIS_URL)
        for name in server.scan_iter(f"{self.prefix}*"):
            server.delete(name)


class MailServer(Controller):
    """On loopback, at a port that it holds from the moment it is chosen."""

    def __init__(self, handler: object) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        port = self.listening.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{port}"
        super().__init__(handler, hostname="127.0.0.1", port=port, ready_timeout=LONG)

    def _create_server(self) -> Awaitable[AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self.listening)


class Machines:
    """`workers` workers and a beat, started by `python -m <module> worker|beat …`."""

    def __init__(
        self, folder: Path, module: str, *, broker: Broker, workers: int, **environ: str
    ) -> None:
        settings = connection.settings_dict
        place = f"{settings['HOST'] or '127.0.0.1'}:{settings['PORT'] or 5432}/{settings['NAME']}"
        user = settings["USER"] + (
            f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
        )
        self.folder, self.module = folder, module
        self.names = [*(f"worker{number}" for number in range(1, workers + 1)), "beat"]
        self.environ = {
            **os.environ,
            "DEBUG": "true",
            "SECRET_KEY": "for-a-simulation-only",
            "VAR_DIR": str(folder),
            "REDIS_URL": REDIS_URL,
            "SIM_PREFIX": broker.prefix,
            "DATABASE_URL": f"postgres://{user}@{place}",
            "LOG_LEVEL": "ERROR",
            "SITE_URL": "http://127.0.0.1:8000",
            "SIM_FOLDER": str(folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **environ,
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.is_silent = False

    def tend(self) -> None:
        """Start whoever is not running."""
        for name in () if self.is_silent else self.names:
            if name not in self.running or self.running[name].poll() is not None:
                self.running[name] = self._start(name)

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        words = (
            ["beat", "--schedule", str(self.folder / "beat"), "--max-interval", "1"]
            if name == "beat"
            else [
                "worker",
                "-P",
                "solo",
                "-n",
                name,
                "--without-gossip",
                "--without-mingle",
            ]
        )
        command = [sys.executable, "-m", self.module, *words, "--loglevel", "ERROR"]
        with (self.folder / f"{name}.out").open("ab") as out:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=out, stderr=out
            )

    def words(self) -> str:
        """The last ones that the first worker wrote."""
        return (self.folder / "worker1.out").read_text()[-2000:]

    def wait_for(self, what: str, count: int) -> None:
        """Until the workers' log says it so many times."""
        wait_until(
            lambda: [line[0] for line in happened(self.folder)].count(what) >= count,
            f"{count} × {what}",
            why=self.words,
        )

    def stop(self) -> None:
        """SIGKILL to everybody."""
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running.clear()


def happened(folder: Path) -> list[list[str]]:
    """The lines the workers wrote."""
    log = folder / "log"
    return (
        [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    )
