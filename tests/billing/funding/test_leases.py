"""X5: when a lease is given, and how much: never without the owners' word, never close to
a limit, and all together never more than 5 % of what is shared.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.funding.rules.decision import decide
from billing.funding.rules.headroom import extra_left, included_left
from billing.funding.rules.leases import LEAST_EVENTS, leased_nanos, typical_nanos
from billing.funding.rules.standing import Cap, Standing, WindowState
from config.kit.money import usd
from tests.billing.funding.standings import SESSION, cap, organization, standing

EXTRA, INCLUDED = "extra_usage", "included"
CENT = usd("0.01")


def leasing(
    shared: dict | None = None, *, typical: int = CENT, events: int = 100, **who
) -> Standing:
    """Bob where leases are allowed, with so many requests of `typical` each: all that
    his organization spent, unless `shared` says otherwise.
    """
    spent = who.setdefault("spent_nanos", usd(1))
    org = organization(
        **{
            "leases_allowed": True,
            "cap": cap(None),
            "spent_nanos": spent,
            **(shared or {}),
        }
    )
    cost = typical * events
    return standing(
        org,
        **{"seat_cap": cap(None), "windows": [], **who},
        events=events,
        cost_nanos=cost,
    )


def test_x5_five_percent_of_what_the_cap_leaves():
    assert leased_nanos(leasing(own_cap=cap(41)), EXTRA) == usd(2)


def test_x5_none_while_owners_allow_none():
    bob = leasing({"leases_allowed": False}, own_cap=cap(41))
    assert leased_nanos(bob, EXTRA) is None


@pytest.mark.parametrize(("more", "given"), [(0, True), (-1, False)])
def test_x5_headroom_is_large_from_100_typical_requests_on(more, given):
    own = Cap(usd(1) + 100 * CENT + more)
    assert (leased_nanos(leasing(own_cap=own), EXTRA) is not None) is given


@pytest.mark.parametrize(
    ("events", "given"), [(0, False), (LEAST_EVENTS - 1, False), (LEAST_EVENTS, True)]
)
def test_x5_what_is_typical_takes_ten_requests(events, given):
    bob = leasing(own_cap=cap(41), events=events)
    assert (leased_nanos(bob, EXTRA) is not None) is given


def test_x5_typical_is_the_mean_rounded_up():
    assert typical_nanos(standing(events=11, cost_nanos=111)) == 11


def test_x5_without_any_limit_it_is_enough_for_100_typical_requests():
    assert leased_nanos(leasing(), EXTRA) == 100 * CENT


def test_x5_included_usage_is_leased_by_itself():
    """However much extra usage there is behind it: no lease leads from one into the other."""
    window = WindowState("session", SESSION, usd(10), usd(6))
    bob = leasing(windows=[window])
    assert decide(bob).funding == INCLUDED
    assert leased_nanos(bob, INCLUDED) == usd("0.20")
    window.used_nanos = usd(10) - 99 * CENT
    assert leased_nanos(bob, INCLUDED) is None


def test_x5_what_is_shared_is_leased_by_each_members_part_of_the_month():
    shared = {"cap": cap(1_000), "spent_nanos": usd(200)}
    # A tenth of $200 is Bob's, so a tenth of the $800 that are left.
    bob = leasing(shared, spent_nanos=usd(20))
    assert leased_nanos(bob, EXTRA) == usd(4)
    assert leased_nanos(replace(bob, own_cap=cap(40)), EXTRA) == usd(1)
    assert leased_nanos(leasing(shared, spent_nanos=0), EXTRA) is None


def test_x5_nobodys_part_is_more_than_the_whole():
    """A correction of somebody else can make one member's spend more than everybody's:
    then nobody can say whose part is which.
    """
    shared = {"cap": cap(110), "spent_nanos": usd(10)}
    assert leased_nanos(leasing(shared, spent_nanos=usd(50)), EXTRA) is None


def test_x5_a_balance_is_shared_too():
    shared = {"balance_nanos": usd(100), "spent_nanos": usd(200)}
    assert leased_nanos(leasing(shared, spent_nanos=usd(50)), EXTRA) == usd("1.25")


@given(
    spends=st.lists(st.integers(-5, 1_000), min_size=1, max_size=8),
    left=st.integers(0, 10**6),
    balance=st.one_of(st.none(), st.integers(0, 10**6)),
)
def test_x5_all_leases_together_are_at_most_5_percent_of_what_is_shared(
    spends, left, balance
):
    """A sum of an organization is that of its members (E8); a correction can be negative."""
    everybody = sum(spends)
    shared = {
        "cap": Cap(max(0, everybody + left)),
        "spent_nanos": everybody,
        "balance_nanos": balance,
    }
    team = [leasing(shared, spent_nanos=spent, typical=1) for spent in spends]
    leased = sum(leased_nanos(one, EXTRA) or 0 for one in team)
    if min(spends) >= 0:
        together = extra_left(replace(team[0], own_cap=Cap(None))) or 0
        assert leased * 100 <= together * 5
    for one in team:
        assert (leased_nanos(one, EXTRA) or 0) * 100 <= (extra_left(one) or 0) * 5


@given(
    limit=st.integers(0, 10**6),
    used=st.integers(0, 10**6),
    own=st.one_of(st.none(), st.integers(0, 10**6)),
    typical=st.integers(0, 2_000),
)
def test_x5_a_lease_is_never_more_than_5_percent_of_what_pays(
    limit, used, own, typical
):
    bob = leasing(
        own_cap=Cap(own),
        spent_nanos=used // 2,
        windows=[WindowState("session", SESSION, limit, used)],
        typical=typical,
    )
    funding = decide(bob).funding
    if funding is None:
        return
    leased = leased_nanos(bob, funding)
    left = included_left(bob) if funding == INCLUDED else extra_left(bob)
    if leased is not None and left is not None:
        assert leased >= 1 and leased * 100 <= left * 5 and left >= 100 * typical
