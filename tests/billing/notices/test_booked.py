"""Differences booked later, and movements of a balance, reach thresholds like charges
(N1, N1a).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from accounts.actions.audit import Actor
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.assigning import assign_usage
from billing.metering.actions.recording import record_usage
from billing.metering.rules.events import TELEMETRY
from billing.models import (
    BillingAccount,
    Notice,
    Payment,
    SeatAllowance,
    UnattributedName,
    UsageEvent,
)
from billing.notices.actions.settings import set_balance_low
from billing.payments.actions.credits import post_credit
from billing.payments.actions.refunds import start_refund
from billing.payments.actions.reload_settings import set_auto_reload
from billing.payments.actions.short_balances import note_short_balance
from billing.payments.queries.reloads import balances_in_use
from config.kit.money import usd
from tests.factories.balances import (
    buy,
    make_bolt,
    set_reload,
    turn_on,
    use_up_included,
)
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage, event


def of(member) -> str:
    return f"member:{member.pk}"


@pytest.fixture
def operator(db):
    return make_user("operator@example.com", "Operator", is_staff=True)


@pytest.fixture
def adjust(operator, now):
    def adjust(amount: str):
        event = UsageEvent.objects.order_by("pk").first()
        return adjust_event(
            event, amount_nanos=usd(amount), reason="Agreed", operator=operator, now=now
        )

    return adjust


def test_n1_an_adjustment_reaches_thresholds_of_the_member_and_the_organization(
    extra, record, acme, bob, actor, adjust, told, now
):
    set_member_cap(acme, membership=bob, amount_nanos=usd(80), actor=actor, now=now)
    record(event(bob, usd="70", at=now))
    Notice.objects.all().delete()
    adjust("10")
    assert sorted(told()) == [
        ("member_cap", of(bob), 100),
        ("organization_cap", "organization", 75),
    ]


def test_n1a_an_adjustment_downwards_leaves_what_was_told_and_arms_nothing(
    extra, record, bob, adjust, told, now
):
    record(event(bob, usd="91", at=now))
    adjust("-20")
    assert [edge for _kind, _subject, edge in told()] == [90]
    record(event(bob, usd="6", at=now))  # past 75, of which 90 was told
    assert [edge for _kind, _subject, edge in told(live=False)] == [90]
    record(event(bob, usd="14", at=now))  # past 90 again
    assert [edge for _kind, _subject, edge in told(live=False)] == [90]
    record(event(bob, usd="9", at=now))
    assert [edge for _kind, _subject, edge in told()] == [90, 100]


@pytest.mark.parametrize("level", ["organization", "tier", "own"])
def test_n1a_a_raise_arms_again_what_was_corrected_to_nothing(
    level, extra, record, acme, bob, actor, adjust, told, now
):
    def cap(amount: str):
        more = {"amount_nanos": usd(amount), "actor": actor, "now": now}
        if level == "own":
            return set_member_cap(acme, membership=bob, **more)
        if level == "organization":
            return set_organization_cap(acme, **more)
        return set_seat_tier_cap(acme, tier="standard", **more)

    cap("10")
    record(event(bob, usd="9", at=now))
    assert [edge for _kind, _subject, edge in told()] == [90]
    adjust("-9")
    cap("20")
    assert told() == []
    record(event(bob, usd="19", at=now))
    assert [edge for _kind, _subject, edge in told()] == [90]


def test_x2_assigned_usage_reaches_the_members_cap_and_not_the_organizations_again(
    extra, record, acme, bob, actor, told, now
):
    set_member_cap(acme, membership=bob, amount_nanos=usd(80), actor=actor, now=now)
    record(event("stranger@acme.example", usd="76", at=now))
    assert told() == [("organization_cap", "organization", 75)]
    assign_usage(UnattributedName.objects.get(), bob, actor=actor, now=now)
    assert told() == [
        ("organization_cap", "organization", 75),
        ("member_cap", of(bob), 90),
    ]


def telemetry(member, amount, *, now):
    sent = event(member, usd=amount, id="t", at=now)
    return replace(sent, source=TELEMETRY, request_id="req-1")


def gateway(member, amount, *, now):
    return replace(event(member, usd=amount, id="g", at=now), request_id="req-1")


def test_x4_a_gateways_count_that_replaces_telemetrys_reaches_thresholds(
    extra, record, bob, told, now
):
    record(telemetry(bob, "70", now=now))
    assert told() == []
    recorded = record(gateway(bob, "91", now=now), event(bob, usd="1", at=now))
    assert recorded.notices_written is True
    # Its own event reached nothing yet; what replaced the first did.
    assert told() == [("organization_cap", "organization", 90)]
    assert Notice.objects.get().spent_nanos == usd(92)


def test_x4_replaced_usage_and_new_usage_of_one_batch_are_one_crossing_each(
    extra, record, bob, told, now
):
    record(telemetry(bob, "70", now=now))
    record(gateway(bob, "85", now=now), event(bob, usd="6", at=now))
    assert [edge for _kind, _subject, edge in told()] == [75, 90]


def test_x4_included_usage_counted_higher_reaches_its_thresholds(
    acme, record, bob, told, now
):
    enable_extra_usage(acme)
    SeatAllowance.objects.filter(plan=acme.plan).update(amount_nanos=usd(10))
    record(telemetry(bob, "7", now=now))
    recorded = record(gateway(bob, "8.50", now=now))
    assert recorded.notices_written is True
    assert {(kind, edge) for kind, _subject, edge in told()} == {("included_usage", 80)}
    assert len(told()) == 2  # of the session and of the week


class TestBalance:
    """Bolt prepays; a balance of $10 is low without a threshold of its own."""

    @pytest.fixture
    def bolt(self, db, now):
        bolt = make_bolt(now=now)
        turn_on(bolt, balance="100", cap=None, now=now)
        use_up_included(bolt)
        return bolt

    @pytest.fixture
    def charge(self, bolt, now):
        def charge(*amounts: str):
            mia = bolt.memberships.get(user__email="mia@bolt.example")
            events = [event(mia, usd=amount, at=now) for amount in amounts]
            return record_usage(events, organization_id=bolt.pk, now=now)

        return charge

    def test_n1_a_balance_that_falls_is_low_and_then_exhausted_once(
        self, bolt, charge, told
    ):
        assert charge("89").notices_written is False
        assert charge("1").notices_written is True
        charge("1")
        assert told() == [("balance_low", "organization", usd(10))]
        charge("9")
        charge("5")
        assert told() == [
            ("balance_low", "organization", usd(10)),
            ("balance_exhausted", "organization", 0),
        ]

    def test_n1a_a_jump_past_both_is_one(self, bolt, charge, told):
        charge("50", "60")
        assert told() == [("balance_exhausted", "organization", 0)]

    def test_n1a_a_purchase_that_lifts_it_arms_its_marks_again(
        self, bolt, charge, told, now
    ):
        charge("89", "5")
        charge("6")
        buy(bolt, "8", now=now)  # above nothing, and still low
        assert told() == [("balance_low", "organization", usd(10))]
        charge("9")
        assert [kind for kind, _subject, _edge in told()] == [
            "balance_low",
            "balance_exhausted",
        ]
        buy(bolt, "50", now=now)
        assert told() == []
        charge("45")
        assert told() == [("balance_low", "organization", usd(10))]
        assert len(told(live=False)) == 4

    def test_n1a_a_purchase_months_later_arms_as_well(self, bolt, charge, told, now):
        charge("100")
        Notice.objects.update(month_on="2026-06-01")
        buy(bolt, "50", now=now)
        assert told() == []

    def test_n1_with_auto_reload_it_is_not_low_but_may_be_exhausted(
        self, bolt, charge, told, now
    ):
        set_reload(bolt, "25", "50", now=now)
        charge("80")
        assert told() == []
        charge("25")
        assert told() == [("balance_exhausted", "organization", 0)]

    def test_n1_a_credit_lifts_and_a_correction_lowers_it(
        self, bolt, charge, operator, told, now
    ):
        def credit(amount):
            post_credit(
                bolt,
                amount_nanos=usd(amount),
                reason="Agreed",
                operator=operator,
                now=now,
            )

        credit("-95")
        assert told() == [("balance_low", "organization", usd(10))]
        credit("-6")
        assert [kind for kind, _subject, _edge in told()][-1] == "balance_exhausted"
        credit("2")
        assert told() == [("balance_low", "organization", usd(10))]
        credit("20")
        assert told() == []

    def test_n1_when_it_is_low_owners_say(self, bolt, charge, told, now):
        actor = Actor.person(bolt.primary_owner)
        BillingAccount.objects.update(reload_threshold_nanos=usd(30))
        charge("65")
        assert told() == []
        charge("5")
        assert told() == [("balance_low", "organization", usd(30))]
        set_balance_low(bolt, amount_nanos=usd(20), actor=actor, now=now)
        buy(bolt, "10", now=now)
        charge("25")
        assert told()[-1] == ("balance_low", "organization", usd(20))

    def test_n1_a_lower_mark_is_told_after_a_higher_one_was(
        self, bolt, charge, told, now
    ):
        """An owner who hears of $50 asks to hear of $20 as well."""
        actor = Actor(label="Alice")
        set_balance_low(bolt, amount_nanos=usd(50), actor=actor, now=now)
        charge("55")
        assert told("balance_low") == [("balance_low", "organization", usd(50))]
        set_balance_low(bolt, amount_nanos=usd(20), actor=actor, now=now)
        charge("30")
        assert told("balance_low")[-1] == ("balance_low", "organization", usd(20))

    def test_n1_an_adjustment_lowers_it_too(self, bolt, charge, adjust, told):
        charge("85")
        adjust("6")
        assert told() == [("balance_low", "organization", usd(10))]

    def test_n1a_what_an_operator_gives_back_arms_the_marks_it_lifts_above(
        self, bolt, charge, operator, told, now
    ):
        charge("100")
        assert told() == [("balance_exhausted", "organization", 0)]
        one = UsageEvent.objects.filter(cost_nanos=usd(100)).get()
        adjust_event(
            one, amount_nanos=usd(-80), reason="Agreed", operator=operator, now=now
        )
        assert told() == []
        charge("80")
        assert told() == [("balance_exhausted", "organization", 0)]

    def test_c7_while_extra_usage_is_off_a_balance_that_goes_back_is_no_news(
        self, bolt, operator, told, now
    ):
        BillingAccount.objects.update(extra_usage_enabled=False)
        post_credit(
            bolt,
            amount_nanos=usd(-100),
            reason="Leaves",
            operator=operator,
            now=now,
        )
        assert told() == []

    def test_t7_a_refund_that_empties_it_is_told(
        self, bolt, charge, operator, told, now
    ):
        charge("50")
        start_refund(
            Payment.objects.get(),
            amount_nanos=usd(50),
            reason="Agreed",
            operator=operator,
            now=now,
        )
        assert told() == [("balance_exhausted", "organization", 0)]

    def test_n1_a_balance_that_auto_reload_no_longer_lifts_is_low(
        self, bolt, charge, told, now
    ):
        set_reload(bolt, "25", "50", now=now)
        charge("80")
        for enabled in (False, False):
            set_auto_reload(
                bolt, enabled=enabled, actor=Actor.person(bolt.primary_owner), now=now
            )
        assert told() == [("balance_low", "organization", usd(25))]

    def test_n1_a_balance_that_would_not_last_the_month_is_told_once_until_lifted(
        self, bolt, charge, told, now
    ):
        """$83.60 in 22 days, $16.40 left for a week: at this pace it ends before."""
        for day in range(1, 23):
            mia = bolt.memberships.get(user__email="mia@bolt.example")
            at = now.replace(day=day)
            record_usage(
                [event(mia, usd="3.80", at=at)], organization_id=bolt.pk, now=at
            )
        assert told() == []
        assert list(balances_in_use()) == [bolt.pk]
        assert note_short_balance(bolt.pk, now=now) is True
        assert note_short_balance(bolt.pk, now=now + dt.timedelta(hours=3)) is True
        assert told() == [("balance_short", "organization", 0)]
        facts = Notice.objects.get().facts
        assert facts["left_nanos"] == usd("16.40")
        assert "2026-11-24" <= facts["ends_on"] <= "2026-11-30"
        buy(bolt, "5", now=now)
        assert told() == []
        note_short_balance(bolt.pk, now=now + dt.timedelta(days=1))
        assert told() == [("balance_short", "organization", 0)]
        buy(bolt, "500", now=now)
        assert note_short_balance(bolt.pk, now=now + dt.timedelta(days=1)) is False
        assert told() == []

    def test_n1_what_auto_reload_fills_is_not_short(self, bolt, charge, told, now):
        set_reload(bolt, "25", "50", now=now)
        charge("60")
        assert list(balances_in_use()) == []
        assert note_short_balance(bolt.pk, now=now) is False
        assert told() == []
