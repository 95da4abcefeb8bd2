"""`make test`: the suite on SQLite, and the same suite on PostgreSQL where one answers.

With CI=true or REQUIRE_SERVICES=1 a missing PostgreSQL, Redis or Chromium fails instead
of being skipped.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get(
    "TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres"
)
REQUIRED = os.environ.get("CI") == "true" or os.environ.get("REQUIRE_SERVICES") == "1"

# Byte code is kept, whatever the environment says: the suite starts hundreds of processes,
# each three times slower without it.
PROCESS = {"DJANGO_ALLOW_ASYNC_UNSAFE": "", "PYTHONDONTWRITEBYTECODE": ""}


# What fails on a busy machine is tried once more, and named at the end; but for races
# (tests/conftest.py), where being right the second time proves nothing.
AGAIN = ("--reruns", "1", "-raR")


def run(title: str, *words: str, **environment: str) -> int:
    """One run of pytest with its own environment; its exit code."""
    print(f"\n== {title}", flush=True)
    environ = {**os.environ, **PROCESS, **environment}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--create-db",
        "--durations=30",
        *AGAIN,
        *words,
        *sys.argv[1:],
    ]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def postgres_answers() -> bool:
    """Whether a PostgreSQL listens where the tests expect one."""
    parts = urlsplit(POSTGRES)
    try:
        with socket.create_connection(
            (parts.hostname or "127.0.0.1", parts.port or 5432), timeout=2
        ):
            return True
    except OSError:
        return False


def main() -> None:
    # Pages run in a browser once, on PostgreSQL where there is one: what a browser
    # shows does not depend on it.
    on_postgres = postgres_answers()
    only_here = ["-m", "not browser and not postgres"] if on_postgres else []
    codes = [run("SQLite", "-n", "2", *only_here, DATABASE_URL="sqlite:///:memory:")]
    if on_postgres:
        codes.append(
            run("PostgreSQL", "-n", "2", "-m", "not browser", DATABASE_URL=POSTGRES)
        )
        codes.append(
            run(
                "Pages in a browser",
                "-m",
                "browser",
                DATABASE_URL=POSTGRES,
                DJANGO_ALLOW_ASYNC_UNSAFE="1",
            )
        )
    else:
        print(
            f"\nPostgreSQL does not answer at {POSTGRES}: its run was skipped.",
            flush=True,
        )
        codes.append(1 if REQUIRED else 0)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
