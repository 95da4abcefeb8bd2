"""What the parts of the bench share: its database, the real server on it, and the load
generator.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.doors.server import free_port
from tests.run import POSTGRES, ROOT

NAME = "extra_usage_bench"


def database_url() -> str:
    """The bench's own database on the tests' PostgreSQL."""
    return urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{NAME}"))


def recreate(*, make: bool) -> None:
    """Drop the bench's database, and make it anew."""
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        if make:
            admin.execute(f"CREATE DATABASE {NAME}")


def environment(folder: str) -> dict[str, str]:
    """Production-like settings."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        "DEBUG": "false",
        "LOG_LEVEL": "ERROR",
        "REDIS_URL": "",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": database_url(),
        "VAR_DIR": folder,
        "EMAIL_URL": "dummymail://",
        "SITE_URL": "http://127.0.0.1:8000",
    }


def manage(command: str, environ: dict[str, str]) -> None:
    """A command of `manage.py`, quietly."""
    words = [sys.executable, "manage.py", command, "--noinput", "--verbosity", "0"]
    subprocess.run(words, cwd=ROOT, env=environ, check=True)


@contextmanager
def served(environ: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The web process as the Procfile starts it, answering, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "config.serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        wait_for_server(port)
        yield server, port
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_server(port: int) -> None:
    """Until something listens there; ends the bench after half a minute."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("The server did not start.")


def generate(title: str, job: dict[str, Any]) -> dict[str, float]:
    """What the load generator measured of this job, in its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        cwd=ROOT,
        input=json.dumps(job),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{title}: {done.stderr.strip()}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def say(what: str) -> None:
    """What is measured now, on a line that the next one replaces."""
    print(f"  {what}\033[K", end="\r", file=sys.stderr, flush=True)
