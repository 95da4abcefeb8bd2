"""Settings › Usage of a month that is over, as it was: figures, caps, seats, stops and
people of then; a day of it; what is not kept is said to be so.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
import time_machine
from django.test import Client

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from accounts.actions.seats import assign_seat
from accounts.models.privacy import RetentionMark
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.documents.closing import close_due
from billing.metering.actions.recording import record_usage
from billing.models import MemberMonth, Notice, SeatAllowance, SpendCap
from billing.payments.actions.credits import post_credit
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import make_bolt
from tests.factories.documents import CLOSES, close_november, use
from tests.factories.people import MembershipFactory
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

USAGE = "/o/acme/settings/usage/"
NOVEMBER = f"{USAGE}?month=2026-11"
DECEMBER = CLOSES + dt.timedelta(days=2)
CSV = f"{USAGE}people.csv"


@pytest.fixture(autouse=True)
def _in_december():
    with time_machine.travel(DECEMBER, tick=False):
        yield


@pytest.fixture
def actor(alice) -> Actor:
    return Actor.person(alice.user)


@pytest.fixture
def used(acme, alice, actor):
    """November: Bob $12 on the 23rd and Ada $30 the day before, both with the Standard
    cap of $40 and the organization's of $100.
    """
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme)
    early = NOW - dt.timedelta(days=10)
    set_organization_cap(acme, amount_nanos=usd(100), actor=actor, now=early)
    set_seat_tier_cap(
        acme, tier="standard", amount_nanos=usd(40), actor=actor, now=early
    )
    use(acme, "ada", "30", at=NOW - dt.timedelta(days=1))
    use(acme, "bob", "10", at=NOW)
    use(acme, "bob", "2", at=NOW, surface="claude")
    return acme


def html_of(membership, path: str = NOVEMBER, **headers: str) -> str:
    client = Client()
    client.force_login(membership.user)
    response = client.get(path, headers=headers)
    assert response.status_code == 200, response
    return flat(b"".join(response).decode())


def row_of(html: str, name: str) -> str:
    """A person's row of the table."""
    [row] = [row for row in html.split("<tr id=") if f">{name}</" in row]
    return row.split("</tr>")[0]


def test_a_closed_month_says_what_it_came_to_and_projects_nothing(used, alice):
    invoice = close_november(used)
    html = html_of(alice)
    assert "November ended $58.00 under the cap." in html
    assert "Closed on Tue 1 Dec at 06:00 and frozen since" in html
    assert f'href="/o/acme/settings/billing/invoices/{invoice.number}/"' in html
    assert f"Closed, invoice {invoice.number}" in html
    assert "Projected" not in html and "key--projected" not in html
    assert "Busiest day" in html and "Sun 22 Nov" in html
    assert f'href="{USAGE}">Back to this month</a>' in html


def test_an_admin_reads_it_without_links_that_lead_to_a_403(used, ada):
    invoice = close_november(used)
    html = html_of(ada)
    assert invoice.number in html
    assert "/settings/billing/invoices/" not in html


def test_a_month_that_is_over_and_not_closed_says_so(used, alice):
    with time_machine.travel(CLOSES - dt.timedelta(hours=3), tick=False):
        html = html_of(alice)
    assert "Not closed yet: usage of November that still arrives counts to it." in html
    assert "Not closed yet</span>" in html
    assert "/settings/billing/invoices/" not in html


def test_a_prepaid_month_leads_to_its_statement(db, now):
    bolt = make_bolt(now=now)
    [member] = bolt.memberships.filter(user=bolt.primary_owner)
    post_credit(
        bolt, amount_nanos=usd(5), reason="Hello", operator=member.user, now=now
    )
    close_due(bolt.pk, now=DECEMBER)
    html = html_of(member, "/o/bolt/settings/usage/?month=2026-11")
    assert (
        'href="/o/bolt/settings/billing/statements/2026-11/">Closed, statement' in html
    )


def test_caps_are_those_of_then_whatever_holds_now(used, alice, actor):
    set_organization_cap(used, amount_nanos=usd(900), actor=actor, now=DECEMBER)
    set_seat_tier_cap(
        used, tier="standard", amount_nanos=usd(70), actor=actor, now=DECEMBER
    )
    html = html_of(alice)
    assert "of $100.00 organization cap" in html
    assert "$40.00" in row_of(html, "Bob Feld")
    assert "$900.00" not in html and "$70.00" not in html


def test_a_cap_of_that_month_only_is_shown_as_one(used, alice, bob, actor):
    set_member_cap(
        used,
        membership=bob,
        amount_nanos=usd(60),
        this_month_only=True,
        actor=actor,
        now=NOW,
    )
    row = row_of(html_of(alice), "Bob Feld")
    assert "$60.00" in row and "own cap, November only" in row


