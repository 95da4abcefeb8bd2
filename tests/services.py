"""What outside services the tests find here.

A test that needs a missing one is skipped with the reason; in CI it fails.
"""

from __future__ import annotations

import os
import shutil
import socket
from functools import lru_cache
from urllib.parse import urlsplit

REQUIRED = os.environ.get("CI") == "true" or os.environ.get("REQUIRE_SERVICES") == "1"
# Each of pytest's workers empties a Redis of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS_URL = os.environ.get(
    "TEST_REDIS_URL", f"redis://127.0.0.1:6379/{15 - _WORKER % 16}"
)


@lru_cache(maxsize=1)
def chromium() -> str | None:
    """Debian's Chromium, or the browser named by CHROMIUM."""
    return (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
    )


def pgbouncer() -> str | None:
    """Debian's PgBouncer, which is not on everybody's PATH."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def _has_playwright() -> bool:
    try:
        import playwright  # noqa: F401
    except ImportError:
        return False
    return True


def _has_cluster() -> bool:
    from tests.steady.stores import programs

    return programs() is not None


def missing(name: str) -> str | None:
    """Why a test marked `name` can't run here; None when it can."""
    from django.db import connection

    if name == "postgres" and connection.vendor != "postgresql":
        return "needs PostgreSQL: set DATABASE_URL=postgres://…"
    if name == "redis" and not _answers(REDIS_URL):
        return f"needs Redis: nothing answers at {REDIS_URL}"
    if name == "browser" and not (chromium() and _has_playwright()):
        return "needs Chromium and requirements/browser.txt"
    if name == "cluster" and not (_has_cluster() and shutil.which("redis-server")):
        return "needs initdb (Debian's postgresql) and redis-server"
    if name == "faketime" and not shutil.which("faketime"):
        return "needs faketime (Debian's package of that name)"
    if name == "peers" and os.environ.get("PEERS") != "1":
        return "needs other systems' programs: make test-peers"
    if name == "pgbouncer" and not pgbouncer():
        return "needs PgBouncer (Debian's package pgbouncer)"
    return None


@lru_cache(maxsize=4)
def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection(
            (parts.hostname or "127.0.0.1", parts.port or 6379), timeout=1
        ):
            return True
    except OSError:
        return False
