"""Settings › Members › one person (screens.md), and the same months on their own page."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from billing.caps.actions.caps import set_member_cap, set_seat_tier_cap
from billing.metering.actions.recording import record_usage
from billing.models import MemberMonth, Notice, SeatAllowance, UsageDay
from billing.reports.queries.person import days_of
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.people import make_organization, make_user
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

OCTOBER = dt.datetime(2026, 10, 14, 19, 2, tzinfo=dt.UTC)  # 15:02 in New York


@pytest.fixture
def clock():
    with time_machine.travel(OCTOBER, tick=False) as clock:
        yield clock


@pytest.fixture
def used(clock, acme, alice, bob):
    """October: Bob reaches his seat's cap of $40. November: an own cap of $100, $60 spent
    on two models.
    """
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme)
    by = Actor.person(alice.user)
    set_seat_tier_cap(
        acme, tier="standard", amount_nanos=usd(40), actor=by, now=OCTOBER
    )
    spend(bob, "25", at=OCTOBER)
    spend(bob, "20", at=OCTOBER)
    clock.move_to(NOW)
    set_member_cap(acme, membership=bob, amount_nanos=usd(100), actor=by, now=NOW)
    spend(bob, "20", at=NOW, model="claude-opus-5")
    spend(bob, "10", at=NOW, model="claude-sonnet-5")
    return acme


def spend(member, amount: str, *, at: dt.datetime, **more) -> None:
    sent = replace(event(member, at=at, usd=amount), **more)
    [result] = record_usage(
        [sent], organization_id=member.organization_id, now=at
    ).results
    assert result.status == "recorded", result


@pytest.fixture
def open_page(client, ada):
    client.force_login(ada.user)

    def open_page(member, query: str = "") -> str:
        address = f"/o/acme/settings/members/{member.pk}/{query}"
        response = client.get(address)
        assert response.status_code == 200
        return flat(response.content.decode())

    return open_page


def test_an_admin_sees_where_somebody_stands(used, bob, open_page):
    shown = open_page(bob)
    assert "<h1" in shown and "Bob Feld" in shown
    assert "$60.00" in shown and "of $100.00 own cap" in shown
    assert "(the seat's is $40.00)" in shown
    assert "Opus 5" in shown and "claude-sonnet-5" in shown
    assert "1 of 1" in shown  # the only one who spent anything
    assert "Edit limit" not in shown  # admins read


def test_a_month_that_is_over_is_as_it_was(used, bob, open_page):
    shown = open_page(bob, "?month=2026-10")
    assert "Bob Feld reached the cap on Wed 14 Oct at 15:02." in shown
    assert "$45.00" in shown and "of a cap of $40.00" in shown
    assert "Back to this month" in shown and "Left until the cap" in shown
    assert "Session, 5 hours" not in shown  # windows are of now


def test_a_stop_of_which_nobody_was_told_has_its_day(used, bob, open_page):
    """An organization may choose to tell of no per cent."""
    Notice.objects.all().delete()
    shown = open_page(bob, "?month=2026-10")
    assert "Bob Feld reached the cap on Wed 14 Oct." in shown
    assert shown.count(", stopped at the cap") == 1


def test_x2_the_line_of_nobody_has_no_place_among_people(used, bob, open_page):
    sent = event("stranger@elsewhere.example", at=NOW, usd="90")
    record_usage([sent], organization_id=used.pk, now=NOW)
    assert "1 of 1" in open_page(bob)


def test_a_correction_of_an_older_seat_is_not_the_seat_of_its_month(bob, used):
    UsageDay.objects.create(
        membership=bob,
        day_on=NOW.date(),
        surface="claude",
        model="claude-opus-5",
        seat_tier="",
        extra_nanos=1,
    )
    days = days_of(bob.pk, since=dt.date(2026, 11, 1), until=dt.date(2026, 11, 30))
    assert days.seats == {dt.date(2026, 11, 1): "standard"}


def test_the_strip_has_every_month_with_its_amount_and_stop(used, bob, open_page):
    shown = open_page(bob)
    assert "October 2026:" in shown and "?month=2026-10" in shown
    assert "2 months,<b>$105.00</b>in all" in shown
    assert shown.count(", stopped at the cap") == 1


def test_caps_are_a_time_line_of_who_changed_what(used, bob, open_page):
    shown = open_page(bob)
    assert "Member spend cap: $100.00" in shown or "$100.00" in shown
    assert "by Alice Nakamura" in shown
    assert "Show earlier" not in shown


def test_seven_receipts_and_what_was_last_where_nothing_was_used(
    used, bob, ada, open_page
):
    assert open_page(bob).count("Extra usage</td>") == 4
    shown = open_page(ada)
    assert "No extra usage in November." in shown and "No request so far." in shown


def test_who_was_removed_keeps_their_page(used, bob, alice, open_page, client):
    remove_member(bob, by=alice, now=NOW)
    client.force_login(alice.user)
    shown = open_page(bob)
    assert "Removed 23 Nov" in shown and "Edit limit" not in shown
    assert "$60.00" in shown


def test_owners_edit_from_there(used, bob, alice, client):
    client.force_login(alice.user)
    shown = flat(client.get(f"/o/acme/settings/members/{bob.pk}/").content.decode())
    assert "Edit limit" in shown and f"/caps/members/{bob.pk}/" in shown
    assert f"/settings/members/{bob.pk}/edit/" in shown


@pytest.mark.parametrize("query", ["?month=2027-01", "?month=1999-01", "?month=x%00"])
def test_a_month_there_is_not_is_told(query, used, bob, open_page):
    assert "This is November 2026." in open_page(bob, query)


def test_whoever_may_not_sees_nothing(used, client, bob, charlie):
    client.force_login(bob.user)
    assert client.get(f"/o/acme/settings/members/{bob.pk}/").status_code == 403
    client.force_login(charlie.user)
    assert client.get(f"/o/acme/settings/members/{bob.pk}/").status_code in (403, 404)


def test_somebody_of_another_organization_is_not_found(used, client, alice):
    other = make_organization("other", owner=make_user("o@other.example", "O"), now=NOW)
    stranger = other.memberships.get()
    client.force_login(alice.user)
    assert client.get(f"/o/acme/settings/members/{stranger.pk}/").status_code == 404


def test_years_of_months_cost_no_query_more(used, bob, open_page):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            open_page(bob)
        return len(captured)

    open_page(bob)
    few = queries()
    for number in range(1, 10):
        MemberMonth.objects.create(
            membership=bob, month_on=dt.date(2025, number, 1), extra_nanos=usd(number)
        )
    assert queries() <= few <= 28


def test_a_member_has_the_same_past(used, bob, client):
    client.force_login(bob.user)
    shown = flat(client.get("/o/acme/usage/?month=2026-10").content.decode())
    assert "You reached your cap on Wed 14 Oct at 15:02." in shown
    assert "$45.00" in shown and "Request more usage" not in shown
    shown = flat(client.get("/o/acme/usage/").content.decode())
    assert "October 2026:" in shown


def test_names_in_the_tables_lead_there(used, bob, alice, client):
    client.force_login(alice.user)
    link = f'href="/o/acme/settings/members/{bob.pk}/"'
    for path in ("usage/", "members/", "reports/"):
        assert link in flat(client.get(f"/o/acme/settings/{path}").content.decode()), (
            path
        )
