"""An empty database with all migrations: made once for this code, copied after that.
Migrating takes ten seconds of a processor, and each of pytest's workers would.

`migrate` runs on every copy too: what a copy lacks, it gets.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import pytest
from django.db.backends.postgresql.creation import DatabaseCreation as Postgresql
from django.db.backends.sqlite3.creation import DatabaseCreation as Sqlite

from config.kit.alone import alone_in

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(tempfile.gettempdir()) / f"extra-usage-databases-{os.getuid()}"
TEMPLATES = "extra_usage_template_"
MOST = 8  # of other versions of the code, whose tests may run beside these
LOCK = 0x65787472_74656D70  # any number of our own
ENVIRON = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "true",
    "SECRET_KEY": "for-a-test-database-only",
    "REDIS_URL": "",
}


def migrated(database: Path, environ: dict[str, str]) -> None:
    """Put the database of `environ`, which is at `database`, in its place."""
    shutil.copyfile(_kept(environ), database)
    database.chmod(0o600)


def start_tests_migrated(patch: pytest.MonkeyPatch) -> None:
    """The tests' own databases are such copies."""
    create_in_memory = Sqlite._create_test_db
    create_on_server = Postgresql._execute_create_test_db
    open_: list[sqlite3.Connection] = []

    def in_memory(self: Any, verbosity: int, autoclobber: bool, keepdb: bool) -> str:
        name: str = create_in_memory(self, verbosity, autoclobber, keepdb)
        if self.is_in_memory_db(name):
            # It lives as long as one connection to it does, and Django's comes later.
            open_.append(sqlite3.connect(name, uri=True))
            with closing(sqlite3.connect(_kept({**os.environ, **ENVIRON}))) as kept:
                kept.backup(open_[-1])
        return name

    def on_server(
        self: Any, cursor: Any, parameters: dict[str, str], keepdb: bool = False
    ) -> None:
        if keepdb and self._database_exists(cursor, parameters["dbname"]):
            return
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            template = self.connection.ops.quote_name(_template(cursor))
            copied = {**parameters, "suffix": f" TEMPLATE {template}"}
            create_on_server(self, cursor, copied, keepdb)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    patch.setattr(Sqlite, "_create_test_db", in_memory)
    patch.setattr(Postgresql, "_execute_create_test_db", on_server)


def _digest() -> str:
    """Of all that says what a migrated database is."""
    said = hashlib.sha256(django.__version__.encode())
    said.update((ROOT / "requirements" / "base.txt").read_bytes())
    folders = [path for path in ROOT.glob("*") if (path / "apps.py").exists()]
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*.py")):
            said.update(path.read_bytes())
    return said.hexdigest()[:32]


def _kept(environ: dict[str, str]) -> Path:
    """The file that is copied; made by the first who asks."""
    KEPT.mkdir(mode=0o700, exist_ok=True)
    kept = KEPT / f"{_digest()}.sqlite3"
    with alone_in(KEPT, say=lambda text: None, waiting=""):
        if not kept.exists():
            _make(kept, environ)
    return kept


def _make(kept: Path, environ: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        made = Path(folder) / "db.sqlite3"
        _migrate(
            {**environ, "VAR_DIR": folder, "DATABASE_URL": f"sqlite:///{made}"},
        )
        with closing(sqlite3.connect(made)) as line:
            # In one file, which also fits into memory.
            line.execute("PRAGMA journal_mode=DELETE")
        files = sorted(KEPT.glob("*.sqlite3"), key=lambda path: path.stat().st_mtime)
        for older in files[:-MOST]:
            older.unlink()
        made.replace(kept)


def _template(cursor: Any) -> str:
    """The PostgreSQL database that is copied; made by the first who asks, who lets
    nobody else in meanwhile.
    """
    name = TEMPLATES + _digest()
    cursor.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid DESC",
        [TEMPLATES],
    )
    known = [row[0] for row in cursor.fetchall()]
    if name in known:
        return name
    making = f"{TEMPLATES}being_made"
    for older in {making, *known[MOST:]}:
        cursor.execute(f'DROP DATABASE IF EXISTS "{older}"')
    cursor.execute(f'CREATE DATABASE "{making}"')
    place = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{making}")
    with tempfile.TemporaryDirectory() as folder:
        urls = {"VAR_DIR": folder, "DATABASE_URL": place.geturl()}
        _migrate({**os.environ, **ENVIRON, **urls})
    cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    return name


def _migrate(environ: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env=environ,
        check=True,
    )
