"""A private PostgreSQL and a private Redis on loopback, kept running by the supervisor."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.doors.server import children, free_port
from tests.steady.supervisor import Kept
from tests.waiting import wait_until

USER, NAME = "steady", "steady"


@lru_cache(maxsize=1)
def programs() -> Path | None:
    """Where `initdb` and `postgres` are; None where PostgreSQL's server is missing."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    several = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return several[-1].parent if several else None


def _unprivileged() -> str | None:
    """Who runs the server: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


class PostgreSQL:
    """A cluster of its own in `folder`; trusts whoever reaches its loopback port."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        where = programs()
        assert where is not None, "PostgreSQL's server programs are missing."
        self.port, user = free_port(), _unprivileged()
        data = folder / "postgresql"
        data.mkdir(mode=0o700)
        if user:
            shutil.chown(data, user)
        words = [where / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*words, "--no-sync", "--locale=C.UTF-8"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            user=user,
            extra_groups=[] if user else None,
        )
        command = (
            f"{where}/postgres -D {data} -p {self.port} -c listen_addresses=127.0.0.1"
            f" -c unix_socket_directories={data} -c log_min_messages=warning"
        )
        log = folder / "postgresql.log"
        self.kept = Kept("postgresql", command, environ=environ, log=log, user=user)
        wait_until(self.answers, "PostgreSQL's answer", why=log.read_text)
        with self.connect("postgres") as admin:
            admin.execute(f"CREATE DATABASE {NAME}")

    @property
    def url(self) -> str:
        """For DATABASE_URL."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{NAME}"

    def copy_tables(self, like: dict[str, Any]) -> bool:
        """Make the tables of another database, empty but for its migrations; whether
        that worked: `pg_dump` speaks to no newer server.
        """
        given = {"h": like["HOST"], "p": like["PORT"], "U": like["USER"]}
        place = [f"-{flag}{value}" for flag, value in given.items() if value]
        dump = ["pg_dump", *place, "-O", "-x", like["NAME"]]
        secret = {**os.environ, "PGPASSWORD": str(like["PASSWORD"] or "")}
        for words in (["--schema-only"], ["--data-only", "-tdjango_migrations"]):
            try:
                made = subprocess.run(
                    [*dump, *words], env=secret, capture_output=True, check=True
                )
            except (OSError, subprocess.CalledProcessError):
                return False
            into = ["psql", "-q", "-vON_ERROR_STOP=1", self.url]
            subprocess.run(into, input=made.stdout, check=True, capture_output=True)
        return True

    def connect(self, name: str = NAME) -> psycopg.Connection:
        """A connection of the tests' own, outside any transaction."""
        place = {"host": "127.0.0.1", "port": self.port, "user": USER, "dbname": name}
        words = "-c application_name=steady-test"
        return psycopg.connect(
            **place, autocommit=True, connect_timeout=2, options=words
        )

    def answers(self, name: str = "postgres") -> bool:
        """Whether it takes connections."""
        with suppress(psycopg.OperationalError), self.connect(name) as line:
            line.execute("SELECT 1")
            return True
        return False

    def backends(self) -> list[int]:
        """The processes that serve the product's connections."""
        sql = (
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <>"
            " pg_backend_pid() AND application_name <> 'steady-test'"
        )
        with self.connect() as line:
            return [pid for (pid,) in line.execute(sql, [NAME])]

    def everybody(self) -> list[int]:
        """The main process and all its children."""
        return [self.kept.pid, *children(self.kept.pid)]

    def stop(self) -> None:
        """End it at once; nothing is kept."""
        self.kept.stop(signal.SIGQUIT)


class Redis:
    """A broker of its own; what it holds is lost with it, which harms nothing."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.port = free_port()
        command = (
            f"redis-server --port {self.port} --bind 127.0.0.1 --save ''"
            f" --appendonly no --dir {folder}"
        )
        log = folder / "redis.log"
        self.kept = Kept("redis", command, environ=environ, log=log)
        wait_until(self.answers, "Redis's answer", why=log.read_text)

    @property
    def url(self) -> str:
        """For REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A client of the tests' own."""
        return redis.Redis.from_url(self.url, socket_timeout=2)

    def answers(self) -> bool:
        """Whether it serves."""
        with suppress(redis.RedisError):
            return bool(self.client().ping())
        return False

    def stop(self) -> None:
        """End it."""
        self.kept.stop()
