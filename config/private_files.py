"""Only the account that runs us can read what we write: the database, the queue, the
cache, beat's schedule.

Whatever collects or compiles files for others to read (static files, translations) keeps
the umask it was started with.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

FOR_OTHERS = frozenset(
    {"collectstatic", "compilemessages", "makemessages", "makemigrations"}
)
OURS_ALONE = 0o077
# What we or our libraries write under VAR_DIR. Nothing else is touched: the folder may be
# one that others use too.
FILES = ("celerybeat-schedule*",)
FOLDERS = ("cache", "queue", "control")


def keep_private(folder: Path, *, database: Path | None, words: Iterable[str]) -> None:
    """From now on this process writes for its own account alone, and what was written for
    all before is taken back: in `folder`, and the SQLite `database` with its journals.

    `words` is the command line. A file of another account stays as it is.
    """
    if not FOR_OTHERS.intersection(words):
        os.umask(OURS_ALONE)
    if database is not None:
        for path in (database, *_journals(database)):
            _tighten(path)
    for pattern in (*FILES, *FOLDERS):
        for path in folder.glob(pattern):
            _tighten(path)


def make_folder(folder: Path, *, name: str) -> None:
    """Make `folder` where it is missing. Where this account can't write in it, the start
    ends with a sentence that names the setting `name`.
    """
    why = f"this account can't write in {folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"{folder} can't be made ({error.strerror})"
    if not os.access(folder, os.W_OK | os.X_OK):
        sys.exit(
            f"{name} can't be used: {why}. Make it a folder that this account may write"
            " in, or name another."
        )


def _journals(database: Path) -> list[Path]:
    return [database.with_name(database.name + end) for end in ("-wal", "-shm")]


def _tighten(path: Path) -> None:
    # Another process may just have removed it; only its owner may change it.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        mode = path.stat().st_mode
        if mode & OURS_ALONE:
            path.chmod(mode & 0o777 & ~OURS_ALONE)
