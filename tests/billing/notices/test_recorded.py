"""What recorded usage reaches is noticed with the charge, once (N1, N1a)."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Membership
from billing.caps.actions.caps import set_member_cap, set_seat_tier_cap
from billing.metering.actions.recording import record_usage_by_key
from billing.models import (
    Notice,
    NoticeSettings,
    SeatAllowance,
    SoftLimit,
    UsageEvent,
)
from billing.notices.rules.edges import Edges
from config.kit.money import usd
from tests.billing.notices.conftest import MINUTE
from tests.factories.people import MembershipFactory, make_token, make_user
from tests.factories.usage import enable_extra_usage, event


def of(member: Membership) -> str:
    return f"member:{member.pk}"


def test_n1_an_event_that_reaches_three_quarters_is_noticed_in_its_transaction(
    extra, record, bob, told, now
):
    assert record(event(bob, usd="74.99", at=now)).notices_written is False
    assert told() == []
    assert record(event(bob, usd="0.01", at=now)).notices_written is True
    notice = Notice.objects.get()
    assert (notice.kind, notice.subject, notice.edge, notice.percent) == (
        "organization_cap",
        "organization",
        75,
        75,
    )
    assert (notice.spent_nanos, notice.limit_nanos) == (usd(75), usd(100))
    assert notice.month_on == dt.date(2026, 11, 1)
    assert notice.created_at == now
    assert (notice.membership, notice.told_at, notice.overtaken_at) == (None,) * 3


def test_n1a_each_threshold_once_and_of_those_jumped_the_highest(
    extra, record, bob, told, now
):
    record(event(bob, usd="80", at=now))
    record(event(bob, usd="5", at=now))
    record(event(bob, usd="40", at=now), event(bob, usd="1", at=now))
    record(event(bob, usd="40", at=now))
    assert [edge for _kind, _subject, edge in told()] == [75, 100]


def test_n1a_a_batch_that_jumps_two_thresholds_is_one_notice(
    extra, record, bob, told, now
):
    record(event(bob, usd="76", at=now), event(bob, usd="15", at=now))
    assert told() == [("organization_cap", "organization", 90)]
    assert Notice.objects.get().spent_nanos == usd(91)


def test_n1_a_batch_of_several_members_notices_each_and_the_organization(
    extra, record, acme, ada, bob, alice, actor, told, now
):
    enable_extra_usage(acme, cap="20")
    for member, cap in ((ada, "10"), (bob, "8")):
        set_member_cap(
            acme, membership=member, amount_nanos=usd(cap), actor=actor, now=now
        )
    record(
        event(ada, usd="7.50", at=now),
        event(bob, usd="8", at=now),
        event(alice, usd="0.50", at=now),
    )
    assert sorted(told()) == sorted(
        [
            ("organization_cap", "organization", 75),
            ("member_cap", of(ada), 75),
            ("member_cap", of(bob), 100),
        ]
    )
    assert Notice.objects.get(membership=bob).limit_nanos == usd(8)


def test_n1_a_seats_cap_is_noticed_as_one_and_the_own_cap_holds_before_it(
    extra, record, acme, ada, bob, actor, told, now
):
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(10), actor=actor, now=now)
    set_member_cap(acme, membership=ada, amount_nanos=usd(50), actor=actor, now=now)
    record(event(ada, usd="9", at=now), event(bob, usd="9", at=now))
    assert told() == [("seat_tier_cap", of(bob), 90)]


def test_n1a_a_duplicate_notices_nothing_again(extra, record, bob, told, now):
    sent = event(bob, usd="80", id="one", at=now)
    assert record(sent, sent).notices_written is True
    assert record(sent).notices_written is False
    assert told() == [("organization_cap", "organization", 75)]


def test_n1a_what_was_overtaken_is_noticed_when_it_is_reached_again(
    extra, record, bob, told, now
):
    record(event(bob, usd="80", at=now))
    Notice.objects.update(overtaken_at=now)
    enable_extra_usage(bob.organization, cap="110")
    record(event(bob, usd="3", at=now))
    assert told(live=False) == [("organization_cap", "organization", 75)] * 2


def test_n1_a_late_event_of_a_closed_month_reaches_this_months_thresholds(
    extra, record, bob, told, now
):
    """Its own month is closed, so it counts to the open one."""
    bob.organization.billing_account.frozen_through_on = dt.date(2026, 10, 1)
    bob.organization.billing_account.save(update_fields=["frozen_through_on"])
    record(event(bob, usd="80", at=now - dt.timedelta(days=30)))
    assert told() == [("organization_cap", "organization", 75)]
    assert UsageEvent.objects.get().month_on == dt.date(2026, 11, 1)


def test_n1_an_event_of_an_earlier_month_still_open_reaches_nothing_of_this_one(
    extra, record, acme, ada, bob, actor, told, now
):
    set_member_cap(acme, membership=bob, amount_nanos=usd(80), actor=actor, now=now)
    record(
        event(bob, usd="80", at=now - dt.timedelta(days=30)),
        event(ada, usd="0.10", at=now),
    )
    assert UsageEvent.objects.get(membership=bob).month_on == dt.date(2026, 10, 1)
    assert told() == []


def test_n1a_a_new_month_arms_every_threshold(extra, record, bob, told, now):
    december = now + dt.timedelta(days=10)
    record(event(bob, usd="80", at=now))
    record(event(bob, usd="80", at=december), at=december)
    assert told() == [("organization_cap", "organization", 75)] * 2
    months = set(Notice.objects.values_list("month_on", flat=True))
    assert months == {dt.date(2026, 11, 1), dt.date(2026, 12, 1)}


def test_x2_usage_of_nobody_is_no_members_but_counts_for_the_organization(
    extra, record, acme, actor, told, now
):
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(1), actor=actor, now=now)
    SoftLimit.objects.create(
        organization=acme,
        level="seat_tier",
        seat_tier="standard",
        amount_nanos=usd(1),
        created_at=now,
    )
    record(event("stranger@acme.example", usd="80", at=now))
    assert told() == [("organization_cap", "organization", 75)]


def test_x3_a_personal_tokens_telemetry_reaches_thresholds_too(
    extra, acme, bob, told, now
):
    token = make_token(bob, now=now)
    from accounts.models import ApiKey

    digest = ApiKey.digest_of(token)
    recorded = record_usage_by_key(
        [event(bob, usd="80", at=now)], key_digest=digest, now=now
    )
    assert recorded.notices_written is True
    assert told() == [("organization_cap", "organization", 75)]


def test_n1_somebody_removed_is_told_nothing_of_their_late_usage(
    extra, record, acme, bob, actor, told, now
):
    set_member_cap(acme, membership=bob, amount_nanos=usd(10), actor=actor, now=now)
    Membership.objects.filter(pk=bob.pk).update(
        status="removed",
        seat_tier=None,
        removed_at=now,
        seat_changed_at=now,
        past_seats=[[now.isoformat(), "standard", True]],
    )
    [result] = record(event(bob, usd="80", at=now - MINUTE), at=now + MINUTE).results
    assert result.funding == "extra_usage"
    assert told() == [("organization_cap", "organization", 75)]


def test_n1_percentages_are_the_organizations_own(extra, record, acme, bob, told, now):
    edges = Edges(organization=(50,), member=(), included=())
    NoticeSettings.objects.create(organization=acme, edges=edges.as_json())
    record(event(bob, usd="49", at=now))
    assert told() == []
    record(event(bob, usd="60", at=now))
    assert told() == [("organization_cap", "organization", 50)]


def test_n1_no_limit_is_never_reached(extra, record, acme, bob, told, now):
    enable_extra_usage(acme, cap=None)
    record(event(bob, usd="5000", at=now))
    assert told() == []


def test_n1_a_cap_of_zero_is_no_news_by_charges(extra, record, acme, bob, told, now):
    enable_extra_usage(acme, cap="0")
    record(event(bob, usd="5", at=now))
    assert told() == []


def test_n1_soft_limits_of_all_levels_stop_nothing_and_tell_the_highest(
    extra, record, acme, ada, bob, told, now
):
    enable_extra_usage(acme, cap=None)
    for level, whose, amount in (
        ("organization", {}, 500),
        ("organization", {}, 600),
        ("seat_tier", {"seat_tier": "standard"}, 100),
        ("seat_tier", {"seat_tier": "premium"}, 50),
        ("member", {"membership": bob}, 200),
    ):
        SoftLimit.objects.create(
            organization=acme,
            level=level,
            amount_nanos=usd(amount),
            created_at=now,
            **whose,
        )
    edges = Edges(
        amounts=(usd(500), usd(600)),
        tier_amounts={"standard": (usd(100),), "premium": (usd(50),)},
        has_member_amounts=True,
    )
    NoticeSettings.objects.create(organization=acme, edges=edges.as_json())
    record(event(ada, usd="150", at=now), event(bob, usd="250", at=now))
    record(event(ada, usd="350", at=now))
    found = Notice.objects.order_by("pk").values_list("subject", "edge", "facts__level")
    assert list(found) == [
        (of(ada), usd(100), "seat_tier"),
        (of(bob), usd(200), "member"),
        ("organization", usd(600), "organization"),
    ]
    assert {result.funding for result in record(event(bob, at=now)).results} == {
        "extra_usage"
    }


class TestIncludedUsage:
    """Acme's standard seats include an amount in a session and a week (I1)."""

    @pytest.fixture(autouse=True)
    def _included(self, acme):
        standard = SeatAllowance.objects.filter(plan=acme.plan, seat_tier="standard")
        standard.filter(name="session").update(amount_nanos=usd(10))
        standard.filter(name="week").update(amount_nanos=usd(100))

    def test_n1_a_member_is_told_at_80_and_100_percent_once_a_window(
        self, record, bob, told, now
    ):
        record(event(bob, usd="8", at=now))
        [(kind, subject, edge)] = told()
        assert (kind, edge) == ("included_usage", 80)
        assert subject == f"window:{bob.pk}:session:2026-11-23T19:28:00Z"
        notice = Notice.objects.get()
        assert (notice.window, notice.membership) == ("session", bob)
        assert notice.resets_at == now + dt.timedelta(hours=5)
        record(event(bob, usd="1", at=now + MINUTE), at=now + MINUTE)
        record(event(bob, usd="1", at=now + MINUTE), at=now + MINUTE)
        record(event(bob, usd="1", at=now + MINUTE), at=now + MINUTE)
        assert [edge for _kind, _subject, edge in told()] == [80, 100]

    def test_n1a_the_next_window_is_armed_anew(self, record, bob, told, now):
        record(event(bob, usd="8", at=now))
        later = now + dt.timedelta(hours=6)
        record(event(bob, usd="9", at=later), at=later)
        assert [edge for _kind, _subject, edge in told()] == [80, 80]
        assert len({subject for _kind, subject, _edge in told()}) == 2

    def test_n1a_of_windows_used_up_at_once_the_one_that_resets_last_is_told(
        self, record, bob, told, now
    ):
        record(event(bob, usd="120", at=now))
        [(kind, subject, edge)] = told()
        assert (kind, edge) == ("included_usage", 100)
        assert ":week:" in subject

    def test_n1_a_late_event_in_a_window_that_is_over_is_no_news(
        self, record, bob, told, now
    ):
        record(event(bob, usd="1", at=now))
        later = now + dt.timedelta(hours=6)
        record(event(bob, usd="8.50", at=now + MINUTE), at=later)
        assert told() == []

    def test_n5_where_extra_usage_begins_then_that_is_told_instead(
        self, acme, record, bob, told, now
    ):
        enable_extra_usage(acme)
        record(event(bob, usd="9", at=now))
        record(event(bob, usd="2", at=now), event(bob, usd="2", at=now))
        assert [(kind, edge) for kind, _subject, edge in told()] == [
            ("included_usage", 80),
            ("changeover", 100),
        ]

    def test_n5_a_changeover_is_told_whatever_the_percentages(
        self, acme, record, bob, told, now
    ):
        enable_extra_usage(acme)
        edges = Edges(included=(50,))
        NoticeSettings.objects.create(organization=acme, edges=edges.as_json())
        record(event(bob, usd="11", at=now))
        assert [(kind, edge) for kind, _subject, edge in told()] == [
            ("changeover", 100)
        ]

    def test_n5_where_a_cap_stops_extra_usage_there_is_no_changeover(
        self, acme, record, bob, actor, told, now
    ):
        enable_extra_usage(acme)
        set_member_cap(acme, membership=bob, amount_nanos=0, actor=actor, now=now)
        record(event(bob, usd="11", at=now))
        assert [(kind, edge) for kind, _subject, edge in told()] == [
            ("included_usage", 100)
        ]

    def test_n5_where_a_yes_is_asked_first_it_is_told_as_well(
        self, acme, record, bob, told, now, monkeypatch
    ):
        enable_extra_usage(acme)
        monkeypatch.setattr(
            "billing.notices.rules.facts.funding_or_reason",
            lambda standing, windows: (None, "confirmation_needed"),
        )
        record(event(bob, usd="11", at=now))
        assert [(kind, edge) for kind, _subject, edge in told()] == [
            ("changeover", 100)
        ]


def test_n1_a_new_members_first_usage_notices_them_by_their_own_seat(
    extra, record, acme, actor, told, now
):
    emil = MembershipFactory(
        organization=acme, user=make_user("emil@acme.example", "Emil")
    )
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(10), actor=actor, now=now)
    record(event(emil, usd="7.50", at=now))
    assert told() == [("seat_tier_cap", of(emil), 75)]
