"""The command line: what a database that can't be used makes of a command is one
sentence, and exit code 1.
"""

from __future__ import annotations

import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError, OperationalError

# SQLSTATE: who may come in, where to, and whether the server takes anybody now.
NOT_LET_IN = ("08", "28", "3D", "53", "57P", "58")
READS_ALONE = "25006"  # a standby, or a server that recovers
NO_TABLES = ("42P01", "42703")  # of tables and columns that are not there
SQLITE_AWAY = (
    "unable to open",
    "attempt to write a readonly",
    "disk I/O",
    "database or disk is full",
    "database is locked",
)
SQLITE_NO_TABLES = ("no such table", "no such column")


def run(words: list[str]) -> None:
    """Run the command of `words` (with the program's name first)."""
    try:
        execute_from_command_line(words)
    except (DatabaseError, InterfaceError) as error:
        sentence = explained(error)
        if sentence is None:
            raise
        sys.exit(sentence)


def explained(error: Exception) -> str | None:
    """What to do about a database that can't be used; None for any other error, whose
    traceback is needed.
    """
    state = getattr(error.__cause__, "sqlstate", None) or ""
    text = " ".join(str(error).split())
    if state.startswith(NO_TABLES) or text.startswith(SQLITE_NO_TABLES):
        return (
            f"The database is not of this version ({text[:200]}). Run manage.py migrate"
            " first."
        )
    if state == READS_ALONE:
        return (
            "The database takes no changes now: it is a standby or still recovering."
            " Promote it (SELECT pg_promote()), or set DATABASE_URL to the primary."
        )
    is_psycopg = type(error.__cause__).__module__.startswith("psycopg")
    never_in = isinstance(error, OperationalError) and is_psycopg and not state
    if never_in or state.startswith(NOT_LET_IN):
        return (
            f"The database can't be used: {_of_server(text)}. Check DATABASE_URL (and"
            " DATABASE_PASSWORD), and that PostgreSQL runs."
        )
    if text.startswith(SQLITE_AWAY):
        return f"The database can't be used: {text}. Check DATABASE_URL and VAR_DIR."
    return None


def _of_server(text: str) -> str:
    """The last that a server said, or why none was reached; never its whole list of
    attempts.
    """
    said = text.partition(" Multiple connection attempts failed")[0]
    return said.removeprefix("connection failed: ").partition(" Is the server")[0][:300]
