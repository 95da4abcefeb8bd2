"""What the month's answer promises is true: by how much a cap is passed, everything that
stops people, and why auto-reload buys nothing.
"""

from __future__ import annotations

import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Tier
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.funding.words import refusal_message
from billing.metering.actions.recording import record_usage
from billing.models import SeatAllowance
from billing.payments import tasks
from billing.payments.actions.reload_settings import set_auto_reload
from billing.reports.charts import days_chart
from billing.reports.queries.month import month_summary
from config.kit.errors import BusinessError
from config.kit.money import percent_spent, usd
from tests.conftest import NOW
from tests.factories.balances import bea_of, buy, set_reload, turn_on, use_up_included
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def page(member: Membership, name: str = "usage_settings") -> str:
    """The text of a page as this member reads it."""
    client = Client()
    client.force_login(member.user)
    answer = client.get(reverse(name, args=[member.organization.slug]))
    assert answer.status_code == 200
    text = re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&#x27;", "'")
    return " ".join(text.split())


def spend(member: Membership, amount: str) -> None:
    """Extra usage alone: seats include nothing here."""
    SeatAllowance.objects.all().delete()
    record_usage(
        [event(member, usd=amount, at=NOW)],
        organization_id=member.organization_id,
        now=NOW,
    )


def owner_of(organization) -> Membership:
    return organization.memberships.get(user=organization.primary_owner)


@pytest.mark.parametrize(
    ("spent", "cap", "percent"),
    [(124_757, 100_000, 124), (80, 80, 100), (799, 800, 99), (0, 0, 100), (-5, 10, 0)],
)
def test_how_much_of_a_cap_is_spent_goes_above_100_and_is_100_only_when_reached(
    spent, cap, percent
):
    assert percent_spent(spent, cap) == percent


def test_b7_a_passed_organization_cap_says_by_how_much(acme, alice, bob):
    enable_extra_usage(acme, cap="1000")
    spend(bob, "1247.57")
    text = page(alice)
    assert "124% of the cap" in text and "Over the cap $247.57" in text
    assert "100% spent" not in text and "Left until the cap" not in text


def test_b7_a_cap_of_nothing_has_no_percentage(acme, alice, bob):
    enable_extra_usage(acme, cap="0")
    spend(bob, "5")  # recorded after extra usage could no longer pay for it
    assert "%" not in page(alice).split("organization cap")[1].split("Cap $0")[0]


def test_b7_a_member_reads_by_how_much_their_own_cap_is_passed(acme, alice, bob):
    enable_extra_usage(acme)
    set_member_cap(
        bob.organization,
        membership=bob,
        amount_nanos=usd(80),
        actor=bea_of(acme),
        now=NOW,
    )
    spend(bob, "90")
    assert "$90.00 of $80.00 112%" in page(bob, "own_usage")


def test_b8_raising_the_cap_is_promised_to_those_alone_whom_nothing_else_stops(
    acme, alice, bob
):
    enable_extra_usage(acme, cap="50")
    set_member_cap(
        bob.organization,
        membership=bob,
        amount_nanos=usd(40),
        actor=bea_of(acme),
        now=NOW,
    )
    spend(bob, "60")
    assert (
        "Raise it and people can continue right away. 1 of them stays paused, having "
        "also reached their own or their seat's cap."
    ) in page(alice)


def test_b8_raising_the_cap_is_not_enough_where_everybody_reached_their_own(
    acme, alice, bob
):
    enable_extra_usage(acme, cap="50")
    set_seat_tier_cap(
        acme, tier=Tier.STANDARD, amount_nanos=0, actor=bea_of(acme), now=NOW
    )
    set_seat_tier_cap(
        acme, tier=Tier.PREMIUM, amount_nanos=0, actor=bea_of(acme), now=NOW
    )
    spend(bob, "60")
    text = page(alice)
    assert "Raising it is not enough: everyone has also reached their own or their" in (
        text
    )
    assert "people can continue right away" not in text


def test_b8_a_used_up_balance_beside_reached_caps_names_all_of_them(bolt, now):
    turn_on(bolt, cap="50", now=now)
    mia = bolt.memberships.get(user__email="mia@bolt.example")
    set_member_cap(
        mia.organization,
        membership=mia,
        amount_nanos=usd(10),
        actor=bea_of(bolt),
        now=now,
    )
    spend(mia, "160")
    text = page(owner_of(bolt))
    assert "the organization cap is reached, and the balance is used up." in text
    assert "Raise the cap and buy extra usage" in text
    assert "1 of them stays paused" in text


def test_b8_a_cap_smaller_than_one_reload_is_refused_with_the_reload(bolt, now):
    turn_on(bolt, cap="80", now=now)
    with pytest.raises(BusinessError) as refused:
        set_reload(bolt, "25", "100", now=now)
    assert (refused.value.code, refused.value.field) == ("reload_cap", "limit")
    assert "$80.00 a month" in refused.value.message
    set_reload(bolt, "25", "100", limit="200", now=now)
    set_reload(bolt, "25", "80", now=now)


