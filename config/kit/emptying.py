"""PostgreSQL refuses to TRUNCATE tables whose rows are kept, as long as they hold any.

Triggers for rows do not see a TRUNCATE, so each of these tables has one of its own. An
empty table may be emptied: `manage.py flush` goes through on a database without books.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSE_EMPTYING = """
CREATE OR REPLACE FUNCTION refuse_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holds boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', TG_RELID::regclass) INTO holds;
    IF holds THEN
        RAISE EXCEPTION '% keeps its rows: % is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


def trigger_name(table: str) -> str:
    """The trigger that refuses to empty a table."""
    return f"{table}_emptying"


def keeps_rows(model: Any) -> bool:
    """Whether the database lets no row of a model's table go, or only some."""
    guards = getattr(model, "guards", ())
    return getattr(model, "append_only", False) or lets_none_go(guards)


def lets_none_go(guards: Any) -> bool:
    """Whether one of these guards refuses to delete."""
    return any("DELETE" in guard.change for guard in guards)


def watch(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
    """Put the trigger in place on PostgreSQL; again changes nothing."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for statement in (
        REFUSE_EMPTYING,
        (
            f"CREATE OR REPLACE TRIGGER {trigger_name(table)} BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_emptying()"
        ),
    ):
        schema_editor.execute(statement, params=None)  # its % is no placeholder


def unwatch(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
    """Take the trigger away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"DROP TRIGGER IF EXISTS {trigger_name(table)} ON {table}"
        )


def refuse_emptying(*tables: str) -> migrations.RunPython:
    """A migration step after which a TRUNCATE of these tables fails on PostgreSQL while
    they hold rows.
    """

    def forwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for table in tables:
            watch(schema_editor, table)

    def backwards(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
        for table in tables:
            unwatch(schema_editor, table)

    return migrations.RunPython(forwards, backwards)