def test_a_cap_set_for_the_first_time_afterwards_did_not_hold(used, alice, bob, actor):
    set_member_cap(used, membership=bob, amount_nanos=usd(5), actor=actor, now=DECEMBER)
    row = row_of(html_of(alice), "Bob Feld")
    assert "$40.00" in row and "from seat" in row
    assert "xu-status--paused" not in row


def test_a_cap_that_was_never_changed_is_as_it_is(acme, alice, bob):
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme, cap="80")
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=usd(33)
    )
    use(acme, "bob", "1", at=NOW)
    html = html_of(alice)
    assert "of $80.00 organization cap" in html
    assert "$33.00" in row_of(html, "Bob Feld")


def test_how_often_the_organizations_cap_was_changed(used, alice, actor):
    set_organization_cap(used, amount_nanos=usd(110), actor=actor, now=NOW)
    html = html_of(alice)
    assert "changed 2 times, the last on Mon 23 Nov by Alice Nakamura" in html
    assert "$12,000.00 before" in html


def test_what_is_no_longer_kept_is_not_made_up(used, alice):
    RetentionMark.objects.create(kind="audit", before_at=NOW)
    html = html_of(alice)
    assert (
        "Not recorded: the changes of caps from that time are no longer kept." in html
    )
    assert "the cap of that month is not recorded" in html
    assert "Unlimited" not in html
    assert "not recorded" in row_of(html, "Bob Feld")


def test_the_seat_is_that_of_then_and_people_who_left_stay(used, alice, bob, actor):
    with time_machine.travel(DECEMBER, tick=False):
        assign_seat(bob, tier="premium", actor=actor, now=DECEMBER)
        remove_member(bob, by=alice, now=DECEMBER)
    html = html_of(alice)
    row = row_of(html, "Bob Feld")
    assert "Standard" in row and "Removed 3 Dec" in row and "$12.00" in row
    found = html_of(alice, f"{NOVEMBER}&status=removed")
    assert "Bob Feld" in found and "Ada Okafor</" not in found


def test_who_was_stopped_says_the_day_and_the_minute(used, alice, bob, actor):
    use(used, "bob", "28", at=NOW)
    set_member_cap(used, membership=bob, amount_nanos=usd(90), actor=actor, now=NOW)
    html = html_of(alice)
    assert "Mon 23 Nov, 14:28" in row_of(html, "Bob Feld"), "raised since, yet stopped"
    assert "1 of 2" in html
    stopped = html_of(alice, f"{NOVEMBER}&status=stopped")
    assert "Bob Feld" in stopped and "Ada Okafor</" not in stopped


def test_a_stop_that_was_not_noticed_has_the_day_of_the_counters(used, alice, bob):
    use(used, "bob", "28", at=NOW)
    Notice.objects.all().delete()
    row = row_of(html_of(alice), "Bob Feld")
    assert "Mon 23 Nov" in row and "14:28" not in row


@pytest.mark.parametrize(
    ("month", "sentence"),
    [
        ("garbage", "is not a month; write one as 2026-10. This is December 2026."),
        ("2027-01", "January 2027 has not begun. This is December 2026."),
        ("1999-12", "is not a month"),
        ("2019-01", "Nothing was used before November 2026."),
    ],
)
def test_a_month_that_can_not_be_shown_leads_to_this_one(used, alice, month, sentence):
    html = html_of(alice, f"{USAGE}?month={month}")
    assert sentence in html
    assert "Spend caps by user" in html


def test_strangers_and_members_get_no_past_month(used, bob, charlie):
    for who, status in ((bob, 403), (charlie, 404)):
        client = Client()
        client.force_login(who.user)
        for path in (
            NOVEMBER,
            f"{USAGE}month/?month=2026-11&day=3",
            f"{CSV}?month=2026-11",
        ):
            assert (
                client.get(path, headers={"HX-Request": "true"}).status_code == status
            )


def test_a_day_says_who_what_and_why_somebody_was_stopped(used, alice):
    use(used, "bob", "28", at=NOW)
    html = html_of(alice, f"{NOVEMBER}&day=23")
    day = html.split('id="month-day"')[1].split("</section>")[0]
    assert "Mon 23 Nov" in day and "$40.00" in day
    assert "1 person" in day and "1 stopped" in day
    assert "Stopped 14:28, seat cap of $40.00" in day
    assert "Ada Okafor" not in day
    assert "claude-sonnet-5" in day
    assert "$38.00" in day and "$2.00" in day, "by surface"
    assert f'href="{NOVEMBER}&amp;day=22#month-day"' in day
    assert f'href="{NOVEMBER}&amp;day=24#month-day"' in day
    assert f'href="{NOVEMBER}#month-day"' in day, "close"


