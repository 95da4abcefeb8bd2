"""After `migrate` or `flush`, an emptied database gets its first rows again."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from billing.prices.actions import enter_first_rows
from config.health import known_migrations


def fill_when_empty(*, using: str, **kwargs: Any) -> None:
    """Prices and seat allowances, where all tables are there and there is no price list."""
    if using != DEFAULT_DB_ALIAS:
        return
    applied = MigrationRecorder(connections[using]).applied_migrations()
    if known_migrations() <= set(applied):
        enter_first_rows(now=timezone.now())
