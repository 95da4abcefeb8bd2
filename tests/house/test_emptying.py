"""Books are not destroyed by a command: not emptied, and no migration below them is taken
back; a database without books may be emptied, and has prices again.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models.signals import post_migrate

from accounts.actions.audit import Actor, record_change
from accounts.models import AuditEntry, Organization, User
from billing.models import ModelAlias, ModelPrice, PriceFactor, PriceList, SeatAllowance
from config.first_rows import fill_when_empty
from config.reversals import books_in, refuse_to_empty
from tests.house.test_guards import expected, triggers

FIRST = (ModelPrice, PriceFactor, ModelAlias, SeatAllowance)
NOT_COMPARED = {"id", "created_at"}


def first_rows() -> dict[str, set[tuple[object, ...]]]:
    """What is entered at the start, without keys and times."""
    return {
        model.__name__: {
            tuple(getattr(row, name) for name in columns_of(model))
            for row in model.objects.all()
        }
        for model in FIRST
    }


def columns_of(model: type) -> list[str]:
    """The columns to compare."""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields if field.attname not in NOT_COMPARED]


@pytest.fixture
def books(acme, now):
    """Acme with one row of books."""
    record_change(
        acme,
        actor=Actor(label="a test"),
        action="organization.name",
        subject="Acme",
        from_value="Acne",
        to_value="Acme",
        now=now,
    )
    assert books_in("default") == ["accounts_auditentry"]


@pytest.fixture
def flush(monkeypatch):
    """`manage.py flush` as operators have it."""
    monkeypatch.setattr(
        "config.management.commands.flush.refuse_to_empty", refuse_to_empty
    )
    place = {
        "sender": apps.get_app_config("billing"),
        "dispatch_uid": "fill_when_empty",
    }
    post_migrate.connect(fill_when_empty, **place)
    yield lambda: call_command("flush", interactive=False, verbosity=0)
    post_migrate.disconnect(**place)


@pytest.mark.django_db(transaction=True)
def test_a_database_with_books_is_not_flushed(books, flush):
    entries = AuditEntry.objects.count()
    with pytest.raises(CommandError, match=r"holds books \(accounts_auditentry"):
        flush()
    assert AuditEntry.objects.count() == entries > 0
    assert Organization.objects.filter(slug="acme").exists()
    assert triggers() == expected()


@pytest.mark.django_db(transaction=True)
def test_a_database_without_books_is_flushed_and_has_prices_and_allowances_again(flush):
    before = first_rows()
    assert all(before.values())
    User.objects.create_user("nobody@acme.example", "a-good-password", name="No")
    assert books_in("default") == []
    flush()
    assert not User.objects.exists()
    assert first_rows() == before
    assert triggers() == expected()


@pytest.mark.django_db
def test_the_first_rows_are_those_that_migrations_write_and_come_once():
    from tests.factories.seeds import seed

    before = first_rows()
    for model in (*FIRST, PriceList):
        model.objects.all().delete()
    seed()
    assert first_rows() == before
    seed()
    assert first_rows() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("back_to", [("billing", "zero"), ("billing", "0006")])
def test_migrations_below_books_are_not_taken_back(books, back_to):
    with pytest.raises(CommandError, match="would destroy books"):
        call_command("migrate", *back_to, verbosity=0)
    assert AuditEntry.objects.exists()
    assert triggers() == expected()
    call_command("migrate", "--check", verbosity=0)


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("table", ["accounts_auditentry", "accounts_organization"])
def test_postgresql_truncates_no_books_neither_alone_nor_in_a_cascade(books, table):
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="keeps its rows: TRUNCATE is refused"),
        transaction.atomic(),
    ):
        # Checks that still wait for the end would refuse before we do.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {table} CASCADE")
    assert AuditEntry.objects.exists()
