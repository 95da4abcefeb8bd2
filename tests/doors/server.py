"""The real web process on loopback, with a SQLite file and the cast of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
FOUND = """
import django; django.setup()
from django.utils import timezone
from tests.factories.people import make_api_key, make_cast
print(make_api_key(make_cast(now=timezone.now()), now=timezone.now()))
"""


def environment(folder: Path) -> dict[str, str]:
    """Settings of a server in its own folder."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "true",
        "SECRET_KEY": "for-a-test-server-only",
        "VAR_DIR": str(folder),
        "REDIS_URL": "",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "SITE_URL": "http://127.0.0.1:8000",
        "LOG_LEVEL": "WARNING",
    }


def free_port() -> int:
    """A port nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(folder: Path) -> str:
    """Make the database with the cast; the secret of Acme's key."""
    environ = environment(folder)
    python = [sys.executable]
    migrate = [*python, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=environ, check=True)
    made = subprocess.run(
        [*python, "-c", FOUND],
        cwd=ROOT,
        env=environ,
        check=True,
        text=True,
        capture_output=True,
    )
    return made.stdout.strip()


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The server started as the product does; the port it answers at."""
    port = free_port()
    words = (
        "--interface wsgi --workers 1 --blocking-threads 4 --no-ws --log-level warning"
    )
    command = [
        str(Path(sys.executable).parent / "granian"),
        *words.split(),
        *("--host", "127.0.0.1", "--port", str(port)),
        "config.wsgi:application",
    ]
    server = subprocess.Popen(command, cwd=ROOT, env=environment(folder))

    def answers() -> bool:
        assert server.poll() is None, "The server ended."
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(answers, "The server's answer")
        yield port
    finally:
        server.terminate()
        server.wait()
