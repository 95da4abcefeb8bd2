"""What would destroy books is refused: emptying a database that holds some, and taking
back migrations of ours on it.

Books are the rows that the database itself lets nobody delete.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations import Migration

from config.kit.emptying import keeps_rows

OURS = ("accounts", "billing", "requests_inbox")


def books_in(using: str) -> list[str]:
    """The tables of the books that hold rows, by name; none where there are no tables."""
    present = set(connections[using].introspection.table_names())
    kept = {
        model._meta.db_table: model
        for model in apps.get_models()
        if keeps_rows(model) and model._meta.db_table in present
    }
    return [
        table
        for table, model in sorted(kept.items())
        # Asks for no column: some may not be there yet, half-way through migrations.
        if model._base_manager.using(using).exists()
    ]


def refuse_to_empty(using: str) -> None:
    """Raises CommandError where the database holds books."""
    if holding := books_in(using):
        raise CommandError(
            f"This database holds books ({_few(holding)}), which are never deleted, so"
            " nothing was changed: to begin anew, create an empty database."
        )


def refuse_to_reverse(
    *, using: str, plan: Sequence[tuple[Migration, bool]], **kwargs: Any
) -> None:
    """Before `migrate`, which does nothing yet: raises CommandError where its plan takes
    back a migration of ours and the database holds books.
    """
    taken_back = [
        str(migration)
        for migration, is_backwards in plan
        if is_backwards and migration.app_label in OURS
    ]
    if taken_back and (holding := books_in(using)):
        raise CommandError(
            f"Taking back {_few(taken_back)} would destroy books ({_few(holding)}), so"
            " nothing was changed: run the previous release on this schema, or restore a"
            " backup (docs/operations/upgrades.md)."
        )


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
