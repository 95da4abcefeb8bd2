"""The rows migrations write, again: transactional tests start with emptied tables."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from billing.models import ModelAlias, ModelPrice, PriceFactor, PriceList, SeatAllowance
from billing.prices.actions import enter_first_rows

TABLES = [
    model._meta.db_table
    for model in (PriceList, ModelPrice, PriceFactor, ModelAlias, SeatAllowance)
]
KEPT = "first_rows"  # a schema of PostgreSQL's, with copies of these tables


def seed() -> None:
    """Write the default rows unless they are there."""
    enter_first_rows(now=timezone.now())


def keep_seeds() -> None:
    """Copy the default rows aside, where that is faster than writing them again: half a
    second before each transactional test.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {KEPT} CASCADE")
            cursor.execute(f"CREATE SCHEMA {KEPT}")
            for table in TABLES:
                cursor.execute(f"CREATE TABLE {KEPT}.{table} AS TABLE {table}")


def seed_again() -> None:
    """The default rows, in each of their tables that is empty."""
    if connection.vendor != "postgresql":
        seed()
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            cursor.execute(
                f"INSERT INTO {table} SELECT * FROM {KEPT}.{table}"
                f" WHERE NOT EXISTS (SELECT FROM {table})"
            )
