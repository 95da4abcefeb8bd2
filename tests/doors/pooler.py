"""PgBouncer between this process and the tests' PostgreSQL, with fewer sessions than we
have threads.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from tests.services import pgbouncer
from tests.waiting import LONG

# `auth_type = any` takes everybody; the database line says as whom they come.
INI = """
[databases]
* = host={HOST} port={PORT} user={USER} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
"""


@contextmanager
def behind_pgbouncer(folder: Path, *, mode: str, sessions: int) -> Iterator[None]:
    """All threads' connections go through a PgBouncer of their own."""
    place = connection.settings_dict
    before = {name: place[name] for name in ("HOST", "PORT", "OPTIONS")}
    port = _free_port()
    ini = folder / "pgbouncer.ini"
    ini.write_text(_ini(place, mode=mode, sessions=sessions, listen_port=port))
    as_whom = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [str(pgbouncer()), "-q", *as_whom, str(ini)], stderr=subprocess.DEVNULL
    )
    connection.close()
    place["HOST"], place["PORT"] = "127.0.0.1", port
    try:
        _wait_for(port)
        yield
    finally:
        connection.close()
        place.update(before)
        process.kill()
        process.wait()


def _ini(place: dict[str, Any], **words: Any) -> str:
    password = f"password={place['PASSWORD']}" if place["PASSWORD"] else ""
    there = {"HOST": place["HOST"] or "127.0.0.1", "PORT": place["PORT"] or 5432}
    return INI.format(password=password, USER=place["USER"], **there, **words)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + LONG
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
