"""What a cap would do, told before it is saved, by the check's own rules."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from billing.caps.actions.caps import set_member_cap
from billing.caps.queries.effects import member_effect, organization_effect, seat_effect
from billing.funding.queries import standing_of
from billing.models import MemberMonth, OrganizationDay, OrganizationMonth, SpendCap
from billing.reports.queries.month import month_summary
from billing.reports.rules.verdict import State
from config.kit.money import usd
from tests.factories.people import MembershipFactory
from tests.factories.usage import enable_extra_usage

NOVEMBER, OCTOBER = dt.date(2026, 11, 1), dt.date(2026, 10, 1)


@pytest.fixture
def standing(acme, bob, now):
    enable_extra_usage(acme)
    return lambda: standing_of(bob.pk, organization_id=acme.pk, now=now)


def spend(member, november=0, october=0):
    for month_on, dollars in ((NOVEMBER, november), (OCTOBER, october)):
        MemberMonth.objects.create(
            membership=member, month_on=month_on, extra_nanos=usd(dollars)
        )


def test_a_seat_cap_counts_who_stops_goes_on_and_was_over_last_month(
    acme, ada, bob, alice, standing, now
):
    spend(ada, november=30, october=60)
    spend(bob, november=45, october=50)
    spend(MembershipFactory(organization=acme), november=10)
    spend(alice, november=900, october=900)
    own = MembershipFactory(organization=acme)
    spend(own, november=70, october=70)
    set_member_cap(
        acme, membership=own, amount_nanos=usd(100), actor=Actor(label="test"), now=now
    )
    effect = seat_effect(standing().organization, tier="standard", amount_nanos=usd(40))
    assert (effect.people, effect.stop_now, effect.go_on, effect.paused_last_month) == (
        3,
        1,
        0,
        2,
    )
    SpendCap.objects.create(
        organization=acme, level="seat_tier", seat_tier="standard", amount_nanos=usd(30)
    )
    assert (
        seat_effect(
            standing().organization, tier="standard", amount_nanos=usd(40)
        ).go_on
        == 1
    )


def test_a_seat_cap_of_zero_would_have_paused_only_those_who_used_any(
    acme, ada, bob, standing
):
    spend(ada, october=1)
    assert (
        seat_effect(
            standing().organization, tier="standard", amount_nanos=0
        ).paused_last_month
        == 1
    )


def test_a_members_cap_tells_before_and_after(acme, bob, standing):
    spend(bob, november=41, october=33)
    SpendCap.objects.create(
        organization=acme, level="seat_tier", seat_tier="standard", amount_nanos=usd(40)
    )
    effect = member_effect(standing(), amount_nanos=usd(60))
    assert (effect.before, effect.after) == ("seat_tier_cap_reached", None)
    assert (effect.spent_nanos, effect.left_nanos, effect.last_month_nanos) == (
        usd(41),
        usd(19),
        usd(33),
    )
    assert member_effect(standing(), amount_nanos=usd(41)).after == "member_cap_reached"


def test_an_organization_cap_tells_when_last_month_would_have_stopped(
    acme, standing, now
):
    for day, dollars in ((5, 100), (20, 300)):
        OrganizationDay.objects.create(
            organization=acme,
            day_on=OCTOBER.replace(day=day),
            surface="claude",
            extra_nanos=usd(dollars),
        )
    OrganizationMonth.objects.create(
        organization=acme, month_on=NOVEMBER, extra_nanos=usd(150)
    )
    summary = month_summary(standing().organization, now=now)
    assert summary.last_month_nanos == usd(400)
    stopped = organization_effect(summary, amount_nanos=usd(150))
    assert (stopped.verdict.state, stopped.last_month_reached_on) == (
        State.STOPPED,
        dt.date(2026, 10, 20),
    )
    assert (
        organization_effect(summary, amount_nanos=usd(401)).last_month_reached_on
        is None
    )
