"""audit_books proves every counter, and names each row that was falsified by hand (E8)."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.metering.rules.events import ReportedEvent
from billing.models import (
    IncludedWindow,
    MemberMonth,
    OrganizationDay,
    OrganizationMonth,
    UsageDay,
    UsageEvent,
)
from billing.prices.rules import Usage
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def books(acme, ada, bob, now):
    """Some included, extra and huge usage."""
    enable_extra_usage(acme)
    huge = Usage(1_000_000_000, 1_000_000_000, 7, 13, 1_000_000_000, 3)
    odd = ReportedEvent("odd", ada.user.email, "claude", "claude-haiku-4-5", now, huge)
    record_usage(
        [event(bob, usd="0.70", at=now) for _ in range(4)] + [odd],
        organization_id=acme.pk,
        now=now,
    )


def test_e8_clean_books_exit_0(books):
    out = StringIO()
    call_command("audit_books", stdout=out)
    assert (
        out.getvalue()
        == "The books are clean: every counter equals its events (5 events).\n"
    )


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (MemberMonth, "extra_nanos"),
        (MemberMonth, "events"),
        (OrganizationMonth, "included_nanos"),
        (OrganizationDay, "extra_nanos"),
        (UsageDay, "input_tokens"),
        (UsageDay, "unbilled_nanos"),
        (IncludedWindow, "used_nanos"),
    ],
)
def test_e8_a_falsified_counter_is_named_and_exits_1(books, capsys, model, column):
    row = model.objects.order_by("pk").first()
    model.objects.filter(pk=row.pk).update(**{column: F(column) + 5})
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("audit_books", stdout=out)
    assert stopped.value.code == 1
    [line, total] = out.getvalue().splitlines()
    assert (
        line.startswith(f"{model._meta.db_table} [")
        and f" {column}: " in line
        and "off by 5" in line
    )
    assert total.startswith("1 differences")


@pytest.mark.parametrize(
    "model", [MemberMonth, OrganizationMonth, OrganizationDay, UsageDay]
)
def test_e8_a_lost_counter_is_named(books, model):
    model.objects.all().delete()
    assert {one.table for one in differences()} == {model._meta.db_table}


def test_e8_m3_a_cost_that_its_rates_do_not_give_is_named(books):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # no pending checks, so that the table can be altered
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE billing_usageevent DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER billing_usageevent_append_only_update")
        cursor.execute(
            "UPDATE billing_usageevent SET cost_nanos = cost_nanos + 1 WHERE event_id = 'odd'"
        )
    assert "billing_usageevent" in {one.table for one in differences()}


def test_events_can_not_be_changed_or_deleted(books):
    from django.db import DatabaseError, transaction

    for change in (
        UsageEvent.objects.all().delete,
        lambda: UsageEvent.objects.update(cost_nanos=1),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
