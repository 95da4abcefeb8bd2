"""The operators' start page and search: what needs somebody stands there with the press
that mends it, and everybody sees what their role may see.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import OutgoingMail
from accounts.operators import needs
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, BillingMonth, OrganizationMonth, UsageEvent
from config.operators import ADMINISTRATORS, FINANCE, SUPPORT
from tests.factories.balances import make_bolt
from tests.factories.people import make_api_key, make_user
from tests.factories.usage import enable_extra_usage, event

START = "/admin/"


def signed_in(client, group=""):
    person = make_user("op@example.com", "Olga", is_staff=True, is_superuser=not group)
    if group:
        person.groups.add(Group.objects.get(name=group))
    client.force_login(person)
    return client


def failed_mails(acme, count):
    now = dt.datetime.now(dt.UTC)
    OutgoingMail.objects.bulk_create(
        OutgoingMail(
            organization=acme,
            address=f"a{number}@x.example",
            kind="cap",
            key=f"k{number}-{now.timestamp()}",
            created_at=now,
            next_try_at=now,
            expires_at=now,
            dropped_at=now,
            attempts=9,
            last_error="550 no such mailbox",
        )
        for number in range(count)
    )


def test_a_mail_given_up_leads_to_the_mails_that_were(client, acme):
    failed_mails(acme, 3)
    page = signed_in(client).get(START).content.decode()
    assert "3 mails could not be sent and were given up" in page
    shown = reverse("admin:accounts_outgoingmail_changelist") + "?state=given_up"
    assert shown in page
    assert "a0@x.example" in client.get(shown).content.decode()


def test_a_declined_card_of_an_empty_balance_has_stopped_people(client, db, now):
    bolt = make_bolt(now=now)
    BillingAccount.objects.filter(organization=bolt).update(
        reload_declines=2, reload_ended_at=now, auto_reload_enabled=False
    )
    page = signed_in(client).get(START).content.decode()
    assert "Card declined 2 times" in page
    assert f"?customer={bolt.pk}" in page


def test_a_month_that_should_have_closed_is_told(client, acme, now):
    OrganizationMonth.objects.create(
        organization=acme, month_on=dt.date(2020, 1, 1), extra_nanos=1
    )
    page = signed_in(client).get(START).content.decode()
    assert "January 2020 should have closed on" in page
    assert not BillingMonth.objects.exists()


def test_an_unknown_model_is_previewed_in_one_press(client, acme, bob, now):
    enable_extra_usage(acme)
    record_usage(
        [replace(event(bob, usd="1", at=now), model="claude-sonet-5x")],
        organization_id=acme.pk,
        now=now,
    )
    page = signed_in(client).get(START).content.decode()
    assert UsageEvent.objects.get().estimated
    assert "claude-sonet-5x" in page
    assert "anthropic/claude-sonnet-5</option>" in page
    preview = client.post(
        reverse("admin:billing_unknownmodel_changelist"),
        {"name": "claude-sonet-5x", "same_as": "anthropic/claude-sonnet-5"},
    )
    assert "1 event would be adjusted" in preview.content.decode()


def test_a_part_that_cannot_be_counted_says_so_and_the_rest_stands(
    client, acme, monkeypatch
):
    def broken(now):
        raise RuntimeError

    kind = needs.Kind("Failed mails", broken, "accounts.view_outgoingmail")
    monkeypatch.setitem(needs._KINDS, "mails", kind)
    page = signed_in(client).get(START).content.decode()
    assert "Failed mails could not be counted" in page
    assert acme.name in page


@pytest.mark.parametrize("group", [SUPPORT, FINANCE, ADMINISTRATORS])
def test_acts_that_a_role_may_not_do_are_left_out(client, acme, group):
    page = signed_in(client, group).get(START)
    assert page.status_code == 200
    may_add = group == ADMINISTRATORS
    assert ("Make a customer" in page.content.decode()) is may_add


def test_a_person_without_a_role_sees_no_row_of_any_table(client, acme):
    person = make_user("new@example.com", "New", is_staff=True)
    client.force_login(person)
    page = client.get(START).content.decode()
    assert acme.name not in page
    found = client.get(reverse("admin:search"), {"q": acme.name}).content.decode()
    assert "organization/" not in found


def test_the_start_page_takes_the_same_queries_at_3_and_30(client, acme):
    operator = signed_in(client)
    failed_mails(acme, 3)
    operator.get(START)
    with CaptureQueriesContext(connection) as few:
        operator.get(START)
    failed_mails(acme, 30)
    with CaptureQueriesContext(connection) as many:
        operator.get(START)
    assert len(many) == len(few)


def test_the_search_finds_each_kind_exact_ids_first(client, acme, bob, now):
    enable_extra_usage(acme)
    key, _secret = make_api_key(acme, now=now), None
    record_usage([event(bob, usd="1", at=now)], organization_id=acme.pk, now=now)
    usage = UsageEvent.objects.get()
    operator = signed_in(client)
    for text, kind in (
        (acme.name, "Customers"),
        (bob.user.email, "People"),
        (usage.event_id, "Usage events"),
    ):
        page = operator.get(reverse("admin:search"), {"q": text}).content.decode()
        assert kind in page
        assert "exactly this" in page
    assert key


def test_a_key_is_never_found_by_its_secret(client, acme, now):
    make_api_key(acme, now=now)
    row = acme.api_keys.get()
    operator = signed_in(client)
    by_prefix = operator.get(reverse("admin:search"), {"q": row.prefix})
    assert row.name in by_prefix.content.decode()
    whole = operator.get(reverse("admin:search"), {"q": row.prefix + "x" * 30})
    assert "Nothing is called" in whole.content.decode()
