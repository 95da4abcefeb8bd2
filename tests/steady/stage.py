"""The stage: a private PostgreSQL and Redis, a mail server, and web, worker and beat as
the Procfile starts them, each under a supervisor.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.concurrency.machines import MailServer
from tests.doors.server import children, free_port
from tests.steady.procfile import ROOT, commands
from tests.steady.stores import PostgreSQL, Redis
from tests.steady.supervisor import Kept, processes_of, send
from tests.waiting import wait_until

PARTS = ("web", "worker", "beat")


@dataclass
class Letters:
    """What the mail server took: Message-ID, recipient, and when (Unix seconds)."""

    taken: list[tuple[str, str, float]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        head = envelope.content.decode("utf-8", "replace").partition("\r\n\r\n")[0]
        found = [
            line.partition(":")[2].strip()
            for line in head.splitlines()
            if line.lower().startswith("message-id:")
        ]
        self.taken.append((found[0], envelope.rcpt_tos[0], time.time()))
        return "250 OK"


@dataclass
class Stage:
    """What runs, and where."""

    folder: Path
    environ: dict[str, str]
    port: int
    postgresql: PostgreSQL
    redis: Redis
    letters: Letters
    parts: dict[str, Kept] = field(default_factory=dict)
    organizations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the web process answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, command: str, **settings: str) -> Kept:
        """One more main process under the supervisor."""
        log = self.folder / f"{name}.log"
        environ = {**self.environ, **settings}
        self.parts[name] = Kept(name, command, environ=environ, log=log)
        return self.parts[name]

    def run(self, *words: str, **settings: str) -> str:
        """What a command of Python with the stage's settings prints."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**self.environ, **settings},
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def workers(self, name: str) -> list[int]:
        """The processes that a main process started."""
        return children(self.parts[name].pid)

    def is_ready(self) -> bool:
        """Whether web answers and its database, too."""
        return status_of(f"{self.url}/readyz") == 200


def silenced() -> None:
    """The mail server of this process tells its log nothing."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)


def status_of(url: str, *, timeout: float = 5) -> int:
    """The status of an answer; 0 where none comes."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _environ(folder: Path, mark: str) -> dict[str, str]:
    bins = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    return {**kept, "PATH": bins, "STEADY_STAGE": mark, "TMPDIR": str(folder)}


def _settings(folder: Path, port: int, **urls: str) -> dict[str, str]:
    """Settings as in production, on one machine."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "VAR_DIR": str(folder / "var"),
        "PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_PAYMENTS": "true",
        "LOG_LEVEL": "INFO",
        **urls,
    }


@contextmanager
def staged(
    *parts: str, like: dict[str, Any] | None = None, **settings: str
) -> Iterator[Stage]:
    """The stage with `parts` of the Procfile running (all of them by default).

    `like` is Django's place of a migrated database, whose tables are copied where that
    works: much faster than migrating.
    """
    folder = Path(tempfile.mkdtemp(prefix="steady"))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    mark = secrets.token_hex(8)
    try:
        with ExitStack() as ends:
            ends.callback(_end_strays, mark)
            stage = _built(folder, mark, ends, settings)
            _fill(stage, like)
            for name in parts or PARTS:
                ends.callback(stage.start(name, commands()[name]).stop)
            if "web" in stage.parts:
                web = folder / "web.log"
                wait_until(stage.is_ready, "The web process", why=web.read_text)
            yield stage
    finally:
        keep = os.environ.get("STEADY_KEEP")
        if keep:
            shutil.copytree(
                folder,
                keep,
                ignore=shutil.ignore_patterns("postgresql"),
                dirs_exist_ok=True,
            )
        shutil.rmtree(folder, ignore_errors=True)


def _built(folder: Path, mark: str, ends: ExitStack, settings: dict[str, str]) -> Stage:
    bare = _environ(folder, mark)
    postgresql = PostgreSQL(folder, bare)
    ends.callback(postgresql.stop)
    redis = Redis(folder, bare)
    ends.callback(redis.stop)
    letters = Letters()
    silenced()
    mails = MailServer(letters)
    mails.start()
    ends.callback(mails.stop)
    port = free_port()
    urls = {
        "DATABASE_URL": postgresql.url,
        "REDIS_URL": redis.url,
        "EMAIL_URL": mails.url,
    }
    environ = {**bare, **_settings(folder, port, **urls), **settings}
    return Stage(folder, environ, port, postgresql, redis, letters)


def _fill(stage: Stage, like: dict[str, Any] | None) -> None:
    if like is None or not stage.postgresql.copy_tables(like):
        release = commands()["release"].removeprefix("python ").split()
        stage.run(*release, "--verbosity", "0")
    stage.organizations = json.loads(stage.run("-m", "tests.steady.seed"))


def _end_strays(mark: str) -> None:
    """Whoever outlived its main process."""
    for pid in processes_of(f"STEADY_STAGE={mark}"):
        send(pid, signal.SIGKILL)
