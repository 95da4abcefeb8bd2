"""Caps and the switch: each change works at the next check and is kept with who, when,
from and to (C1-C8, E7).
"""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from accounts.audit import audit_row
from accounts.models import AuditEntry, Plan, Settlement
from billing.caps.actions.caps import (
    set_member_cap,
    set_organization_cap,
    set_seat_tier_cap,
)
from billing.caps.actions.switch import set_extra_usage
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import record_usage
from billing.models import SelectedMember, SpendCap
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def actor(alice):
    return Actor.person(alice.user)


@pytest.fixture
def spent(acme, bob, now):
    """Bob's included usage is gone and $5 of extra usage spent."""
    enable_extra_usage(acme)
    for amount in ("1.00", "5.00"):
        record_usage([event(bob, usd=amount, at=now)], organization_id=acme.pk, now=now)


def reason(bob, now):
    return decide(
        standing_of(bob.pk, organization_id=bob.organization_id, now=now)
    ).reason


def test_e7_each_cap_works_at_the_next_check(acme, bob, now, actor, spent):
    assert reason(bob, now) is None
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(5), actor=actor, now=now)
    assert reason(bob, now) == "seat_tier_cap_reached"
    set_member_cap(acme, membership=bob, amount_nanos=usd(6), actor=actor, now=now)
    assert reason(bob, now) is None
    set_organization_cap(acme, amount_nanos=usd(4), actor=actor, now=now)
    assert reason(bob, now) == "organization_cap_reached"
    set_organization_cap(acme, amount_nanos=None, actor=actor, now=now)
    assert reason(bob, now) is None


def test_c2_unlimited_for_a_member_removes_their_cap_and_the_seats_applies(
    acme, bob, now, actor, spent
):
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(5), actor=actor, now=now)
    set_member_cap(acme, membership=bob, amount_nanos=usd(50), actor=actor, now=now)
    assert reason(bob, now) is None
    set_member_cap(acme, membership=bob, amount_nanos=None, actor=actor, now=now)
    assert reason(bob, now) == "seat_tier_cap_reached"


def test_c2_a_cap_for_this_month_only_falls_back_when_the_month_ends(
    acme, bob, now, actor, spent
):
    set_organization_cap(acme, amount_nanos=usd(100), actor=actor, now=now)
    change = set_organization_cap(
        acme, amount_nanos=usd(5), this_month_only=True, actor=actor, now=now
    )
    assert (change.from_nanos, change.to_nanos) == (usd(100), usd(5))
    assert reason(bob, now) == "organization_cap_reached"
    december = standing_of(
        bob.pk, organization_id=acme.pk, now=now + dt.timedelta(days=10)
    )
    assert december.organization.cap.amount_nanos == usd(100)


def test_c2_a_lasting_cap_ends_this_months_own(acme, now, actor):
    set_organization_cap(
        acme, amount_nanos=usd(5), this_month_only=True, actor=actor, now=now
    )
    change = set_organization_cap(acme, amount_nanos=usd(7), actor=actor, now=now)
    assert change.cap.amount_in(now.date().replace(day=1)) == usd(7)


def test_c4_a_cap_below_what_is_spent_is_allowed_and_pauses_at_once(
    acme, bob, now, actor, spent
):
    set_member_cap(acme, membership=bob, amount_nanos=usd(1), actor=actor, now=now)
    assert reason(bob, now) == "member_cap_reached"


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (-1, "negative"),
        (usd(1_000_000) + 10_000_000, "too_large"),
        (usd("0.001"), "decimals"),
    ],
)
def test_m1_bad_amounts_are_refused_and_change_nothing(acme, now, actor, amount, code):
    with pytest.raises(BusinessError) as error:
        set_organization_cap(acme, amount_nanos=amount, actor=actor, now=now)
    assert error.value.code == code
    assert not SpendCap.objects.exists()


def test_c1_seat_caps_are_for_seat_based_enterprise(acme, now, actor):
    acme.plan = Plan.TEAM
    with pytest.raises(BusinessError, match="available on seat-based Enterprise"):
        set_seat_tier_cap(
            acme, tier="standard", amount_nanos=usd(5), actor=actor, now=now
        )


def test_c8_every_change_is_kept_with_who_from_and_to(acme, bob, now, actor):
    set_member_cap(acme, membership=bob, amount_nanos=usd(5), actor=actor, now=now)
    set_member_cap(
        acme,
        membership=bob,
        amount_nanos=usd(9),
        this_month_only=True,
        actor=actor,
        now=now,
    )
    entry = AuditEntry.objects.first()
    assert (entry.actor.email, entry.action, entry.subject, entry.membership) == (
        "alice@acme.example",
        "cap.member",
        "Bob Feld",
        bob,
    )
    assert entry.from_value == {"amount_nanos": usd(5)}
    assert entry.to_value == {
        "amount_nanos": usd(9),
        "month_only": "2026-11-01",
        "then_nanos": usd(5),
    }


def test_c6_only_selected_members_have_it(acme, ada, bob, now, actor, spent):
    set_extra_usage(
        acme, enabled=True, scope="selected", members=[ada], actor=actor, now=now
    )
    assert reason(bob, now) == "member_not_enabled"
    set_extra_usage(acme, enabled=True, members=[ada, bob], actor=actor, now=now)
    assert reason(bob, now) is None
    set_extra_usage(acme, enabled=True, scope="everyone", actor=actor, now=now)
    assert SelectedMember.objects.count() == 2, (
        "the selection is kept for when it is wanted again"
    )


