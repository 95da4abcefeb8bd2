"""Your usage: everyone sees where they stand; who is blocked reads what blocks them,
until when and whom to ask.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from accounts.actions.audit import Actor
from accounts.models import Membership, Plan, Role, User
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.metering.actions.recording import record_usage
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.people import MembershipFactory
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

URL = "/o/acme/usage/"
TODAY = dt.timedelta(minutes=-30)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def use(
    member: Membership,
    *amounts: str,
    at: dt.timedelta = TODAY,
    surface: str = "claude_code",
) -> None:
    """Record events of the given costs."""
    events = [
        event(member, at=NOW + at, usd=amount, surface=surface) for amount in amounts
    ]
    record_usage(events, organization_id=member.organization_id, now=NOW)


def page(client, member: Membership, query: str = "", **headers: str):
    """The page of a member."""
    client.force_login(member.user)
    return client.get(f"{URL}{query}", headers=headers or None)


def words(response) -> str:
    """Its text with white space folded."""
    return " ".join(response.content.decode().split())


def totals(response) -> list[tuple[str, int]]:
    """What the chart's legend says."""
    return [(name, part.total_nanos) for name, part in response.context["totals"]]


def seat_cap(member: Membership, amount: str) -> None:
    """Set the cap of standard seats."""
    alice = Actor.person(member.organization.primary_owner)
    set_seat_tier_cap(
        member.organization,
        tier="standard",
        amount_nanos=usd(amount),
        actor=alice,
        now=NOW,
    )


@pytest.fixture
def blocked_bob(bob: Membership) -> Membership:
    """Session used up and the seat's cap reached: $40.12 of $40.00."""
    enable_extra_usage(bob.organization)
    seat_cap(bob, "40")
    use(bob, "1", "31.44")
    use(bob, "8.68", surface="claude")
    return bob


def test_who_is_blocked_reads_what_until_when_and_whom_to_ask(client, blocked_bob):
    text = words(page(client, blocked_bob))
    assert "Paused until 18:58 today" in text
    assert (
        "Your included usage is used up, and your extra usage has reached the cap "
        "for Standard seats: $40.12 of $40.00 this month. You can continue at 18:58 "
        "EST today, or as soon as an admin approves more." in text
    )
    assert "Request more usage" in text
    assert text.count("Blocking you") == 1


def test_the_time_line_tells_what_comes_back_when(client, blocked_bob):
    steps = page(client, blocked_bob).context["timeline"]
    assert steps == [
        ("18:58 today", "Session resets. You can continue."),
        ("Mon 30 Nov, 13:58", "Weekly usage resets."),
        ("Tue 1 Dec, 00:00", "Extra usage starts again at $0.00 of $40.00."),
    ]


def test_every_layer_has_its_limit_its_reset_and_who_can_change_it(client, blocked_bob):
    rows = [row for row, _icon in page(client, blocked_bob).context["layers"]]
    told = {
        row.layer.kind: (row.name, row.source, row.used, row.resets, row.who)
        for row in rows
    }
    assert told == {
        "session": (
            "Session, 5 hours",
            "included usage",
            "100%",
            "18:58 today",
            "No one; it resets",
        ),
        "week": (
            "Week, 7 days",
            "included usage",
            "12%",
            "Mon 30 Nov, 13:58",
            "No one; it resets",
        ),
        "extra_usage": ("Extra usage", "on for everyone", "On", "–", "Owners"),
        "member_cap": (
            "Your cap",
            "from the Standard seat",
            "$40.12 of $40.00",
            "Tue 1 Dec, 00:00",
            "Owners; admins on request",
        ),
        "organization_cap": (
            "Organization cap",
            "shared by everyone",
            "$40.12 of $12,000.00",
            "Tue 1 Dec, 00:00",
            "Owners",
        ),
    }


def test_extra_usage_is_split_by_surface_and_by_model_with_the_same_numbers_in_a_table(
    client, blocked_bob
):
    by_surface = page(client, blocked_bob)
    assert totals(by_surface) == [
        ("Claude Code", usd("31.44")),
        ("Claude", usd("8.68")),
    ]
    assert by_surface.context["rows"] == [
        (dt.date(2026, 11, 23), [usd("31.44"), usd("8.68")])
    ]
    by_model = page(client, blocked_bob, "?split=model")
    assert totals(by_model) == [("Sonnet 5", usd("40.12"))]
    assert [series["values"][22] for series in by_model.context["chart"]["series"]] == [
        "40.120000000"
    ]


def test_the_windows_say_how_much_is_used_and_when_they_reset(client, bob):
    use(bob, "0.50")
    response = page(client, bob)
    assert [
        (row.name, row.percent, row.opened) for row in response.context["windows"]
    ] == [
        ("Session, 5 hours", 50, "13:58"),
        ("Week, 7 days", 6, "13:58"),
    ]
    assert "resets in 4 h 30 min" in words(response)
    assert "Paused" not in words(response)


