"""Tables that keep their rows are emptied between transactional tests: their guards are
switched off for that one moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.apps import apps
from django.core.management.color import Style
from django.db.backends.postgresql.operations import DatabaseOperations as Postgresql
from django.db.backends.sqlite3.base import DatabaseOperations as Sqlite

from config.kit.append_only import guard_on_sqlite, unguard_on_sqlite

SWITCH = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
        WHERE tgname LIKE '%_emptying'
    LOOP
        EXECUTE format('ALTER TABLE %s {how} TRIGGER %I', one.place, one.tgname);
    END LOOP;
END $$
"""
# A replica obeys no trigger, and so no foreign key: rows go table by table.
DELETE = """DO $$ BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    {deletes}
END $$
"""


def empty_without_guards(patch: pytest.MonkeyPatch) -> None:
    """What Django empties between tests, it empties without our guards."""
    empty_sqlite, empty_postgresql = (
        Sqlite.execute_sql_flush,
        Postgresql.execute_sql_flush,
    )
    flush_postgresql = Postgresql.sql_flush

    def on_sqlite(self: Any, sql_list: list[str]) -> None:
        unguard_on_sqlite(apps.get_app_config("config"), using=self.connection.alias)
        empty_sqlite(self, sql_list)
        for app in apps.get_app_configs():
            guard_on_sqlite(app, using=self.connection.alias)

    def on_postgresql(self: Any, sql_list: list[str]) -> None:
        if not sql_list[0].startswith(DELETE[:11]):
            off, on = (SWITCH.replace("{how}", how) for how in ("DISABLE", "ENABLE"))
            sql_list = [off, *sql_list, on]
        empty_postgresql(self, sql_list)

    def rows_alone(
        self: Any, style: Style, tables: Iterable[str], **how: bool
    ) -> list[str]:
        """TRUNCATE makes new files for each of seventy tables and their indexes, which takes
        a hundred times longer than a test's few rows.
        """
        if how.get("reset_sequences"):  # the command, which operators have too
            sql: list[str] = flush_postgresql(self, style, tables, **how)
            return sql
        deletes = [f"DELETE FROM {self.quote_name(table)};" for table in tables]
        return [DELETE.replace("{deletes}", "\n    ".join(deletes))]

    patch.setattr(Sqlite, "execute_sql_flush", on_sqlite)
    patch.setattr(Postgresql, "execute_sql_flush", on_postgresql)
    patch.setattr(Postgresql, "sql_flush", rows_alone)
