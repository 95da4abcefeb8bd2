"""What the role that serves may do in PostgreSQL: read and write rows, and of books only
add. The role that migrates owns the tables; whoever serves can change none, switch off no
trigger and empty nothing.

The rights come from the models: `append_only`, its `exemptions`, and `guards`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from config.kit.append_only import guards_of

ROWS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def rights_of(model: Any) -> list[str]:
    """What is granted on a model's table, as SQL says it."""
    if getattr(model, "append_only", False):
        return ["SELECT", "INSERT", *_exempted(model)]
    is_kept = any(
        guard.change == "DELETE" and getattr(guard, "when", "") == "true"
        for guard in guards_of(model)
    )
    return [right for right in ROWS if not (is_kept and right == "DELETE")]


def _exempted(model: Any) -> Iterator[str]:
    """What the triggers take after all, such as the pseudonym of somebody erased: rights
    to these columns, and to delete, where there is no other way.
    """
    exemptions = getattr(model, "exemptions", ())
    columns = sorted({name for one in exemptions for name in one.columns})
    if columns:
        yield f"UPDATE ({', '.join(columns)})"
    if any(one.change == "DELETE" for one in exemptions):
        yield "DELETE"


def statements(role: str) -> Iterator[str]:
    """SQL for the owner of the tables; again, it corrects whatever else was granted."""
    name = quoted(role)
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"
    yield f"GRANT USAGE ON SCHEMA public TO {name}"
    for table, rights in sorted(_tables()):
        yield f"GRANT {', '.join(rights)} ON {quoted(table)} TO {name}"
    # Tables that the next release adds, until this runs again.
    yield (
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {', '.join(ROWS)} ON TABLES TO"
        f" {name}"
    )


def _tables() -> Iterator[tuple[str, list[str]]]:
    yield MigrationRecorder.Migration._meta.db_table, ["SELECT"]
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model._meta.db_table, rights_of(model)


def quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
