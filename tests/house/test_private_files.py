"""S31: only the account that runs the product reads what it writes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.private_files import keep_private
from tests.house.test_settings import ROOT, STRONG, manage


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _umask():
    """As it was, whatever a test did; and the usual one before."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_s31_what_a_command_writes_is_its_own_accounts_alone(tmp_path):
    folder = tmp_path / "var"
    database = folder / "db.sqlite3"
    done = manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.db import connection as c; c.cursor().execute('CREATE TABLE t (x)');"
        "from django.core.cache import cache; cache.set('k', 1);"
        "from django.conf import settings as s; (s.VAR_DIR / 'queue').mkdir()",
        VAR_DIR=str(folder),
        DATABASE_URL=f"sqlite:///{database}",
    )
    assert done.returncode == 0, done.stderr
    written = [folder, *folder.rglob("*")]
    assert {"db.sqlite3", "cache", "queue"} <= {path.name for path in written}
    assert {str(path): oct(mode(path)) for path in written if mode(path) & 0o077} == {}


def test_s31_what_was_written_for_all_before_is_taken_back(tmp_path):
    tmp_path.chmod(0o755)
    database = tmp_path / "db.sqlite3"
    files = [
        database,
        *(tmp_path / f"db.sqlite3-{end}" for end in ("wal", "shm")),
        tmp_path / "celerybeat-schedule.db",
    ]
    folders = [tmp_path / name for name in ("cache", "queue", "control")]
    other = tmp_path / "somebody-elses.txt"
    for path in (*files, other):
        path.touch(0o644)
    for path in folders:
        path.mkdir(0o755)
    keep_private(tmp_path, database=database, words=["manage.py", "migrate"])
    assert {mode(path) for path in files} == {0o600}
    assert {mode(path) for path in folders} == {0o700}
    assert (mode(other), mode(tmp_path)) == (0o644, 0o755)
    (tmp_path / "new").touch()
    assert mode(tmp_path / "new") == 0o600


def test_s31_files_for_others_to_read_keep_the_umask(tmp_path):
    keep_private(tmp_path, database=None, words=["manage.py", "collectstatic"])
    (tmp_path / "app.css").touch()
    assert mode(tmp_path / "app.css") == 0o644


@pytest.mark.parametrize("module", ["config.wsgi", "config.celery"])
def test_s31_every_process_writes_so(tmp_path, module):
    code = (
        f"import os, {module} as m; from django.conf import settings; settings.VAR_DIR;"
        " print(oct(os.umask(0)))"
    )
    done = manage_python(code, VAR_DIR=str(tmp_path))
    assert done.stdout.strip() == "0o77", done.stderr


def manage_python(code: str, **environment: str):
    """`python -c` with settings of its own, in the folder of the product."""
    settings = {"SECRET_KEY": STRONG, "DATABASE_URL": "sqlite:///:memory:"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **settings, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
