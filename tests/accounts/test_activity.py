"""The Activity page and its CSV (C8): who, when, from, to; for owners, filtered, and only
what changed something.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.actions.audit import Actor, record_change
from accounts.actions.members import change_role, edit_member, remove_member
from accounts.actions.seats import assign_seat, set_bought_seats
from accounts.actions.unknown import make_nobody
from accounts.models import AuditEntry, User
from billing.caps.actions.caps import set_member_cap, set_organization_cap
from config.kit.money import usd
from tests.factories.people import MembershipFactory

PAGE = "/o/acme/settings/activity/"
CSV = "/o/acme/settings/activity.csv"


def rows(client, query=""):
    """The CSV's rows by their heads."""
    answer = client.get(CSV + query)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def changed(organization, now, **change):
    """One entry of the audit."""
    defaults = {"actor": Actor(label="x"), "action": "member.role", "subject": "Bob"}
    return record_change(organization, now=now, **{**defaults, **change})


def test_c8_what_was_set_to_what_it_was_is_no_change(acme, alice, bob, now):
    actor = Actor.person(alice.user)
    set_member_cap(acme, membership=bob, amount_nanos=None, actor=actor, now=now)
    set_organization_cap(acme, amount_nanos=None, actor=actor, now=now)
    change_role(bob, role=bob.base_role, by=alice, now=now)
    assign_seat(bob, tier=bob.seat_tier, actor=actor, now=now)
    edit_member(bob, seat_tier=bob.seat_tier, role=bob.base_role, by=alice, now=now)
    bought = acme.seat_tiers.get(tier="standard").bought
    set_bought_seats(acme, tier="standard", bought=bought, actor=actor, now=now)
    assert not AuditEntry.objects.exists()
    assert changed(acme, now, from_value={"a": 1}, to_value={"a": 1}) is None
    assert changed(acme, now, action="api_key.revoke") is not None


def test_c8_the_page_shows_the_year(client, acme, alice, now):
    changed(acme, now - dt.timedelta(days=800), to_value="admin")
    client.force_login(alice.user)
    assert "Sat 14 Sept 2024, 15:28" in client.get(PAGE).content.decode()


def test_c8_seats_and_plans_read_as_people_call_them(client, acme, alice, bob, now):
    actor = Actor.person(alice.user)
    assign_seat(bob, tier=None, actor=actor, now=now)
    set_bought_seats(acme, tier="premium", bought=77, actor=actor, now=now)
    changed(
        acme,
        now,
        action="organization.edit",
        from_value={"name": "team", "plan": "team"},
        to_value={"name": "owner", "plan": "enterprise_usage"},
    )
    changed(acme, now, action="api_key.create", to_value={"scopes": ["meter", "read"]})
    client.force_login(alice.user)
    by_what = {row["What"]: row for row in rows(client)}
    assert (by_what["Seat"]["From"], by_what["Seat"]["To"]) == ("Standard", "No seat")
    assert by_what["Seats bought"]["About"] == "Premium"
    edited = by_what["Organization"]
    assert (edited["From"], edited["To"]) == (
        "team, Team",
        "owner, Enterprise, usage-based",
    )
    assert by_what["API key created"]["To"] == "Metering, Reading"


def test_c8_the_csv_has_amounts_as_numbers_and_texts_that_run_nothing(
    client, acme, alice, bob, now
):
    actor = Actor.person(alice.user)
    set_organization_cap(acme, amount_nanos=usd("12.5"), actor=actor, now=now)
    changed(acme, now, subject='=HYPERLINK("x")', actor=Actor(label="@key"))
    changed(acme, now, action="usage.repricing", from_value=0, to_value=-usd("789.5"))
    client.force_login(alice.user)
    repriced, hostile, cap = rows(client)
    assert (hostile["Who"], hostile["About"]) == ("'@key", '\'=HYPERLINK("x")')
    assert (repriced["From (USD)"], repriced["To (USD)"]) == (
        "0.000000000",
        "-789.500000000",
    )
    assert cap == {
        "When (UTC)": "2026-11-23T19:28:00+00:00",
        "Who": "Alice Nakamura",
        "E-mail": "alice@acme.example",
        "What": "Organization spend cap",
        "About": "Acme",
        "From": "Unlimited",
        "To": "$12.50",
        "From (USD)": "",
        "To (USD)": "12.500000000",
        "Reason": "",
    }


