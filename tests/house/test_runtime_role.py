"""The role that serves may do what the product does (tests/stories run as it), and neither
change tables nor rewrite books: PostgreSQL refuses by rights, before any trigger is asked.
"""

from __future__ import annotations

import io

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.runtime_role import rights_of
from tests.factories.usage import event
from tests.runtime_role import serve_as_runtime_role

REFUSED = (
    "TRUNCATE billing_usageevent",
    "TRUNCATE accounts_organization CASCADE",
    "DROP TABLE billing_usageevent",
    "CREATE TABLE public.mine (id int)",
    "ALTER TABLE billing_usageevent DISABLE TRIGGER ALL",
    "ALTER TABLE billing_usageevent ADD COLUMN mine int",
    "DROP TRIGGER billing_usageevent_append_only ON billing_usageevent",
    "CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NEW; END $$",
    "SET session_replication_role = replica",
    "UPDATE billing_usageevent SET cost_nanos = 0",
    "DELETE FROM billing_usageevent",
    "UPDATE billing_ledgerentry SET amount_nanos = 0",
    "DELETE FROM billing_ledgerentry",
    "UPDATE billing_invoiceline SET amount_nanos = 0",
    "UPDATE accounts_auditentry SET at = now()",
    "DELETE FROM accounts_retentionmark",
    "DELETE FROM django_migrations",
)


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_role_that_serves_changes_no_table_and_rewrites_no_books(acme, bob, now):
    serve_as_runtime_role()
    record_usage([event(bob, at=now)], organization_id=acme.pk, now=now)
    went_through = []
    for statement in REFUSED:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            went_through.append(statement)
        except ProgrammingError as error:
            assert "permission denied" in str(error) or "must be owner" in str(error)
    assert went_through == []
    assert UsageEvent.objects.get().cost_nanos > 0


def test_books_are_only_added_to():
    kept = [
        model for model in apps.get_models() if getattr(model, "append_only", False)
    ]
    assert len(kept) > 10
    for model in kept:
        assert not {"UPDATE", "TRUNCATE"} & set(rights_of(model)), model


def test_rights_are_printed_as_one_transaction_for_any_name():
    out = io.StringIO()
    call_command("runtime_role_sql", 'we"b', stdout=out)
    lines = out.getvalue().splitlines()
    assert (lines[0], lines[-1]) == ("BEGIN;", "COMMIT;")
    assert all(line.endswith(";") for line in lines)
    assert 'GRANT SELECT, INSERT ON "billing_statement" TO "we""b";' in lines
    with pytest.raises(CommandError, match="1 to 63 bytes"):
        call_command("runtime_role_sql", "x" * 64, stdout=out)
