"""`make test`: the suite on SQLite, and the same suite on PostgreSQL where one answers.

With CI=true or REQUIRE_SERVICES=1 a missing PostgreSQL, Redis or Chromium fails instead
of being skipped.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get(
    "TEST_DATABASE_URL", "postgres://root@127.0.0.1:5432/postgres"
)
SQLITE = "sqlite:///:memory:"
REQUIRED = os.environ.get("CI") == "true" or os.environ.get("REQUIRE_SERVICES") == "1"

# Byte code is kept, whatever the environment says: the suite starts hundreds of processes,
# each three times slower without it.
PROCESS = {"DJANGO_ALLOW_ASYNC_UNSAFE": "", "PYTHONDONTWRITEBYTECODE": ""}


# What fails on a busy machine is tried once more, and named at the end; but for races
# (tests/conftest.py), where being right the second time proves nothing.
AGAIN = ("--reruns", "1", "-raR")


def begin(
    *words: str, out: IO[str] | None = None, **environment: str
) -> subprocess.Popen[str]:
    """One run of pytest with its own environment, which writes to `out`."""
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
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)


def run(title: str, *words: str, **environment: str) -> int:
    """One run of pytest; its exit code."""
    print(f"\n== {title}", flush=True)
    return begin(*words, **environment).wait()


@contextmanager
def pages_in_a_browser(codes: list[int]) -> Iterator[None]:
    """The browser's run beside another, since it mostly waits: what it says comes after,
    its exit code into `codes`.
    """
    # Nothing else is collected; tests/conftest.py refuses the mark elsewhere.
    is_told_where = any((ROOT / word.split("::")[0]).exists() for word in sys.argv[1:])
    where = [] if is_told_where else ["tests/browser"]
    redis = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/8")
    with tempfile.TemporaryFile("w+") as said:
        pages = begin(
            *("-p", "no:cacheprovider", "-m", "browser", *where),
            out=said,
            DATABASE_URL=POSTGRES,
            DJANGO_ALLOW_ASYNC_UNSAFE="1",
            TEST_REDIS_URL=redis,  # not the one that the first worker beside it empties
        )
        try:
            yield
            codes.append(pages.wait())
        finally:
            pages.kill()
            pages.wait()
        said.seek(0)
        print("\n== Pages in a browser")
        print(said.read(), flush=True)


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
    """SQLite and the browser, then PostgreSQL alone: its races and time limits want the
    processors.
    """
    # Pages run in a browser once, on PostgreSQL where there is one: what a browser
    # shows does not depend on it.
    workers = ("-n", "2", "--dist", "worksteal")
    if not postgres_answers():
        code = run("SQLite", *workers, DATABASE_URL=SQLITE)
        print(
            f"\nPostgreSQL does not answer at {POSTGRES}: its run was skipped.",
            flush=True,
        )
        sys.exit(code or (1 if REQUIRED else 0))
    codes: list[int] = []
    with pages_in_a_browser(codes):
        only_here = ("-m", "not browser and not postgres")
        codes.append(run("SQLite", *workers, *only_here, DATABASE_URL=SQLITE))
    codes.append(
        run("PostgreSQL", *workers, "-m", "not browser", DATABASE_URL=POSTGRES)
    )
    sys.exit(int(any(codes)))  # one that was killed has a code below zero


if __name__ == "__main__":
    main()
