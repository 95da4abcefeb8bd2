"""A limit that is set anew may be reached at once, or arm its thresholds again (N1a)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.contracts import change_contract
from accounts.actions.seats import assign_seat
from accounts.models import Membership, Plan, Settlement, User
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.models import Notice, SeatAllowance
from config.kit.money import usd
from tests.factories.people import MembershipFactory, UserFactory
from tests.factories.usage import enable_extra_usage, event


def of(member: Membership) -> str:
    return f"member:{member.pk}"


@pytest.fixture
def cap_all(acme, actor, now):
    def cap_all(amount: str | None, **more: object):
        nanos = None if amount is None else usd(amount)
        return set_organization_cap(
            acme, amount_nanos=nanos, actor=actor, now=now, **more
        )

    return cap_all


@pytest.fixture
def cap_tier(acme, actor, now):
    def cap_tier(amount: str | None, **more: object):
        nanos = None if amount is None else usd(amount)
        return set_seat_tier_cap(
            acme, tier="standard", amount_nanos=nanos, actor=actor, now=now, **more
        )

    return cap_tier


@pytest.fixture
def cap_one(acme, actor, now):
    def cap_one(member: Membership, amount: str | None, **more: object):
        nanos = None if amount is None else usd(amount)
        return set_member_cap(
            acme, membership=member, amount_nanos=nanos, actor=actor, now=now, **more
        )

    return cap_one


def test_n1_a_cap_lowered_below_what_is_spent_is_a_crossing(
    extra, record, bob, cap_all, told, now
):
    record(event(bob, usd="60", at=now))
    assert cap_all("90").notices_written is False
    assert cap_all("66").notices_written is True
    assert told() == [("organization_cap", "organization", 90)]
    notice = Notice.objects.get()
    assert (notice.spent_nanos, notice.limit_nanos) == (usd(60), usd(66))
    cap_all("50")
    assert [edge for _kind, _subject, edge in told()] == [90, 100]


def test_n1a_a_raised_cap_overtakes_arms_again_and_is_told_again(
    extra, record, bob, cap_all, told, now
):
    record(event(bob, usd="76", at=now), event(bob, usd="1", at=now))
    record(event(bob, usd="24", at=now))
    assert [edge for _kind, _subject, edge in told()] == [75, 100]
    cap_all("130")  # 101 of 130 is 77 %
    assert [edge for _kind, _subject, edge in told()] == [75]
    record(event(bob, usd="30", at=now))
    assert [edge for _kind, _subject, edge in told()] == [75, 100]
    assert [edge for _kind, _subject, edge in told(live=False)] == [75, 100, 100]


def test_n1a_a_cap_taken_away_overtakes_everything(
    extra, record, bob, cap_all, told, now
):
    record(event(bob, usd="100", at=now))
    cap_all(None)
    assert told() == []
    cap_all("120")  # 83 %
    assert told() == [("organization_cap", "organization", 75)]


def test_n1a_the_same_cap_again_and_one_of_zero_are_no_news(
    extra, record, bob, cap_all, told, now
):
    record(event(bob, usd="80", at=now))
    cap_all("100")
    cap_all("0")
    assert told() == [("organization_cap", "organization", 75)]
    cap_all("100")
    assert told() == [("organization_cap", "organization", 75)]


def test_n1a_a_cap_for_this_month_only_overtakes_and_reaches_like_any(
    extra, record, bob, cap_all, told, now
):
    record(event(bob, usd="92", at=now))
    assert [edge for _kind, _subject, edge in told()] == [90]
    cap_all("200", this_month_only=True)
    assert told() == []
    cap_all("110", this_month_only=True)
    assert [edge for _kind, _subject, edge in told()] == [75]


def test_n1_a_tiers_cap_reaches_those_on_it_without_a_cap_of_their_own(
    extra, record, acme, ada, bob, alice, cap_tier, cap_one, told, now
):
    idle = MembershipFactory(organization=acme, user=UserFactory())
    away = MembershipFactory(organization=acme, user=UserFactory())
    cap_one(ada, "500")
    record(*(event(one, usd="20", at=now) for one in (ada, bob, alice, away)))
    User.objects.filter(pk=away.user_id).update(is_active=False)
    Notice.objects.all().delete()
    assert cap_tier("25").notices_written is True
    assert told() == [("seat_tier_cap", of(bob), 75)]
    cap_tier("20")
    cap_tier("25")
    assert [edge for _kind, _subject, edge in told()] == [75]
    cap_tier(None)
    assert told() == []
    assert idle.pk


def test_n1_an_own_cap_of_another_month_is_none_this_month(
    extra, record, bob, cap_tier, cap_one, told, now
):
    from billing.models import SpendCap

    cap_one(bob, "500", this_month_only=True)
    SpendCap.objects.filter(membership=bob).update(month_on="2026-10-01")
    record(event(bob, usd="20", at=now))
    cap_tier("20")
    assert told("seat_tier_cap") == [("seat_tier_cap", of(bob), 100)]


def test_n1_an_own_cap_stands_before_the_tiers_and_back(
    extra, record, bob, cap_tier, cap_one, told, now
):
    record(event(bob, usd="20", at=now))
    cap_tier("20")
    cap_one(bob, "50")
    assert told() == []
    cap_one(bob, "21")
    assert told() == [("member_cap", of(bob), 90)]
    cap_one(bob, None)
    assert told() == [
        ("member_cap", of(bob), 90),
        ("seat_tier_cap", of(bob), 100),
    ]


def test_n1_setting_a_tiers_cap_takes_as_many_queries_for_3_people_as_for_30(
    extra, record, acme, cap_tier, now
):
    def people(count):
        members = [
            MembershipFactory(organization=acme, user=UserFactory())
            for _number in range(count)
        ]
        record(*(event(one, usd="1", at=now) for one in members))

    people(3)
    with CaptureQueriesContext(connection) as few:
        cap_tier("1.01")
    cap_tier(None)
    people(27)
    with CaptureQueriesContext(connection) as many:
        cap_tier("1.01")
    assert len(few) == len(many)
    assert Notice.objects.live().filter(kind="seat_tier_cap").count() == 30


@pytest.fixture
def premium(acme, actor, now):
    set_seat_tier_cap(acme, tier="premium", amount_nanos=usd(100), actor=actor, now=now)
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(20), actor=actor, now=now)


def test_n1a_another_seat_has_another_cap(
    extra, premium, record, bob, actor, told, now
):
    record(event(bob, usd="19", at=now))
    assert told() == [("seat_tier_cap", of(bob), 90)]
    assign_seat(bob, tier="premium", actor=actor, now=now)
    assert told() == []
    assign_seat(bob, tier="standard", actor=actor, now=now)
    assert told() == [("seat_tier_cap", of(bob), 90)]


def test_n1a_another_seat_holds_more_or_less_in_the_open_windows(
    acme, record, bob, actor, told, now
):
    enable_extra_usage(acme)
    for tier, nanos in (("standard", usd(10)), ("premium", usd(60))):
        allowances = SeatAllowance.objects.filter(plan=acme.plan, seat_tier=tier)
        allowances.filter(name="session").update(amount_nanos=nanos)
        allowances.filter(name="week").update(amount_nanos=usd(1_000))
    record(event(bob, usd="11", at=now))
    assert [kind for kind, _subject, _edge in told()] == ["changeover"]
    assign_seat(bob, tier="premium", actor=actor, now=now)
    assert told() == []
    assign_seat(bob, tier="standard", actor=actor, now=now)
    assert [kind for kind, _subject, _edge in told()] == ["changeover"]


def test_n1a_another_plan_may_have_no_seat_caps_and_no_windows(
    acme, record, bob, ada, cap_tier, actor, told, now
):
    enable_extra_usage(acme)
    cap_tier("20")
    record(event(bob, usd="10", at=now), event(bob, usd="20", at=now))
    record(event(ada, usd="0.85", at=now))
    assert [(kind, edge) for kind, _subject, edge in told()] == [
        ("seat_tier_cap", 100),
        ("changeover", 100),
        ("included_usage", 80),
    ]
    change_contract(
        acme,
        plan=Plan.ENTERPRISE_USAGE,
        settlement=Settlement.POSTPAID,
        actor=actor,
        now=now,
    )
    assert told() == []
    change_contract(
        acme,
        plan=Plan.ENTERPRISE_SEAT,
        settlement=Settlement.POSTPAID,
        actor=actor,
        now=now,
    )
    assert ("seat_tier_cap", of(bob), 100) in told()


def test_n1_who_prepays_from_now_on_without_a_balance_is_told(
    extra, acme, actor, told, now
):
    def settle(settlement):
        change_contract(
            acme, plan=acme.plan, settlement=settlement, actor=actor, now=now
        )

    settle(Settlement.PREPAID)
    assert told() == [("balance_exhausted", "organization", 0)]
    settle(Settlement.POSTPAID)
    assert told() == []
