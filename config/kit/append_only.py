"""Tables that only grow: the database itself refuses to change or delete their rows, raw SQL included.

A model says `append_only = True`. On PostgreSQL a migration adds the trigger; on SQLite, whose migrations rebuild tables
and lose triggers with it, they are put back after each `migrate`.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def append_only(table: str) -> migrations.RunPython:
    """A migration step after which UPDATE and DELETE on `table` fail on PostgreSQL."""

    def forwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        schema_editor.execute(FUNCTION, params=None)  # its % is no placeholder
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")

    return migrations.RunPython(forwards, backwards)


def guard_on_sqlite(sender: AppConfig, using: str, **options: Any) -> None:
    """After `migrate`: the same refusal on SQLite, for the models of one app."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    present = set(connection.introspection.table_names())
    tables = [model._meta.db_table for model in sender.get_models() if getattr(model, "append_only", False)]
    with connection.cursor() as cursor:
        for table in sorted(present.intersection(tables)):
            for change in ("UPDATE", "DELETE"):
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_append_only_{change.lower()} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {change} is refused'); END"
                )