def test_c8_the_csv_respects_the_filters_and_has_every_page(client, acme, alice, now):
    for number in range(120):
        changed(acme, now, action="member.role", subject=f"Bob {number}")
    changed(acme, now, action="api_key.revoke", subject="Bob's key")
    client.force_login(alice.user)
    assert len(rows(client)) == 121
    assert len(rows(client, "?kind=member.")) == 120
    assert len(rows(client, "?kind=member.&q=bob+11")) == 11
    assert len(rows(client, "?kind=nonsense&q=key")) == 1
    page = client.get(PAGE + "?kind=member.&q=bob").content.decode()
    assert 'href="/o/acme/settings/activity.csv?kind=member.&amp;q=bob"' in page


@pytest.mark.parametrize("address", [PAGE, CSV])
def test_c8_activity_is_for_owners_of_this_organization(
    client, address, ada, charlie, alice, now
):
    changed(charlie.organization, now, subject="Umbrella's secret")
    client.force_login(charlie.user)
    assert client.get(address).status_code == 404
    client.force_login(ada.user)
    assert client.get(address).status_code == 403
    client.force_login(alice.user)
    answer = client.get(address)
    assert "secret" not in b"".join(answer).decode()


def test_c8_the_csv_speaks_the_readers_language(client, acme, alice, now):
    User.objects.update(language="ja")
    changed(acme, now, action="member.role", from_value="member", to_value="admin")
    client.force_login(alice.user)
    with translation.override(None):  # the request's own stays no other test's
        text = b"".join(client.get(CSV).streaming_content).decode("utf-8-sig")
    assert "管理者" in text


def person_link(member):
    """The link to a person's page, as the page of changes has it."""
    url = reverse("member_page", args=[member.organization.slug, member.pk])
    return f'href="{url}"'


def test_c8_whom_a_change_is_about_leads_to_their_page(client, acme, alice, bob, now):
    changed(acme, now, membership=bob, to_value="admin")
    changed(acme, now, action="api_key.revoke", subject="CI key")
    client.force_login(alice.user)
    page = client.get(PAGE).content.decode()
    assert page.count(person_link(bob)) == 1
    assert '<span class="xu-meta"> CI key </span>' in " ".join(page.split())


def test_c8_a_removed_person_still_has_a_page(client, acme, alice, bob, now):
    remove_member(bob, by=alice, now=now)
    client.force_login(alice.user)
    assert person_link(bob) in client.get(PAGE).content.decode()


def test_c8_what_names_no_person_leads_to_none(client, acme, alice, bob, now):
    """The organization where somebody was concerned, and the line of unattributed usage."""
    named = {"action": "organization.primary_owner", "subject": "Acme"}
    changed(acme, now, membership=bob, **named)
    nobody = make_nobody(acme.pk, now=now)
    changed(acme, now, action="usage.adjustment", membership=nobody)
    client.force_login(alice.user)
    page = client.get(PAGE).content.decode()
    assert person_link(bob) not in page and person_link(nobody) not in page


def test_c8_the_page_costs_the_same_for_2_people_and_for_20(client, acme, alice, now):
    client.force_login(alice.user)
    counts = []
    for number in (2, 20):
        for _one in range(number):
            member = MembershipFactory(organization=acme)
            changed(acme, now, membership=member, to_value="admin")
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        counts.append(len(captured))
    assert counts[0] == counts[1]
