"""`migrate`, one at a time: whoever comes second to a database waits for the first.

Two at once on an empty database would both make each table, and one of them would fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from config.kit.alone import Say, alone_in

WAITING = "Another migrate works on this database; waiting for it to end."
LOCK = 0x65787472_61757367  # any number of our own, the same in each version


@contextmanager
def one_at_a_time(connection: BaseDatabaseWrapper, *, say: Say) -> Iterator[None]:
    """While this runs, nobody else gets in for the same database; waits, without end, for
    whoever is, and says so.

    The lock ends with the process, however it ends. A database in memory has no other.
    """
    if connection.vendor == "postgresql":
        with _alone_in_server(connection, say):
            yield
    elif connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        with alone_in(
            Path(connection.settings_dict["NAME"]).parent, say=say, waiting=WAITING
        ):
            yield
    else:
        yield


@contextmanager
def _alone_in_server(connection: BaseDatabaseWrapper, say: Say) -> Iterator[None]:
    # By a session of its own: the command's may end and begin again meanwhile.
    keeper = connection.copy()
    try:
        with keeper.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if cursor.fetchone() == (False,):
                say(WAITING)
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield
    finally:
        keeper.close()


class MigrateAlone(Migrate):
    """Django's own `migrate`, which waits for another one of the same database."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; looking only (`--plan`, `--check`) waits for nobody."""
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        connection = connections[options["database"] or DEFAULT_DB_ALIAS]
        with one_at_a_time(connection, say=self.stdout.write):
            super().handle(*args, **options)
