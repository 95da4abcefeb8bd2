"""X1: what an answer says is left is what `decide` would allow, to the nano-dollar."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.funding.rules.decision import decide
from billing.funding.rules.headroom import extra_left, included_left
from billing.funding.rules.standing import Cap, Standing, WindowState
from config.kit.money import usd
from tests.billing.funding.standings import (
    SESSION,
    WEEK,
    cap,
    organization,
    standing,
    windows,
)

AMOUNTS = st.integers(0, 60)
CAPS = st.one_of(st.none(), AMOUNTS).map(Cap)
WINDOWS = st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS).map(
    lambda four: [
        WindowState("session", SESSION, four[0], four[1]),
        WindowState("week", WEEK, four[2], four[3]),
    ]
)


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """Anybody, on any plan, with limits and spends of a few nano-dollars."""
    shared = organization(
        plan=draw(st.sampled_from(["team", "enterprise_seat", "enterprise_usage"])),
        enabled=draw(st.booleans()),
        scope=draw(st.sampled_from(["everyone", "selected"])),
        cap=draw(CAPS),
        spent_nanos=draw(AMOUNTS),
        balance_nanos=draw(st.one_of(st.none(), st.integers(-20, 60))),
    )
    return standing(
        shared,
        selected=draw(st.booleans()),
        own_cap=draw(CAPS),
        seat_cap=draw(CAPS),
        spent_nanos=draw(AMOUNTS),
        windows=draw(st.one_of(st.just([]), WINDOWS)),
    )


def spend_extra(one: Standing, nanos: int) -> Standing:
    """The member when included usage is used up and that much extra usage came on top."""
    shared = one.organization
    balance = shared.balance_nanos
    return replace(
        one,
        organization=replace(
            shared,
            spent_nanos=shared.spent_nanos + nanos,
            balance_nanos=None if balance is None else balance - nanos,
        ),
        spent_nanos=one.spent_nanos + nanos,
        windows=[replace(each, used_nanos=each.limit_nanos) for each in one.windows],
    )


def spend_included(one: Standing, nanos: int) -> Standing:
    """The member after that much included usage."""
    used = [replace(each, used_nanos=each.used_nanos + nanos) for each in one.windows]
    return replace(one, windows=used)


@given(standings())
def test_x1_extra_usage_left_is_what_decide_allows(one):
    left = extra_left(one)
    if left is None:
        assert decide(spend_extra(one, 10**18)).funding == "extra_usage"
        return
    assert not decide(spend_extra(one, left)).allowed
    if left:
        assert decide(spend_extra(one, left - 1)).funding == "extra_usage"


@given(standings())
def test_x1_included_usage_left_is_what_decide_funds_as_included(one):
    left = included_left(one)
    if left is None:
        assert one.organization.plan == "enterprise_usage"
        assert decide(one).funding != "included"
        return
    assert decide(spend_included(one, left)).funding != "included"
    if left:
        assert decide(spend_included(one, left - 1)).funding == "included"


@given(standings())
def test_x1_an_allowed_answer_has_something_left_and_a_refusal_has_nothing(one):
    extra, included = extra_left(one), included_left(one)
    assert decide(one).allowed == (extra is None or extra > 0 or bool(included))


@given(standings())
def test_x1_nothing_is_left_without_seat_or_membership(one):
    for nobody in (replace(one, is_active=False), replace(one, seat_tier=None)):
        assert extra_left(nobody) == 0


@pytest.mark.parametrize(
    ("shared", "who", "left"),
    [
        ({}, {}, usd(9)),  # the seat's $40, $31 spent
        ({}, {"own_cap": cap(50)}, usd(19)),
        ({"spent_nanos": usd(11_995)}, {}, usd(5)),
        ({"balance_nanos": usd(3)}, {}, usd(3)),
        ({"cap": cap(None)}, {"seat_cap": cap(None)}, None),
        ({"plan": "team"}, {}, usd(2_316)),  # a seat's cap counts on Enterprise only
        ({"enabled": False}, {}, 0),
        ({"scope": "selected"}, {}, 0),
        ({}, {"own_cap": cap(10)}, 0),  # a cap below what is spent
        ({"balance_nanos": -usd(1)}, {}, 0),
    ],
)
def test_x1_the_least_of_cap_organization_cap_and_balance(shared, who, left):
    assert extra_left(standing(organization(**shared), **who)) == left


def test_x1_the_tightest_window():
    bob = standing(windows=windows(session_left=True, week_left=True, limit=4))
    assert included_left(bob) == 1
    assert included_left(standing(windows=[])) == 0
    cirrus = organization(plan="enterprise_usage")
    assert included_left(standing(cirrus, windows=[])) is None
