"""Celery workers and a beat as processes of their own, on the tests' PostgreSQL and
Redis; who dies is started again.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from asyncio import AbstractServer
from collections.abc import Awaitable
from contextlib import suppress
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
    """`workers` workers and a beat, which `python -m <module>` forks (`dying.run_celery`)."""

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
        self.running: dict[str, int] = {}
        self.nursery: subprocess.Popen[bytes] | None = None
        self.is_silent = False

    def tend(self) -> None:
        """Start whoever is not running."""
        for name in () if self.is_silent else self.names:
            if name not in self.running or not runs(self.running[name]):
                self.running[name] = self._start(name)

    def _start(self, name: str) -> int:
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
        self.nursery = self.nursery or self._open_nursery()
        told, answers = self.nursery.stdin, self.nursery.stdout
        assert told and answers
        line = [str(self.folder / f"{name}.out"), *words, "--loglevel", "ERROR"]
        told.write(json.dumps(line).encode() + b"\n")
        told.flush()
        return int(answers.readline())

    def _open_nursery(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        with (self.folder / "nursery.out").open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", self.module],
                cwd=ROOT,
                env=self.environ,
                stdin=pipe,
                stdout=pipe,
                stderr=out,
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
        for pid in self.running.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, self.running.values())), "their end")
        self.running.clear()
        if self.nursery:
            self.nursery.communicate()  # which ends with what it is told
            self.nursery = None


def runs(pid: int) -> bool:
    """Whether a process that the nursery forked is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def happened(folder: Path) -> list[list[str]]:
    """The lines the workers wrote."""
    log = folder / "log"
    return (
        [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    )
