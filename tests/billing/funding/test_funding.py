"""The check: who pays, the order of reasons, when a block ends, and every layer behind
it (E1, E2, I2, I3, C2).
"""

from __future__ import annotations

import pytest

from billing.funding.rules.decision import decide
from billing.funding.rules.layers import LayerState
from billing.funding.rules.standing import CapSource, Reason, WindowState
from config.kit.money import usd
from tests.billing.funding.standings import (
    MONTH,
    SESSION,
    SESSION_RESETS,
    WEEK_RESETS,
    cap,
    organization,
    standing,
    windows,
)


def test_e1_included_usage_pays_while_every_window_has_some_left():
    assert (
        decide(standing(windows=windows(session_left=True, week_left=True))).funding
        == "included"
    )
    assert (
        decide(standing(windows=windows(session_left=True, week_left=False))).funding
        == "extra_usage"
    )
    assert (
        decide(standing(windows=windows(session_left=False, week_left=True))).funding
        == "extra_usage"
    )


def test_e1_extra_usage_is_not_looked_at_while_included_usage_is_left():
    off = organization(enabled=False, cap=cap(0))
    assert (
        decide(standing(off, windows=windows(session_left=True))).funding == "included"
    )


def test_i2_a_seat_without_windows_includes_nothing():
    assert decide(standing(windows=[])).funding == "extra_usage"


@pytest.mark.parametrize(
    ("reason", "who"),
    [
        (Reason.MEMBER_INACTIVE, {"is_active": False}),
        (Reason.SEAT_UNASSIGNED, {"seat_tier": None, "windows": []}),
        (Reason.EXTRA_USAGE_DISABLED, {"org": {"enabled": False}}),
        (Reason.MEMBER_NOT_ENABLED, {"org": {"scope": "selected"}}),
        (Reason.ORGANIZATION_CAP_REACHED, {"org": {"spent_nanos": usd(12_000)}}),
        (Reason.MEMBER_CAP_REACHED, {"own_cap": cap(31)}),
        (Reason.SEAT_TIER_CAP_REACHED, {"seat_cap": cap(31)}),
        (Reason.BALANCE_EXHAUSTED, {"org": {"balance_nanos": 0}}),
        (Reason.CONFIRMATION_NEEDED, {"org": {"confirmation_required": True}}),
    ],
)
def test_e2_each_reason_and_exactly_one_blocking_layer(reason, who):
    who = dict(who)
    decision = decide(standing(organization(**who.pop("org", {})), **who))
    assert (decision.allowed, decision.funding, decision.reason) == (
        False,
        None,
        reason,
    )
    assert [layer.state for layer in decision.layers].count(LayerState.BLOCKS) == 1


def test_e2_reasons_are_looked_at_in_their_order():
    """Everything is wrong at once; taking the first reason away shows the next one."""
    org = organization(
        enabled=False,
        scope="selected",
        cap=cap(0),
        balance_nanos=0,
        confirmation_required=True,
    )
    bob = standing(org, is_active=False, seat_tier=None, own_cap=cap(0))
    repairs = [
        lambda: setattr(bob, "is_active", True),
        lambda: setattr(bob, "seat_tier", "standard"),
        lambda: setattr(org, "enabled", True),
        lambda: setattr(org, "scope", "everyone"),
        lambda: setattr(org, "cap", cap(None)),
        lambda: setattr(bob, "own_cap", cap(None)),
        lambda: setattr(bob, "seat_cap", cap(None)),
        lambda: setattr(org, "balance_nanos", None),
        lambda: setattr(bob, "is_confirmed", True),
    ]
    bob.seat_cap = cap(0)
    for reason, repair in zip(Reason, repairs, strict=True):
        assert decide(bob).reason is reason
        repair()
    assert decide(bob).funding == "extra_usage"


@pytest.mark.parametrize(
    ("spent", "allowed"), [(usd(40) - 1, True), (usd(40), False), (usd(40) + 1, False)]
)
def test_e2_reached_means_spent_at_least_the_cap(spent, allowed):
    assert decide(standing(spent_nanos=spent)).allowed is allowed


