"""The real web process on loopback, with a database and the cast of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.migrated import migrated
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
FOUND = """
import django; django.setup()
from django.utils import timezone
from tests.factories.people import make_api_key, make_cast
print(make_api_key(make_cast(now=timezone.now()), now=timezone.now()))
"""


def environment(folder: Path, database: str = "") -> dict[str, str]:
    """Settings of a server in its own folder, on SQLite there or on `database`."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "true",
        "SECRET_KEY": "for-a-test-server-only",
        "VAR_DIR": str(folder),
        # One member is checked as fast as the machine can.
        "RATE_LIMIT_MEMBER": "off",
        "REDIS_URL": "",
        "DATABASE_URL": database or f"sqlite:///{folder}/db.sqlite3",
        "SITE_URL": "http://127.0.0.1:8000",
        "LOG_LEVEL": "WARNING",
    }


def free_port() -> int:
    """A port nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(folder: Path, database: str = "", *, tree: Path = ROOT) -> str:
    """Make the database with the cast by the code of `tree`; the secret of Acme's key."""
    environ = environment(folder, database)
    python = [sys.executable]
    if database or tree != ROOT:
        migrate = [*python, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=tree, env=environ, check=True)
    else:
        migrated(folder / "db.sqlite3", environ)
    made = subprocess.run(
        [*python, "-c", FOUND],
        cwd=tree,
        env=environ,
        check=True,
        text=True,
        capture_output=True,
    )
    return made.stdout.strip()


def children(pid: int) -> list[int]:
    """The processes that process `pid` started and that run."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,stat="], text=True)
    rows = [line.split() for line in listed.splitlines()]
    return [
        int(child)
        for child, parent, state in rows
        if int(parent) == pid and not state.startswith("Z")
    ]


@contextmanager
def started(
    folder: Path,
    database: str = "",
    *,
    tree: Path = ROOT,
    port: int = 0,
    **settings: str,
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server started as the product does, by the code of `tree`, and its port."""
    port = port or free_port()
    command = [sys.executable, "-m", "config.serve", "--port", str(port)]
    environ = {**environment(folder, database), **settings}
    server = subprocess.Popen(command, cwd=tree, env=environ)

    def answers() -> bool:
        assert server.poll() is None, "The server ended."
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, "The server's answer")
        yield server, port
    finally:
        server.terminate()
        server.wait()


@contextmanager
def served(folder: Path, database: str = "") -> Iterator[int]:
    """The port of a server that runs."""
    with started(folder, database) as (_server, port):
        yield port