def test_b8_a_limit_too_small_for_one_reload_is_not_called_reached(bolt, now):
    use_up_included(bolt)
    turn_on(bolt, cap="200", reload=("25", "100"), now=now)
    set_organization_cap(bolt, amount_nanos=usd(80), actor=bea_of(bolt), now=now)
    spend(bolt.memberships.get(user__email="mia@bolt.example"), "76")
    text = page(owner_of(bolt))
    assert "Auto-reload can't buy: one reload of $100.00 is more than" in text
    assert "Can't buy: monthly limit too low" in text
    assert "has been reached" not in text
    assert "next reload" not in text, "nothing will be bought"


def test_b8_another_reload_that_would_pass_the_limit_says_what_was_bought(bolt, now):
    use_up_included(bolt)
    turn_on(bolt, reload=("25", "100"), limit="150", now=now)
    mia = bolt.memberships.get(user__email="mia@bolt.example")
    spend(mia, "80")
    tasks.reload_due_balances()
    spend(mia, "100")
    assert (
        "Another reload of $100.00 would pass the monthly reload limit of $150.00 "
        "($100.00 reloaded so far)."
    ) in page(owner_of(bolt))


def test_b8_the_flow_refuses_a_cap_that_auto_reload_does_not_fit_in(bolt, now):
    buy(bolt, "100", now=now)
    client = Client()
    client.force_login(bolt.primary_owner)
    flow = "/o/bolt/settings/usage/enable/"
    client.post(f"{flow}pay/", {"go_on": "1"})
    client.post(f"{flow}reload/", {"threshold": "25", "amount": "100"})
    answer = client.post(f"{flow}cap/", {"organization_cap": "80"})
    assert answer.status_code == 422
    assert "one reload is $100.00" in answer.content.decode()
    assert client.post(f"{flow}cap/", {"organization_cap": "100"}).status_code == 302


def test_b8_lowering_the_cap_below_one_reload_says_so_before_it_is_saved(bolt, now):
    turn_on(bolt, cap="200", reload=("25", "100"), now=now)
    client = Client()
    client.force_login(bolt.primary_owner)
    address = reverse("organization_cap_preview", args=["bolt"])
    warned = "Auto-reload could not buy: one reload is $100.00"
    asked = {"HX-Request": "true"}
    assert warned in client.get(f"{address}?amount=80", headers=asked).content.decode()
    assert (
        warned
        not in client.get(f"{address}?amount=100", headers=asked).content.decode()
    )
    set_auto_reload(bolt, enabled=False, actor=bea_of(bolt), now=now)
    assert (
        warned not in client.get(f"{address}?amount=80", headers=asked).content.decode()
    )


def test_b6_a_day_of_the_chart_adds_up_exactly_and_is_rounded_once(acme, bob):
    enable_extra_usage(acme)
    SeatAllowance.objects.all().delete()
    for number, surface in enumerate(("claude", "claude_code", "cursor")):
        sent = event(bob, usd="0.004", at=NOW, surface=surface, id=f"s-{number}")
        record_usage([sent], organization_id=acme.pk, now=NOW)
    standing = standing_of(bob.pk, organization_id=acme.pk, now=NOW).organization
    chart = days_chart(month_summary(standing, now=NOW))
    today = NOW.day - 1
    assert [one["values"][today] for one in chart["series"]] == ["0.00"] * 3
    assert chart["sums"]["values"][today] == "0.01"


def said_to(member: Membership) -> str:
    standing = standing_of(member.pk, organization_id=member.organization_id, now=NOW)
    decision = decide(standing)
    assert not decision.allowed
    return refusal_message(decision, standing, language="en", now=NOW)


def test_h18_what_only_an_owner_can_end_is_not_said_to_end_by_an_admin(
    acme, alice, bob
):
    record_usage(
        [event(bob, usd="9000", at=NOW)], organization_id=acme.pk, now=NOW
    )  # all that is included
    assert "or a Premium seat is approved for you." in said_to(bob)
    bob.seat_tier = Tier.PREMIUM
    bob.save(update_fields=["seat_tier"])
    record_usage([event(bob, usd="9000", at=NOW)], organization_id=acme.pk, now=NOW)
    assert said_to(bob).endswith("or sooner if an owner changes this.")


def test_h18_a_reached_cap_of_ones_own_is_for_admins_to_raise(acme, bob):
    enable_extra_usage(acme)
    set_member_cap(
        bob.organization, membership=bob, amount_nanos=0, actor=bea_of(acme), now=NOW
    )
    record_usage([event(bob, usd="9000", at=NOW)], organization_id=acme.pk, now=NOW)
    assert said_to(bob).endswith("or as soon as an admin approves more.")
