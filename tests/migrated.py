"""An empty SQLite database with all migrations: made once for this code, copied after
that. Migrating takes ten seconds of a processor.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import django

from config.kit.alone import alone_in

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(tempfile.gettempdir()) / f"extra-usage-migrated-{os.getuid()}"


def migrated(database: Path, environ: dict[str, str]) -> None:
    """Put the database of `environ`, which is at `database`, in its place."""
    KEPT.mkdir(mode=0o700, exist_ok=True)
    kept = KEPT / f"{_digest()}.sqlite3"
    with alone_in(KEPT, say=lambda text: None, waiting=""):
        if not kept.exists():
            _make(kept, environ)
    shutil.copyfile(kept, database)
    database.chmod(0o600)


def _digest() -> str:
    """Of all that says what a migrated database is."""
    said = hashlib.sha256(django.__version__.encode())
    folders = [path for path in ROOT.glob("*") if (path / "apps.py").exists()]
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*.py")):
            said.update(path.read_bytes())
    return said.hexdigest()[:32]


def _make(kept: Path, environ: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        made = Path(folder) / "db.sqlite3"
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**environ, "VAR_DIR": folder, "DATABASE_URL": f"sqlite:///{made}"},
            check=True,
        )
        with sqlite3.connect(made) as line:
            line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        line.close()
        for older in KEPT.glob("*.sqlite3"):
            older.unlink()
        made.replace(kept)
