"""Celery workers and a beat as processes of their own, on the tests' PostgreSQL and
Redis; who dies is started again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from tests.services import REDIS_URL

ROOT = Path(__file__).resolve().parents[2]
# A Redis database for each process of the test run, counted down from the one that the
# tests were given, so that workers
# of two tests never take each other's messages.
_GIVEN = urlsplit(REDIS_URL)
_DATABASE = (
    int(_GIVEN.path.strip("/") or 0)
    - 1
    - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
)
BROKER = urlunsplit(_GIVEN._replace(path=f"/{_DATABASE % 16}"))


class Machines:
    """`workers` workers and a beat, started by `python -m <module> worker|beat …`."""

    def __init__(
        self, folder: Path, module: str, *, workers: int, **environ: str
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
            "REDIS_URL": BROKER,
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
