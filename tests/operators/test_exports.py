"""Lists as CSV: what the list shows, exact, guarded, bounded, and kept in the audit."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.audit import LOOKED_AT
from accounts.models import AuditEntry
from accounts.operators import exports
from billing.metering.actions.recording import record_usage
from billing.models import UsageEvent
from config.kit.money import to_decimal_text
from config.operators import SUPPORT
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def operator(client, db):
    person = make_user("op@example.com", "Olga", is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


@pytest.fixture
def used(acme, bob, ada, now):
    enable_extra_usage(acme)
    events = [
        event(bob, id="=one", usd="1.23456", at=now),
        event(ada, id="two", usd="2", at=now),
    ]
    record_usage(events, organization_id=acme.pk, now=now)
    return acme


def address_of(table: str) -> str:
    return reverse("admin:csv_changelist", args=table.split("."))


def rows_of(response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.content
    assert response.streaming
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_audit_is_taken_without_the_way_back(client, operator, used):
    rows = rows_of(client.get(address_of("accounts.auditentry")))
    assert "Change" in rows[0] and "Undo" not in rows[0]


@pytest.mark.parametrize("table", ["billingaccount", "paymentcard", "billingdetails"])
def test_a_number_that_no_row_can_have_is_no_row(client, operator, table):
    url = reverse(f"admin:billing_{table}_change", args=["9" * 30])
    assert client.get(url).status_code == 302


def test_a_list_is_exact_in_utc_and_safe_for_spreadsheets(client, operator, used, now):
    rows = rows_of(client.get(address_of("billing.usageevent")))
    [one] = [row for row in rows if row["Id"] == "'=one"]
    stored = UsageEvent.objects.get(event_id="=one")
    assert one["Cost (USD)"] == to_decimal_text(stored.cost_nanos)
    assert one["Occurred (UTC)"] == stored.occurred_at.isoformat()
    assert one["Occurred (UTC)"].endswith("+00:00")
    assert one["Person"] == "bob@acme.example"


def test_search_and_filters_hold(client, operator, used):
    address = address_of("billing.usageevent")
    assert len(rows_of(client.get(address))) == 2
    assert len(rows_of(client.get(f"{address}?q=bob@acme.example"))) == 1
    assert rows_of(client.get(f"{address}?month_on__month=2019-01")) == []


def test_who_took_which_list_is_kept_without_what_was_searched(client, operator, used):
    client.get(f"{address_of('billing.usageevent')}?q=bob@acme.example")
    kept = AuditEntry.objects.get(action=LOOKED_AT)
    assert (kept.actor, kept.subject) == (operator, "usageevent CSV")
    assert kept.to_value == {"rows": 1, "filtered by": ["q"]}


def test_too_long_a_list_is_refused_with_a_word_of_help(
    client, operator, used, monkeypatch
):
    monkeypatch.setattr(exports, "MOST_EXPORTED", 1)
    address = f"{address_of('billing.usageevent')}?surface=claude_code"
    page = client.get(address, follow=True)
    assert page.redirect_chain[0][0].endswith("/usageevent/?surface=claude_code")
    assert "Search or filter first" in page.content.decode()
    assert not AuditEntry.objects.filter(action=LOOKED_AT).exists()


def test_whoever_may_not_see_a_list_may_not_take_it(client, used):
    person = make_user("new@example.com", "New", is_staff=True)
    client.force_login(person)
    assert client.get(address_of("billing.usageevent")).status_code == 403
    person.groups.add(Group.objects.get(name=SUPPORT))
    assert client.get(address_of("billing.usageevent")).status_code == 200
    assert client.get(address_of("billing.unknownmodel")).status_code == 404
    assert client.get(address_of("auth.group")).status_code == 404


def test_every_list_can_be_taken_without_a_query_a_row(
    client, operator, used, bob, now, django_assert_max_num_queries
):
    more = [event(bob, id=f"e{n}", usd="0.01", at=now) for n in range(20)]
    record_usage(more, organization_id=used.pk, now=now)
    for model, model_admin in admin.site._registry.items():
        if tuple(model_admin.list_display) == ("__str__",):
            continue
        with django_assert_max_num_queries(20):
            rows_of(client.get(address_of(model._meta.label_lower)))
