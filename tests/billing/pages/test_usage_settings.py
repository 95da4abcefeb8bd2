"""Settings › Usage as owners, admins, members and strangers get it: what it says, and
at which cost.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Plan, Settlement
from billing.metering.actions.recording import record_usage
from billing.models import IncludedWindow, MemberMonth, SpendCap
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.people import MembershipFactory, UserFactory
from tests.factories.usage import enable_extra_usage, event

PAGES = [
    "usage_settings",
    "usage_month",
    "usage_caps",
    "usage_people",
    "usage_people_csv",
]
OWNER_PAGES = [
    "organization_cap",
    "organization_cap_preview",
    "enable_extra_usage",
    "turn_off_extra_usage",
    "selected_members",
]


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def sign_in(membership: Membership) -> Client:
    client = Client()
    client.force_login(membership.user)
    return client


def page(
    membership: Membership,
    name: str = "usage_settings",
    *,
    query: str = "",
    htmx: bool = False,
) -> str:
    headers = {"HX-Request": "true"} if htmx else {}
    response = sign_in(membership).get(
        reverse(name, args=["acme"]) + query, headers=headers
    )
    assert response.status_code == 200
    return b"".join(response).decode()  # some answers are streamed


def spend(member: Membership, *amounts: str, days_ago: int = 0) -> None:
    at = NOW - dt.timedelta(days=days_ago)
    for amount in amounts:
        record_usage(
            [event(member, usd=amount, at=at)],
            organization_id=member.organization_id,
            now=at,
        )


def test_the_month_answers_first(acme, alice, bob):
    enable_extra_usage(acme, cap="100")
    spend(bob, "1.00", "10.00", days_ago=2)
    html = page(alice)
    assert "November 2026" in html and "7 days left" in html
    assert "New York time" in html
    assert "Extra usage on, for everyone" in html
    assert "$10.00" in html and "of $100.00 organization cap" in html
    assert "Left until the cap" in html and "$90.00" in html


def test_a_cap_that_comes_first_says_when_and_what_would_last(acme, alice, ada, bob):
    enable_extra_usage(acme, cap="100")
    for days in range(1, 9):
        spend(bob, "10.00" if days < 8 else "11.00", days_ago=days)
    html = page(alice)
    assert "At this pace, extra usage stops on" in html
    assert "would last the month</a>" in html
    assert "would last the month." in page(ada), (
        "an admin reads it without a link that leads to a 403"
    )


def test_a_reached_cap_says_who_is_paused_and_until_when(acme, alice, bob):
    enable_extra_usage(acme, cap="5")
    spend(bob, "1.00", "6.00")
    html = page(alice)
    assert "Extra usage is paused for all 3 people until 1 Dec." in html
    assert "The organization cap was reached on Mon 23 Nov." in html
    assert "3 of 3" in html


def test_without_a_cap_it_says_so(acme, alice):
    enable_extra_usage(acme, cap=None)
    html = page(alice)
    assert "No organization cap is set." in html
    assert "3 people have no cap of their own either." in html


def test_before_the_first_use_nothing_is_projected(acme, alice):
    enable_extra_usage(acme)
    html = page(alice)
    assert "No extra usage yet this month." in html
    assert "too early to say" in html


def test_off_shows_the_organizations_own_waits(acme, alice, ada, bob):
    IncludedWindow.objects.create(
        membership=bob,
        name="session",
        opened_at=NOW - dt.timedelta(hours=9),
        exhausted_at=NOW - dt.timedelta(hours=7),
        resets_at=NOW - dt.timedelta(hours=4),
    )
    html = page(alice)
    assert "1 person ran out of included usage this month and waited 3 h" in html
    assert ">Enable</a>" in html
    assert "An owner can enable it." in page(ada)
    assert ">Enable</a>" not in page(ada)


def test_off_and_nobody_ran_out_says_just_that(acme, alice):
    html = page(alice)
    assert "No one has run out of included usage this month." in html
    assert "People who ran out, by day" not in html


def test_t1_a_prepaid_organization_is_led_through_paying_first(acme, alice):
    type(acme).objects.update(settlement=Settlement.PREPAID)
    html = page(alice)
    assert (
        "You pay in advance, from a balance you buy." in html and ">Enable</a>" in html
    )
    response = sign_in(alice).get(reverse("enable_extra_usage", args=["acme"]))
    assert (response.status_code, response["Location"]) == (
        302,
        "/o/acme/settings/usage/enable/pay/",
    )


def test_d2_a_usage_based_plan_has_nothing_to_switch(acme, alice):
    type(acme).objects.filter(pk=acme.pk).update(plan=Plan.ENTERPRISE_USAGE)
    html = page(alice)
    assert "every token is billed at API rates, so there is nothing to turn on" in html
    for words in (
        ">Enable</a>",
        ">Turn off</a>",
        "Seat spend caps",
        "Selected members",
    ):
        assert words not in html
    assert "Organization spend cap" in html


def test_d3_admins_see_everything_and_no_control_they_may_not_use(acme, ada, alice):
    enable_extra_usage(acme)
    for words in ("Adjust limit", "Turn off", "Edit limit", "Selected members"):
        assert words in page(alice)
        assert words not in page(ada)
    assert "Bob Feld" in page(ada) and "$12,000.00" in page(ada)


@pytest.mark.parametrize("name", PAGES + OWNER_PAGES)
@pytest.mark.parametrize(
    "method", ["get", "head", "post", "put", "patch", "delete", "options"]
)
def test_d1_strangers_get_404_whatever_the_method(acme, charlie, name, method):
    assert (
        getattr(sign_in(charlie), method)(reverse(name, args=["acme"])).status_code
        == 404
    )


@pytest.mark.parametrize("name", PAGES + OWNER_PAGES)
def test_d3_members_get_403_and_read_why(acme, bob, name):
    response = sign_in(bob).get(reverse(name, args=["acme"]))
    assert response.status_code == 403
    assert "Your role is Member." in response.content.decode()


@pytest.mark.parametrize("name", OWNER_PAGES)
def test_d3_admins_get_403_where_owners_edit(acme, ada, name):
    assert sign_in(ada).get(reverse(name, args=["acme"])).status_code == 403


def test_d1_nobody_of_another_organization_can_be_edited(acme, alice, charlie):
    client = sign_in(alice)
    for pk in (charlie.pk, 10**6, 10**30):
        assert (
            client.post(
                reverse("member_cap", args=["acme", pk]), {"amount": "5"}
            ).status_code
            == 404
        )
    assert not SpendCap.objects.exists()


@pytest.mark.parametrize("on", [True, False])
def test_the_page_costs_as_many_queries_at_30_members_as_at_3(
    acme, alice, bob, on, django_assert_max_num_queries
):
    if on:
        enable_extra_usage(acme)
    spend(bob, "1.00", "5.00")
    client = sign_in(alice)
    url = reverse("usage_settings", args=["acme"]) + "?q=e&seat=standard"
    with django_assert_max_num_queries(16) as few:
        assert client.get(url).status_code == 200
    for member in MembershipFactory.create_batch(27, organization=acme):
        MemberMonth.objects.create(
            membership=member, month_on=dt.date(2026, 11, 1), extra_nanos=usd(3)
        )
        SpendCap.objects.create(
            organization=acme, level="member", membership=member, amount_nanos=usd(2)
        )
    with django_assert_max_num_queries(16) as many:
        assert client.get(url).status_code == 200
    assert len(many) == len(few)


def test_the_csv_has_what_is_filtered_exactly_and_no_formulas(acme, alice, bob):
    enable_extra_usage(acme)
    spend(bob, "1.00", "0.12345")
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=usd("40.50")
    )
    evil = UserFactory(
        email="evil@acme.example", name='=HYPERLINK("http://evil.example","Me")'
    )
    MembershipFactory(organization=acme, user=evil)
    text = page(alice, "usage_people_csv")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0] == [
        "Person",
        "E-mail",
        "Seat",
        "Cap (USD)",
        "Cap from",
        "MTD spend (USD)",
        "Status",
    ]
    assert [
        "Bob Feld",
        "bob@acme.example",
        "Standard",
        "40.50",
        "own cap",
        "0.123450000",
        "Active",
    ] in rows
    assert len(rows) == 5
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row
    )
    only_bob = page(alice, "usage_people_csv", query="?q=bob")
    assert only_bob.count("\r\n") == 2


def test_a_removed_persons_spending_stays_in_table_and_csv_so_that_they_add_up(
    acme, alice, bob
):
    enable_extra_usage(acme)
    spend(bob, "1.00", "0.12345")
    Membership.objects.filter(pk=bob.pk).update(
        status="removed", seat_tier=None, removed_at=NOW
    )
    html = page(alice, "usage_people", htmx=True)
    row = html.split(f'id="person-{bob.pk}"')[1].split("</tr>")[0]
    assert "Removed" in row and "$0.12" in row
    assert "data-menu" not in row and "Unlimited" not in row
    assert "Removed" in page(alice, "usage_settings").split('id="people"')[0]
    text = page(alice, "usage_people_csv").removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    [gone] = [row for row in rows if row["Status"] == "Removed"]
    assert (gone["Person"], gone["Cap (USD)"], gone["Cap from"]) == ("Bob Feld", "", "")
    assert sum(Decimal(row["MTD spend (USD)"]) for row in rows) == Decimal("0.12345")


def test_a_part_that_reads_the_same_is_not_sent_again(acme, alice, bob):
    enable_extra_usage(acme)
    client = sign_in(alice)
    url = reverse("usage_people", args=["acme"])
    html = client.get(url + "?q=b", headers={"HX-Request": "true"}).content.decode()
    seen = html.split("seen=")[1].split('"')[0]
    again = client.get(f"{url}?q=b&seen={seen}", headers={"HX-Request": "true"})
    assert again.status_code == 204
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=usd(33)
    )
    changed = client.get(f"{url}?q=b&seen={seen}", headers={"HX-Request": "true"})
    assert changed.status_code == 200 and "$33.00" in changed.content.decode()
    assert "HX-Replace-Url" not in changed


def test_filtering_a_part_changes_the_pages_address(acme, alice):
    response = sign_in(alice).get(
        reverse("usage_people", args=["acme"])
        + "?q=+Bob+&status=active&sort=-spend&order=cap",
        headers={"HX-Request": "true"},
    )
    assert (
        response["HX-Replace-Url"]
        == "/o/acme/settings/usage/?q=Bob&status=active&sort=cap"
    )


@pytest.mark.parametrize(
    "query",
    [
        "?page=999",
        "?page=-1",
        "?page=x",
        "?sort=evil;--&seat=x&status=y",
        "?q=%00%27%25",
        "?page=" + "9" * 400,
    ],
)
def test_nonsense_in_the_address_shows_the_page_all_the_same(acme, alice, query):
    enable_extra_usage(acme)
    assert "Spend caps by user" in page(alice, query=query)


def test_nobody_found_says_what_was_searched(acme, alice):
    enable_extra_usage(acme)
    html = page(alice, query="?q=zzz%3Cb%3E")
    assert "No one found for “zzz&lt;b&gt;”." in html
    assert "Show everyone" in html


def test_pages_of_fifty(acme, alice):
    enable_extra_usage(acme)
    MembershipFactory.create_batch(60, organization=acme)
    assert "1–50 of 63" in page(alice)
    assert "51–63 of 63" in page(alice, query="?page=2")


def test_a_cap_lowered_below_what_is_spent_is_named_as_the_cause(acme, alice, bob):
    enable_extra_usage(acme, cap="100")
    spend(bob, "1.00", "6.00", days_ago=4)
    sign_in(alice).post(reverse("organization_cap", args=["acme"]), {"amount": "5"})
    html = page(alice)
    assert "The cap was set to $5.00 on Mon 23 Nov, below what was spent." in html
    assert "Cap reached" not in html and "Projected</span>" not in html, (
        "nothing more is coming while all are paused"
    )


def test_on_for_selected_members_but_nobody_selected_is_said_first(acme, alice, ada):
    enable_extra_usage(acme, scope="selected")
    assert "Extra usage is on, but no one has it yet." in page(alice)
    assert "Choose the members who get it</a>" in page(alice)
    assert "An owner can choose the members who get it." in page(ada)
