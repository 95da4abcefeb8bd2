"""What the database itself does, raw SQL included: it refuses to change what only grows
and to add to what is closed, and keeps what is replaced.

A model says `append_only = True`, or lists `guards`; `exemptions` name the few changes
that what only grows takes after all. On PostgreSQL a migration adds the
triggers. On SQLite, whose migrations rebuild tables, they are taken away before each
`migrate` and put back after it. PostgreSQL's TRUNCATE passes them: see `emptying`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.apps import AppConfig
from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from config.kit.emptying import lets_none_go, unwatch, watch
from config.kit.exemptions import Exemption, refuse_other_changes

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

REFUSE_LOOKED_UP = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {when} THEN
        RAISE EXCEPTION '%: %', TG_TABLE_NAME, '{says}'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
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

    def on_sqlite(self, table: str) -> str:
        """The statement that puts it in place."""
        return _refusal_on_sqlite(self, table)


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

    def on_sqlite(self, table: str) -> str:
        """The statement that puts it in place."""
        return _refusal_on_sqlite(self, table)


@dataclass(frozen=True, slots=True)
class LookupGuard:
    """As `Guard`, where `when` has subqueries: a change that a row elsewhere allows."""

    name: str
    change: str
    says: str
    when: str

    def on_postgresql(self, table: str) -> list[str]:
        """The statements that put it in place."""
        function = f"{table}_{self.name}"
        return [
            REFUSE_LOOKED_UP.format(function=function, when=self.when, says=self.says),
            (
                f"CREATE TRIGGER {function} BEFORE {self.change} ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION {function}()"
            ),
        ]

    def on_sqlite(self, table: str) -> str:
        """The statement that puts it in place."""
        return _refusal_on_sqlite(self, table)


def _refusal_on_sqlite(guard: Guard | InsertGuard | LookupGuard, table: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_{guard.name} BEFORE {guard.change} ON"
        f" {table} WHEN {guard.when} BEGIN SELECT RAISE(ABORT,"
        f" '{table}: {guard.says}'); END"
    )


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep what a change replaces: where `when` holds of `OLD` and `NEW`, a row of
    `kept_in` with `copies` (column, SQL) and the moment in column `until`; a row with
    the same copies moves to that moment.
    """

    name: str
    change: str
    kept_in: str
    copies: tuple[tuple[str, str], ...]
    until: str
    when: str

    def on_postgresql(self, table: str) -> list[str]:
        """The statements that put it in place."""
        function = f"{table}_{self.name}"
        return [
            (
                f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE"
                f" plpgsql AS $$ BEGIN {self._insert('clock_timestamp()')};"
                " RETURN NULL; END $$"
            ),
            (
                f"CREATE TRIGGER {function} AFTER {self.change} ON {table} FOR EACH ROW"
                f" WHEN ({self.when}) EXECUTE FUNCTION {function}()"
            ),
        ]

    def on_sqlite(self, table: str) -> str:
        """The statement that puts it in place."""
        now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        return (
            f"CREATE TRIGGER IF NOT EXISTS {table}_{self.name} AFTER {self.change} ON"
            f" {table} WHEN {self.when} BEGIN {self._insert(now)}; END"
        )

    def _insert(self, now: str) -> str:
        names = ", ".join(name for name, _value in self.copies)
        values = ", ".join(value for _name, value in self.copies)
        return (
            f"INSERT INTO {self.kept_in} ({names}, {self.until}) VALUES ({values},"
            f" {now}) ON CONFLICT ({names}) DO UPDATE SET {self.until} ="
            f" excluded.{self.until}"
        )


AnyGuard = Guard | InsertGuard | LookupGuard | Keep
APPEND_ONLY = (  # on SQLite; PostgreSQL has one trigger for both
    Guard("append_only_update", "UPDATE", "append-only, UPDATE is refused"),
    Guard("append_only_delete", "DELETE", "append-only, DELETE is refused"),
)


def guards_of(model: Any) -> tuple[AnyGuard, ...]:
    """All that the database refuses and keeps on a model's table."""
    own: tuple[AnyGuard, ...] = getattr(model, "guards", ())
    if not getattr(model, "append_only", False):
        return own
    return (*(_but_exemptions(guard, model) for guard in APPEND_ONLY), *own)


def _but_exemptions(guard: Guard, model: Any) -> Guard:
    """On SQLite: the guard, not asked about what the model's table takes after all."""
    columns = [field.column for field in model._meta.concrete_fields]
    taken = [
        exemption.on_sqlite(columns)
        for exemption in getattr(model, "exemptions", ())
        if exemption.change == guard.change
    ]
    if not taken:
        return guard
    # An exemption about which nothing is known, such as NULL, is none.
    return replace(guard, when=f"({' OR '.join(taken)}) IS NOT TRUE")


def add_guards(table: str, *guards: AnyGuard) -> migrations.RunPython:
    """A migration step that adds guards to a table on PostgreSQL."""

    def forwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for guard in guards if schema_editor.connection.vendor == "postgresql" else ():
            for statement in guard.on_postgresql(table):
                schema_editor.execute(statement, params=None)  # its % is no placeholder
        if lets_none_go(guards):
            watch(schema_editor, table)

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if lets_none_go(guards):
            unwatch(schema_editor, table)
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
        watch(schema_editor, table)

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        unwatch(schema_editor, table)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}"
            )

    return migrations.RunPython(forwards, backwards)


def exempt(table: str, *exemptions: Exemption) -> migrations.RunPython:
    """A migration step after which an append-only table takes these changes, and no
    others, on PostgreSQL.
    """

    def forwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        function = refuse_other_changes(table, exemptions)
        _refuse_by(schema_editor, table, function, f"{table}_append_only")

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        _refuse_by(schema_editor, table, REFUSE_CHANGE, "refuse_change")

    return migrations.RunPython(forwards, backwards)


def _refuse_by(
    schema_editor: BaseDatabaseSchemaEditor, table: str, function: str, name: str
) -> None:
    """Put a function behind a table's trigger."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for statement in (
        function,
        f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {name}()",
    ):
        schema_editor.execute(statement, params=None)  # its % is no placeholder


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
                cursor.execute(guard.on_sqlite(table))
