"""Expand, then contract: a migration newer than the previous release leaves everything that
release reads and writes, so that its web goes on serving on the new schema.

What takes something away is a step of its own, a release later (docs/operations/upgrades.md).
The linters there are read a migration's SQL by patterns, where one default excuses every
other column; this reads the operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

from tests.upgrades import previous

OURS = ("accounts", "billing", "requests_inbox")
# (migration, what it takes away) → the release without its last reader: it has to be the
# previous release, or an earlier one.
CONTRACTED: dict[tuple[str, str], str] = {}

TAKES_AWAY = (
    migrations.RemoveField,
    migrations.DeleteModel,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.AlterModelTable,
    migrations.AlterUniqueTogether,
)


def taken_away(migration: Any) -> Iterator[str]:
    """What the code before a migration can't do after it, one line each."""
    added: set[str] = set()
    for operation in _flat(migration.operations):
        if isinstance(operation, migrations.CreateModel):
            # Nobody before knows the table, so whatever it asks for is free.
            added.add(operation.name_lower)
        elif getattr(operation, "model_name_lower", None) not in added:
            yield from _refused(operation)


def _flat(operations: Any) -> Iterator[Any]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _refused(operation: Any) -> Iterator[str]:
    if isinstance(operation, TAKES_AWAY):
        yield operation.describe()
    if isinstance(operation, migrations.AddField | migrations.AlterField):
        yield from _refused_field(operation)
    if isinstance(operation, migrations.AddConstraint) and isinstance(
        operation.constraint, models.UniqueConstraint
    ):
        yield f"{operation.describe()}: new and unique"


def _refused_field(operation: Any) -> Iterator[str]:
    field, says = operation.field, operation.describe()
    if field.many_to_many or field.generated:
        return
    if isinstance(operation, migrations.AddField):
        if not field.null and field.db_default is NOT_PROVIDED:
            yield f"{says}: not null, without db_default"
        elif field.unique and not field.null:
            yield f"{says}: unique"
        return
    was = getattr(operation, "was", None)
    if was is None:
        yield f"{says}: of what was there nothing is known"
    elif narrower := _narrower(was, field):
        yield f"{says}: {narrower}"


def _narrower(was: Any, field: Any) -> str:
    """What a column no longer takes that it took before; empty when nothing."""
    if was.null and not field.null:
        return "not null"
    if field.unique and not was.unique:
        return "unique"
    if was.db_default is not NOT_PROVIDED and field.db_default is NOT_PROVIDED:
        return "without the default of before"
    if was.get_internal_type() != field.get_internal_type():
        return "of another type"
    if (was.max_length or 0) > (field.max_length or 10**9):
        return "shorter"
    return ""


def newer() -> dict[str, Any]:
    """Our migrations that the previous release does not have, by their paths."""
    known = previous.migrations()
    loaded = MigrationLoader(None).disk_migrations
    named = {
        f"{app}/migrations/{name}.py": migration
        for (app, name), migration in loaded.items()
        if app in OURS
    }
    return {path: one for path, one in named.items() if path not in known}


def _with_what_was(migration: Any) -> Any:
    """Notes on each AlterField which field it alters."""
    place = (migration.app_label, migration.name)
    models_before = MigrationLoader(None).project_state(place, at_end=False).models
    for operation in _flat(migration.operations):
        if isinstance(operation, migrations.AlterField):
            model = models_before.get((place[0], operation.model_name_lower))
            operation.was = model and model.fields.get(operation.name)
    return migration


def test_the_previous_release_can_go_on_after_each_migration_that_is_newer():
    found = {
        (path, line)
        for path, migration in newer().items()
        for line in taken_away(_with_what_was(migration))
    }
    assert sorted(found - set(CONTRACTED)) == []
    assert set(CONTRACTED) <= found, "declared, but no migration takes it away"


class Step(migrations.Migration):
    """A migration with what a test puts in."""

    def __init__(self, *operations: Any) -> None:
        super().__init__("0099_step", "billing")
        self.operations = list(operations)


def _field(name: str, field: models.Field[Any, Any]) -> migrations.AddField:
    return migrations.AddField("usageevent", name, field)


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("usageevent", "surface"),
        migrations.RenameField("usageevent", "surface", "place"),
        migrations.DeleteModel("UsageEvent"),
        migrations.RenameModel("UsageEvent", "Event"),
        _field("note", models.TextField(default="")),
        _field("key", models.TextField(db_default="", unique=True)),
        migrations.AlterField("usageevent", "labels", models.JSONField(default=dict)),
        migrations.AddConstraint(
            "usageevent", models.UniqueConstraint(fields=["model"], name="one_model")
        ),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_would_stop_the_previous_release_is_refused(operation):
    assert len(list(taken_away(Step(operation)))) == 1


@pytest.mark.parametrize(
    ("was", "field", "says"),
    [
        (models.TextField(null=True), models.TextField(db_default=""), "not null"),
        (models.TextField(), models.TextField(unique=True), "unique"),
        (models.TextField(), models.JSONField(), "of another type"),
        (models.CharField(max_length=9), models.CharField(max_length=8), "shorter"),
        (models.CharField(max_length=8), models.CharField(max_length=9), ""),
        (models.TextField(), models.TextField(null=True), ""),
        (
            models.TextField(db_default=""),
            models.TextField(),
            "without the default of before",
        ),
    ],
)
def test_a_column_that_takes_less_than_before_is_refused(was, field, says):
    for one in (was, field):
        one.set_attributes_from_name("note")
    altered = migrations.AlterField("usageevent", "note", field)
    altered.was = was
    found = [line.rpartition(": ")[2] for line in taken_away(Step(altered))]
    assert found == ([says] if says else [])


@pytest.mark.parametrize(
    "operations",
    [
        [_field("note", models.TextField(db_default=""))],
        [_field("seen_at", models.DateTimeField(null=True))],
        [
            migrations.CreateModel(
                "Note", [("id", models.BigAutoField(primary_key=True))]
            ),
            migrations.AddField("note", "text", models.TextField(default="")),
        ],
    ],
)
def test_what_the_previous_release_does_not_notice_is_let_through(operations):
    assert list(taken_away(Step(*operations))) == []