def test_e2_a_cap_of_zero_allows_none():
    assert (
        decide(standing(own_cap=cap(0), spent_nanos=0)).reason
        is Reason.MEMBER_CAP_REACHED
    )


def test_c2_own_cap_wins_over_the_seats_cap_and_unlimited_falls_to_it():
    assert standing(own_cap=cap(50)).cap == cap(50)
    assert standing(own_cap=cap(None)).cap_source is CapSource.SEAT_TIER
    assert standing(own_cap=cap(None), seat_cap=cap(None)).cap_source is CapSource.NONE


def test_c1_seat_caps_count_on_seat_based_enterprise_only():
    team = organization(plan="team")
    assert standing(team, seat_cap=cap(0)).cap_source is CapSource.NONE
    assert decide(standing(team, seat_cap=cap(0))).allowed


def test_c6_selected_members_only():
    selected = organization(scope="selected")
    assert decide(standing(selected, selected=True)).allowed
    assert (
        decide(standing(selected, selected=False)).reason is Reason.MEMBER_NOT_ENABLED
    )


def test_d2_usage_based_enterprise_pays_everything_as_extra_usage_and_has_no_switch():
    cirrus = organization(plan="enterprise_usage", enabled=False, scope="selected")
    assert (
        decide(standing(cirrus, windows=windows(session_left=True))).funding
        == "extra_usage"
    )
    capped = organization(
        plan="enterprise_usage", enabled=False, spent_nanos=usd(12_000)
    )
    decision = decide(standing(capped))
    assert decision.reason is Reason.ORGANIZATION_CAP_REACHED
    assert decision.resets_at == MONTH.end
    assert {layer.kind for layer in decision.layers} == {
        "member_cap",
        "organization_cap",
    }


def test_i3_the_block_ends_with_the_latest_reset_of_the_exhausted_windows():
    off = organization(enabled=False)
    assert decide(standing(off)).resets_at == SESSION_RESETS
    assert (
        decide(standing(off, windows=windows(week_left=False))).resets_at == WEEK_RESETS
    )


def test_e1_a_cap_block_ends_with_the_month_when_no_window_resets_before():
    # nothing included, so waiting for it does not help
    never = [WindowState("session", SESSION, 0)]
    capped = {"spent_nanos": usd(40), "windows": never}
    assert decide(standing(**capped)).resets_at == MONTH.end
    assert decide(standing(spent_nanos=usd(40))).resets_at == SESSION_RESETS


@pytest.mark.parametrize(
    "who",
    [
        {"own_cap": cap(5, later=0)},
        {"own_cap": cap(0)},
        {"org": {"cap": cap(0)}},
        {"org": {"cap": cap(12, later=0)}},
        {"org": {"balance_nanos": -1}},
        {"org": {"enabled": False}},
    ],
)
def test_e1_the_months_end_is_no_promise_where_it_frees_nobody(who):
    who = {"windows": [WindowState("session", SESSION, 0)], **who}
    decision = decide(standing(organization(**who.pop("org", {})), **who))
    assert not decision.allowed and decision.resets_at is None


def test_c2_a_cap_for_this_month_only_falls_back_so_the_month_frees():
    blocked = standing(
        own_cap=cap(0, later=50), windows=[WindowState("session", SESSION, 0)]
    )
    assert decide(blocked).resets_at == MONTH.end


def test_e2_layers_tell_limit_spent_reset_and_who_can_change():
    decision = decide(standing(spent_nanos=usd("40.12")))
    found = {layer.kind: layer for layer in decision.layers}
    assert list(found) == [
        "session",
        "week",
        "extra_usage",
        "member_cap",
        "organization_cap",
    ]
    assert (found["session"].state, found["session"].resets_at) == (
        LayerState.USED_UP,
        SESSION_RESETS,
    )
    assert found["week"].state is LayerState.OK
    own = found["member_cap"]
    assert (own.limit_nanos, own.spent_nanos, own.source, own.who) == (
        usd(40),
        usd("40.12"),
        "seat_tier",
        "owners_admins_on_request",
    )
    assert found["organization_cap"].limit_nanos == usd(12_000)
