"""The banner on Settings › Usage and on one's own usage: at most one, while it matters,
from the standing itself (N1, N2).
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from accounts.actions.audit import Actor
from billing.caps.actions.caps import set_member_cap, set_organization_cap
from billing.metering.actions.recording import record_usage
from billing.models import NoticeSettings, SeatAllowance
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

USAGE, OWN = "/o/acme/settings/usage/", "/o/acme/usage/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def extra(acme):
    """Nothing is included, and a cap of $100 for all."""
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    return acme


def spend(member, amount: str) -> None:
    record_usage(
        [event(member, at=NOW - dt.timedelta(hours=1), usd=amount)],
        organization_id=member.organization_id,
        now=NOW,
    )


def banner(client, reader, url: str, **extra: str) -> str:
    """The banner's words; empty where there is none."""
    client.force_login(reader.user)
    html = flat(client.get(url, headers=extra or None).content.decode())
    inside = html.split('id="notice-banner"')[1].split("</div>")[0]
    return inside.replace("\xa0", " ") if "xu-banner" in inside else ""


def test_the_owner_has_it_from_the_first_threshold_until_the_cap_is_raised(
    client, extra, alice, ada, bob
):
    spend(bob, "74.99")
    assert banner(client, alice, USAGE) == ""
    spend(bob, "0.01")
    shown = banner(client, alice, USAGE)
    assert "Acme has used 75 % of $100.00." in shown and "xu-banner--warn" in shown
    assert "Adjust limit" in shown
    assert banner(client, ada, USAGE) == "", "an admin can do nothing about it"
    actor = Actor.person(alice.user)
    set_organization_cap(extra, amount_nanos=usd(200), actor=actor, now=NOW)
    assert banner(client, alice, USAGE) == ""
    part = banner(client, alice, f"{USAGE}month/", **HTMX)
    assert part == "", "it goes with the part that refreshes"


def test_past_the_cap_it_says_by_how_much(client, extra, alice, bob):
    spend(bob, "103")
    shown = banner(client, alice, USAGE)
    assert "Acme has used 103 % of $100.00." in shown and "xu-banner--stop" in shown


def test_it_follows_the_organizations_own_percentages(client, extra, alice, bob):
    spend(bob, "60")
    settings = NoticeSettings.objects.create(
        organization=extra, organization_percents="50", member_percents=""
    )
    assert "60 %" in banner(client, alice, USAGE)
    settings.organization_percents = ""
    settings.save(update_fields=["organization_percents"])
    assert banner(client, alice, USAGE) == ""


def test_a_member_reads_how_near_their_own_cap_is(client, extra, alice, bob):
    actor = Actor.person(alice.user)
    set_member_cap(extra, membership=bob, amount_nanos=usd(40), actor=actor, now=NOW)
    spend(bob, "29")
    assert banner(client, bob, OWN) == ""
    spend(bob, "2")
    shown = banner(client, bob, OWN)
    assert "You have used 77 % of your $40.00." in shown
    assert "$9.00 of extra usage is left this month." in shown
    spend(bob, "9")
    assert banner(client, bob, OWN) == "", "who is stopped reads it in its own place"


def test_a_member_reads_that_80_percent_of_what_is_included_is_used(client, acme, bob):
    week = SeatAllowance.objects.get(plan=acme.plan, seat_tier="standard", name="week")
    session = SeatAllowance.objects.filter(
        plan=acme.plan, seat_tier="standard", name="session"
    )
    session.delete()
    spend(bob, str(week.amount_nanos * 79 // 100 / 10**9))
    assert banner(client, bob, OWN) == ""
    spend(bob, str(week.amount_nanos // 50 / 10**9))
    shown = banner(client, bob, OWN)
    assert "You have used 81 % of this week’s included usage." in shown
    assert "It resets" in shown
