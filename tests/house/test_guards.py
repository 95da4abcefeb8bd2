"""The database's own refusals survive migrations, on SQLite as well, and migrations
survive them.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from config.kit.append_only import guards_of
from config.kit.emptying import keeps_rows, trigger_name


def triggers() -> set[str]:
    """Names of all triggers of ours."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        return {name for (name,) in cursor.fetchall()}


def expected() -> set[str]:
    """What the models ask for; PostgreSQL has one trigger for both changes of what only
    grows.
    """
    names = set()
    for model in apps.get_models():
        for guard in guards_of(model):
            name = guard.name
            if connection.vendor == "postgresql" and name.startswith("append_only"):
                name = "append_only"
            names.add(f"{model._meta.db_table}_{name}")
        if connection.vendor == "postgresql" and keeps_rows(model):
            names.add(trigger_name(model._meta.db_table))
    return names


@pytest.mark.django_db(transaction=True)
def test_every_guard_a_model_asks_for_is_in_place():
    assert len(expected()) > 15
    assert triggers() == expected()


@pytest.mark.django_db(transaction=True)
def test_tables_that_guards_watch_can_be_rebuilt_and_the_guards_are_back():
    """Back some way, and forward again; SQLite rebuilds the tables for it."""
    call_command("migrate", "billing", "0030", verbosity=0)
    call_command("migrate", verbosity=0)
    assert triggers() == expected()
