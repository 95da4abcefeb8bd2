"""What the database itself refuses, raw SQL included: changing what only grows, and
adding to what is closed.

A model says `append_only = True`, or lists `guards`. On PostgreSQL a migration adds the
triggers. On SQLite, whose migrations rebuild tables, they are taken away before each
`migrate` and put back after it. PostgreSQL's TRUNCATE passes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
REFUSE = """
CREATE OR REPLACE FUNCTION refuse_with() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
# One look for a whole statement, however many rows it adds: the hottest path adds most.
REFUSE_ADDED = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added one WHERE {when}) THEN
        RAISE EXCEPTION '%: %', TG_TABLE_NAME, '{says}'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuse `change` (`UPDATE`, `UPDATE OF a, b`, `DELETE`) of a row, where `when`
    holds of `OLD` and `NEW`.
    """

    name: str
    change: str
    says: str
    when: str = "true"

    def on_postgresql(self, table: str) -> list[str]:
        """The statements that put it in place."""
        return [
            REFUSE,
            (
                f"CREATE TRIGGER {table}_{self.name} BEFORE {self.change} ON {table}"
                f" FOR EACH ROW WHEN ({self.when}) EXECUTE FUNCTION"
                f" refuse_with('{self.says}')"
            ),
        ]


@dataclass(frozen=True, slots=True)
class InsertGuard:
    """Refuse rows added where `when`, SQL with subqueries about the row `new`, holds."""

    name: str
    says: str
    when: str
    change: str = "INSERT"

    def on_postgresql(self, table: str) -> list[str]:
        """The statements that put it in place."""
        function = f"{table}_{self.name}"
        return [
            REFUSE_ADDED.format(
                function=function,
                when=self.when.replace("new.", "one."),
                says=self.says,
            ),
            (
                f"CREATE TRIGGER {table}_{self.name} AFTER INSERT ON {table}"
                " REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION"
                f" {function}()"
            ),
        ]


APPEND_ONLY = (  # on SQLite; PostgreSQL has one trigger for both
    Guard("append_only_update", "UPDATE", "append-only, UPDATE is refused"),
    Guard("append_only_delete", "DELETE", "append-only, DELETE is refused"),
)


def guards_of(model: Any) -> tuple[Guard | InsertGuard, ...]:
    """All that the database refuses on a model's table."""
    own: tuple[Guard | InsertGuard, ...] = getattr(model, "guards", ())
    return ((*APPEND_ONLY, *own)) if getattr(model, "append_only", False) else own


def add_guards(table: str, *guards: Guard | InsertGuard) -> migrations.RunPython:
    """A migration step that adds guards to a table on PostgreSQL."""

    def forwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for guard in guards if schema_editor.connection.vendor == "postgresql" else ():
            for statement in guard.on_postgresql(table):
                schema_editor.execute(statement, params=None)  # its % is no placeholder

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for guard in guards if schema_editor.connection.vendor == "postgresql" else ():
            schema_editor.execute(
                f"DROP TRIGGER IF EXISTS {table}_{guard.name} ON {table}"
            )

    return migrations.RunPython(forwards, backwards)


def append_only(table: str) -> migrations.RunPython:
    """A migration step after which UPDATE and DELETE on `table` fail on PostgreSQL."""

    def forwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        schema_editor.execute(REFUSE_CHANGE, params=None)  # its % is no placeholder
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}"
            )

    return migrations.RunPython(forwards, backwards)


def unguard_on_sqlite(sender: AppConfig, using: str, **options: Any) -> None:
    """Before `migrate`: no trigger stands in the way of a table that is rebuilt."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def guard_on_sqlite(sender: AppConfig, using: str, **options: Any) -> None:
    """After `migrate`: the same refusals on SQLite, for the models of one app."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model in sender.get_models():
            table = model._meta.db_table
            for guard in guards_of(model) if table in present else ():
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_{guard.name} BEFORE"
                    f" {guard.change} ON {table} WHEN {guard.when} BEGIN SELECT"
                    f" RAISE(ABORT, '{table}: {guard.says}'); END"
                )