def test_six_people_by_name_then_others_and_all_add_up(used, alice):
    for number in range(1, 9):
        member = MembershipFactory(organization=used, seat_tier="standard")
        record_usage(
            [event(member, at=NOW, usd=f"{number}")], organization_id=used.pk, now=NOW
        )
    html = html_of(alice, f"{NOVEMBER}&day=23")
    day = html.split('id="month-day"')[1].split("</section>")[0]
    assert "9 people" in day and "3 other people" in day
    assert "$6.00</td>" in day, "the three smallest: 1, 2 and 3"
    assert "$48.00" in day


@pytest.mark.parametrize("day", ["0", "31", "99", "x", "-1", "１", "1e3", ""])
def test_no_such_day_shows_the_month_alone(used, alice, day):
    assert 'id="month-day"' not in html_of(alice, f"{NOVEMBER}&day={day}")


def test_a_day_to_come_is_not_opened(used, alice):
    assert 'id="month-day"' not in html_of(alice, f"{USAGE}?day=4")
    assert 'id="month-day"' in html_of(alice, f"{USAGE}?day=3")


def test_a_press_gets_the_panel_alone_and_the_page_behind_it(used, alice):
    part = f"{USAGE}month/?month=2026-11&day=23"
    html = html_of(alice, part, **{"HX-Request": "true"})
    assert html.strip().startswith('<section class="xu-panel" id="usage-month"')
    assert f'hx-push-url="{NOVEMBER}&amp;day=22"' in html
    now = html_of(alice, f"{USAGE}month/?day=3", **{"HX-Request": "true"})
    assert f'hx-get="{USAGE}month/?day=3&amp;seen=' in now, (
        "it stays open when refreshed"
    )


def test_the_csv_of_a_month_is_the_table_of_that_month(used, alice, bob, actor):
    use(used, "bob", "28", at=NOW)
    set_member_cap(
        used, membership=bob, amount_nanos=usd(500), actor=actor, now=DECEMBER
    )
    text = html_csv(alice, f"{CSV}?month=2026-11")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [
        "Person",
        "E-mail",
        "Seat then",
        "Cap then (USD)",
        "Cap from",
        "Spend (USD)",
        "Stopped on",
        "Removed on",
    ]
    assert rows[1] == [
        "Bob Feld",
        "bob@acme.example",
        "Standard",
        "40.00",
        "from seat",
        "40.000000000",
        "2026-11-23 14:28",
        "",
    ]
    assert len(rows) == 3
    assert len(html_csv(alice, f"{CSV}?month=2026-11&status=stopped").splitlines()) == 2


def html_csv(membership, path: str) -> str:
    client = Client()
    client.force_login(membership.user)
    response = client.get(path)
    assert "acme-usage-2026-11" in response["Content-Disposition"]
    return b"".join(response).decode().removeprefix("\ufeff")


def test_a_past_month_costs_as_many_queries_at_30_people_as_at_3(
    used, alice, django_assert_max_num_queries
):
    close_november(used)
    client = Client()
    client.force_login(alice.user)
    path = f"{NOVEMBER}&day=23"
    people_at_their_cap(used, 3)
    client.get(path)
    with django_assert_max_num_queries(32) as few:
        assert client.get(path).status_code == 200
    people_at_their_cap(used, 27)
    with django_assert_max_num_queries(32) as many:
        assert client.get(path).status_code == 200
    assert len(many) == len(few)


def people_at_their_cap(organization, number: int) -> None:
    for member in MembershipFactory.create_batch(number, organization=organization):
        MemberMonth.objects.create(
            membership=member, month_on=dt.date(2026, 11, 1), extra_nanos=usd(3)
        )
        SpendCap.objects.create(
            organization=organization,
            level="member",
            membership=member,
            amount_nanos=usd(2),
        )


def test_usage_that_was_nobodys_is_told_beside_the_people(used, alice):
    record_usage(
        [event("somebody@else.example", at=NOW, usd="3")],
        organization_id=used.pk,
        now=NOW,
    )
    html = html_of(alice)
    assert "$45.00" in html, "all of the month"
    assert "Another $3.00 of November was unattributed usage" in html
    day = html_of(alice, f"{NOVEMBER}&day=23").split('id="month-day"')[1]
    assert "Unattributed" in day and "$15.00" in day