def test_c7_off_makes_members_wait_and_keeps_caps_and_history(
    acme, bob, now, actor, spent
):
    set_extra_usage(acme, enabled=False, actor=actor, now=now)
    assert reason(bob, now) == "extra_usage_disabled"
    assert SpendCap.objects.exists()
    assert AuditEntry.objects.get(action="extra_usage.switch").to_value == {
        "enabled": False,
        "scope": "everyone",
    }


def test_c8_setting_the_switch_to_what_it_is_leaves_no_entry(acme, now, actor):
    enable_extra_usage(acme)
    set_extra_usage(acme, enabled=True, actor=actor, now=now)
    assert not AuditEntry.objects.exists()


def test_prepaid_and_usage_based_organizations_cannot_switch_it_on(
    acme, charlie, now, actor
):
    acme.settlement = Settlement.PREPAID
    acme.save(update_fields=["settlement"])
    with pytest.raises(BusinessError) as prepaid:
        set_extra_usage(acme, enabled=True, actor=actor, now=now)
    acme.plan = Plan.ENTERPRISE_USAGE
    acme.save(update_fields=["plan"])
    with pytest.raises(BusinessError) as usage_based:
        set_extra_usage(acme, enabled=True, actor=actor, now=now)
    assert (prepaid.value.code, usage_based.value.code) == (
        "prepaid_needs_balance",
        "not_applicable",
    )


def test_d1_nobody_of_another_organization_can_be_selected(acme, charlie, now, actor):
    with pytest.raises(BusinessError, match="1 of the selected people"):
        set_extra_usage(
            acme,
            enabled=True,
            scope="selected",
            members=[charlie],
            actor=actor,
            now=now,
        )


def kept(action="cap.member"):
    """From and to of the latest change, as the Activity page reads."""
    row = audit_row(AuditEntry.objects.filter(action=action).first())
    return row.before, row.after


def test_c8_from_is_the_seats_cap_where_a_member_had_none_of_their_own(
    acme, bob, now, actor
):
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(40), actor=actor, now=now)
    set_member_cap(acme, membership=bob, amount_nanos=usd(75), actor=actor, now=now)
    assert kept() == ("$40.00 (Standard seat cap)", "$75.00")
    set_member_cap(acme, membership=bob, amount_nanos=None, actor=actor, now=now)
    assert kept() == ("$75.00", "$40.00 (Standard seat cap)")
    set_member_cap(acme, membership=bob, amount_nanos=None, actor=actor, now=now)
    assert AuditEntry.objects.filter(action="cap.member").count() == 2, (
        "nothing to remove: no change"
    )


def test_c8_a_cap_for_this_month_says_what_really_comes_after_it(acme, bob, now, actor):
    set_seat_tier_cap(acme, tier="standard", amount_nanos=usd(40), actor=actor, now=now)
    set_seat_tier_cap(
        acme,
        tier="standard",
        amount_nanos=usd(50),
        this_month_only=True,
        actor=actor,
        now=now,
    )
    month = {"this_month_only": True, "actor": actor, "now": now}
    set_member_cap(acme, membership=bob, amount_nanos=usd(75), **month)
    assert kept() == (
        "$50.00 (Standard seat cap) this month only, then $40.00 (Standard seat cap)",
        "$75.00 this month only, then $40.00 (Standard seat cap)",
    )
    set_member_cap(acme, membership=bob, amount_nanos=usd(75), **month)
    assert AuditEntry.objects.filter(action="cap.member").count() == 1
    assert kept("cap.seat_tier") == ("$40.00", "$50.00 this month only, then $40.00")


def test_c8_without_any_cap_above_them_a_member_was_unlimited(acme, bob, now, actor):
    set_member_cap(acme, membership=bob, amount_nanos=usd(75), actor=actor, now=now)
    assert kept() == ("Unlimited", "$75.00")


def test_c8_the_same_cap_saved_again_is_no_change(acme, now, actor):
    for _again in range(2):
        set_organization_cap(acme, amount_nanos=usd(75), actor=actor, now=now)
        set_seat_tier_cap(
            acme, tier="premium", amount_nanos=usd(9), actor=actor, now=now
        )
    assert AuditEntry.objects.count() == 2


def test_c8_a_selection_says_who_came_and_who_went(acme, ada, bob, alice, now, actor):
    enable_extra_usage(acme)
    selected = {"enabled": True, "scope": "selected", "actor": actor, "now": now}
    set_extra_usage(acme, members=[ada], **selected)
    assert kept("extra_usage.switch") == (
        "On, for everyone",
        "On, for 1 selected member; added: Ada Okafor",
    )
    set_extra_usage(acme, members=[bob, alice], **selected)
    assert kept("extra_usage.switch") == (
        "On, for 1 selected member",
        "On, for 2 selected members; added: Alice Nakamura, Bob Feld; removed: Ada Okafor",
    )
    set_extra_usage(acme, members=[bob, alice], **selected)
    assert AuditEntry.objects.count() == 2
