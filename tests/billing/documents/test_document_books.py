"""E8, M5, P3: `audit_books` finds each lie about an invoice or statement.

The lies are told by raw SQL, past all guards.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from billing.books import differences
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.closing import close_due
from billing.models import CreditNote, Invoice, Statement
from config.kit.append_only import unguard_on_sqlite
from config.kit.money import usd
from tests.factories.balances import turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november


@pytest.fixture
def documents(acme, bolt, alice, now):
    """Two invoices of Acme with a credit note, a statement of Bolt; and no guard any more."""
    use_november(acme, at=now)
    invoice = close_november(acme)
    issue_credit_note(
        invoice, subtotal_nanos=usd(1), reason="x", operator=alice.user, now=CLOSES
    )
    use(acme, "bob", "10", at=CLOSES)
    use_up_included(bolt)
    turn_on(bolt, balance="100", now=now)
    use(bolt, "mia", "12", at=now)
    for organization in (acme, bolt):
        close_due(organization.pk, now=dt.datetime(2027, 1, 1, 14, tzinfo=dt.UTC))
    assert list(differences()) == []
    _disarm()


def _disarm() -> None:
    from django.apps import apps

    if connection.vendor == "sqlite":
        unguard_on_sqlite(apps.get_app_config("billing"), using="default")
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")


def lie(sql: str) -> set[tuple[str, str]]:
    """What the audit names after a change by raw SQL."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
    return {(row.table, row.column) for row in differences()}


LINE = (
    "UPDATE billing_invoiceline SET {} WHERE kind = 'usage' AND amount_nanos ="
    " 30000000000"
)
FIRST = "UPDATE billing_invoice SET {} WHERE number = 'ACME-0001'"
LIES = {
    "a line's exact sum": (
        LINE.format("exact_nanos = exact_nanos + 1"),
        {("billing_invoice", "exact_nanos")},
    ),
    "a line's amount": (
        LINE.format("amount_nanos = amount_nanos + 10000000"),
        {
            ("billing_invoice", "subtotal_nanos"),
            ("billing_invoiceline", "amount_nanos"),
        },
    ),
    "what is carried on": (
        FIRST.format(
            "carried_out_nanos = carried_out_nanos + 1, exact_nanos = exact_nanos + 1"
        ),
        {("billing_invoice", "exact_nanos"), ("billing_invoice", "carried_in_nanos")},
    ),
    "a gap in the numbers": (
        "UPDATE billing_invoice SET sequence = 5 WHERE number = 'ACME-0002'",
        {("billing_invoice", "sequence")},
    ),
    "a gap in the credit notes": (
        "UPDATE billing_creditnote SET sequence = 2",
        {("billing_creditnote", "sequence")},
    ),
    "more credited than billed": (
        (
            "UPDATE billing_creditnote SET total_nanos = 90000000000, subtotal_nanos ="
            " 90000000000"
        ),
        {("billing_invoice", "total_nanos")},
    ),
    "a statement's closing balance": (
        (
            "UPDATE billing_statement SET closing_nanos = closing_nanos + 1,"
            " opening_nanos = opening_nanos + 1"
        ),
        {("billing_statement", "closing_nanos")},
    ),
    "a statement's charges": (
        (
            "UPDATE billing_statement SET charges_nanos = charges_nanos + 1,"
            " credits_nanos = credits_nanos - 1"
        ),
        {("billing_statement", "charges_nanos")},
    ),
    "a statement's line": (
        "UPDATE billing_statementline SET charges_nanos = charges_nanos - 1",
        {("billing_statement", "charges_nanos")},
    ),
    "a closed month without its invoice": (
        "UPDATE billing_invoice SET month_on = '2020-01-01' WHERE number = 'ACME-0002'",
        {("billing_invoice", "exact_nanos"), ("billing_invoice", "carried_in_nanos")},
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", LIES)
def test_e8_the_audit_names_the_lie(documents, what):
    sql, named = LIES[what]
    assert named <= lie(sql)


@pytest.mark.django_db
def test_the_lies_are_about_rows_that_are_there(documents):
    assert (
        Invoice.objects.count(),
        CreditNote.objects.count(),
        Statement.objects.count(),
    ) == (2, 1, 2)