def test_a_window_used_to_99_9_per_cent_is_not_shown_as_used_up(client, bob):
    use(bob, "0.999")
    assert page(client, bob).context["windows"][0].percent == 99


def test_without_extra_usage_the_page_says_so_and_shows_no_caps(client, bob):
    use(bob, "1")
    text = words(page(client, bob))
    assert (
        "Off for Acme. When your included usage is used up, you have to wait for it "
        "to reset." in text
    )
    assert "extra usage is off for Acme" in text
    assert "Organization cap" not in text
    assert "Your cap" not in text


def test_an_own_cap_for_this_month_only_is_named_so(client, bob):
    enable_extra_usage(bob.organization)
    alice = Actor.person(bob.organization.primary_owner)
    set_member_cap(
        bob.organization,
        membership=bob,
        amount_nanos=usd(60),
        this_month_only=True,
        actor=alice,
        now=NOW,
    )
    use(bob, "1", "20")
    text = words(page(client, bob))
    assert "Cap set for you (this month only)" in text
    assert '$20.00</span> <span class="xu-small">of $60.00' in text


def test_a_reached_organization_cap_names_the_organizations_figures(client, bob):
    enable_extra_usage(bob.organization, cap="25")
    use(bob, "1", "25")
    assert "and Acme has reached its spend cap: $25.00 of $25.00 this month." in words(
        page(client, bob)
    )


def test_an_owner_who_is_blocked_gets_the_way_to_change_it(client, alice):
    enable_extra_usage(alice.organization, cap="5")
    use(alice, "6", "5")
    text = flat(page(client, alice))
    assert 'href="/o/acme/settings/usage/">Open usage settings' in text
    assert "can change this." not in text


def test_without_a_seat_the_page_says_whom_to_ask(client, bob):
    Membership.objects.filter(pk=bob.pk).update(seat_tier=None)
    text = words(page(client, bob))
    assert "You have no seat yet" in text
    assert "You have no seat in Acme. Ask an owner for a seat." in text
    assert "Included usage" not in text


def test_a_usage_based_plan_has_no_windows_and_offers_nothing_to_enable(client, bob):
    acme = bob.organization
    type(acme).objects.filter(pk=acme.pk).update(plan=Plan.ENTERPRISE_USAGE)
    set_organization_cap(
        acme, amount_nanos=usd(100), actor=Actor.person(acme.primary_owner), now=NOW
    )
    use(bob, "2.50")
    response = page(client, bob)
    text = words(response)
    assert response.context["windows"] == []
    assert "Acme pays for every request at API rates. November, 7 days left." in text
    assert "$2.50" in text
    assert 'id="extra-title">This month<' in flat(response)
    assert 'id="by-day">Usage by day<' in flat(response)


def test_a_team_without_extra_usage_waits_for_its_reset(client, bob):
    acme = bob.organization
    type(acme).objects.filter(pk=acme.pk).update(plan=Plan.TEAM, settlement="prepaid")
    use(bob, "1")
    response = page(client, bob)
    assert response.context["paused_until"] == "18:58 today"
    assert [sentence for _moment, sentence in response.context["timeline"]] == [
        "Session resets. You can continue.",
        "Weekly usage resets.",
    ]
    assert "Balance" not in words(response)


def test_the_part_that_refreshes_by_itself_comes_alone(client, blocked_bob):
    part = page(client, blocked_bob, "?live=1", **{"HX-Request": "true"})
    assert flat(part).startswith('<div id="own-standing"')
    assert "Receipts" not in words(part)
    assert "<html" in words(page(client, blocked_bob, "?live=1")), (
        "opened directly it is the whole page"
    )


def test_it_reads_in_japanese(client, blocked_bob):
    User.objects.update(language="ja")
    response = page(client, blocked_bob)
    assert response["Content-Language"] == "ja"
    assert response.context["zone"] == "America/New_York"
    assert "11月23日(月)" in words(response)


def test_strangers_get_404_and_the_signed_out_are_asked_to_sign_in(
    client, charlie, bob
):
    assert page(client, charlie).status_code == 404
    client.logout()
    response = client.get(URL)
    assert (response.status_code, response["Location"].split("?")[0]) == (
        302,
        "/accounts/login/",
    )


def test_nobody_reads_anybody_elses_numbers(client, blocked_bob):
    other = MembershipFactory(
        organization=blocked_bob.organization, base_role=Role.MEMBER
    )
    response = page(client, other)
    assert response.context["standing"].spent_nanos == 0
    assert response.context["receipts"] == []


def test_the_number_of_queries_does_not_grow_with_usage(
    client, bob, django_assert_num_queries
):
    enable_extra_usage(bob.organization)
    use(bob, "0.20", "0.20", "0.20")
    client.force_login(bob.user)
    client.get(URL)
    with django_assert_num_queries(17):
        client.get(URL)
    use(bob, "1", "0.30")
    with django_assert_num_queries(18) as few:  # since when extra usage pays
        client.get(URL)
    use(bob, *["0.30"] * 30)
    with django_assert_num_queries(len(few)):
        client.get(URL)
