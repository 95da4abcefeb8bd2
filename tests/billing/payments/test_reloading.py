"""T4, T5: when auto-reload buys and how much, as a table and as properties of the pure rule."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payments.rules.reloading import (
    MOST_NANOS,
    Hold,
    Reload,
    ReloadState,
    next_try_at,
    reload_now,
    threshold_is_in_reach,
)
from config.kit.money import usd
from tests.conftest import NOW

STATE = ReloadState(
    enabled=True,
    threshold_nanos=usd(25),
    amount_nanos=usd(50),
    balance_nanos=usd(25),
    is_on=True,
    cap_is_reached=False,
    has_card=True,
    is_in_flight=False,
    retry_at=None,
    bought_today=0,
    bought_this_month_nanos=0,
    limit_nanos=usd(200),
)
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Reload(usd(50))),  # reaching the threshold is enough
        ({"balance_nanos": usd(25) + 1}, Reload()),
        ({"balance_nanos": usd("-24.99")}, Reload(usd(50))),
        (
            {"balance_nanos": usd(-25)},
            Reload(usd(100)),
        ),  # one would lift it to the threshold only
        ({"balance_nanos": usd(-80)}, Reload(usd(150))),
        (
            {"balance_nanos": usd(-500)},
            Reload(usd(200)),
        ),  # as far as the month's limit goes
        (
            {"bought_this_month_nanos": usd(150), "balance_nanos": usd(-500)},
            Reload(usd(50)),
        ),
        ({"bought_this_month_nanos": usd(151)}, Reload(hold=Hold.MONTHLY_LIMIT)),
        (
            {"limit_nanos": None, "bought_this_month_nanos": usd(10_000)},
            Reload(usd(50)),
        ),
        ({"limit_nanos": 0}, Reload(hold=Hold.MONTHLY_LIMIT)),
        # the largest purchase
        ({"limit_nanos": None, "balance_nanos": usd(-250_000)}, Reload(usd(100_000))),
        (
            {
                "limit_nanos": None,
                "balance_nanos": usd(-250_000),
                "amount_nanos": usd(70_000),
            },
            Reload(usd(70_000)),
        ),
        ({"bought_today": 4}, Reload(usd(50))),
        ({"bought_today": 5}, Reload(hold=Hold.DAILY_COUNT)),
        ({"enabled": False, "is_on": False}, Reload()),
        ({"is_on": False}, Reload(hold=Hold.EXTRA_USAGE_OFF)),
        ({"cap_is_reached": True}, Reload(hold=Hold.CAP_REACHED)),
        ({"has_card": False}, Reload(hold=Hold.NO_CARD)),
        ({"is_in_flight": True}, Reload(hold=Hold.IN_FLIGHT)),
        ({"retry_at": NOW + HOUR}, Reload(hold=Hold.DECLINED)),
        ({"retry_at": NOW}, Reload(usd(50))),
    ],
)
def test_t4_what_is_bought(changes, expected):
    assert reload_now(replace(STATE, **changes), now=NOW) == expected


@given(
    balance=st.integers(-(10**13), 10**12),
    threshold=st.integers(0, 10**12),
    amount=st.integers(5 * 10**9, 10**12),
    bought=st.integers(0, 10**12),
    limit=st.none() | st.integers(0, 10**13),
)
def test_t4_one_purchase_lifts_the_balance_above_the_threshold_or_as_far_as_the_limit_allows(
    balance, threshold, amount, bought, limit
):
    state = replace(
        STATE,
        balance_nanos=balance,
        threshold_nanos=threshold,
        amount_nanos=amount,
        bought_this_month_nanos=bought,
        limit_nanos=limit,
    )
    answer = reload_now(state, now=NOW)
    assert answer.amount_nanos % amount == 0
    if limit is not None and answer.amount_nanos:
        assert bought + answer.amount_nanos <= limit
    if balance > threshold:
        assert answer == Reload()
    assert answer.amount_nanos <= MOST_NANOS
    if balance > threshold or answer.amount_nanos + amount > MOST_NANOS:
        return
    if limit is None or (
        answer.amount_nanos and bought + answer.amount_nanos + amount <= limit
    ):
        assert (
            balance + answer.amount_nanos
            > threshold
            >= balance + answer.amount_nanos - amount
        )


def test_t5_the_tries_are_1_6_and_24_hours_after_the_first_decline_then_none():
    tries = [
        next_try_at(declined_at=NOW, declines=count, now=NOW) for count in (1, 2, 3, 4)
    ]
    assert tries == [NOW + HOUR, NOW + 6 * HOUR, NOW + 24 * HOUR, None]


@pytest.mark.parametrize(
    ("declines", "late", "after"),
    [(2, HOUR, 5 * HOUR), (2, 9 * HOUR, 5 * HOUR), (3, 200 * HOUR, 18 * HOUR)],
)
def test_t5_a_late_try_keeps_its_distance_to_the_next(declines, late, after):
    due_at = NOW + (HOUR, 6 * HOUR)[declines - 2]
    tried_at = due_at + late
    expected = tried_at + after if late > HOUR else due_at + after
    assert next_try_at(declined_at=NOW, declines=declines, now=tried_at) == expected


@pytest.mark.parametrize(
    ("threshold", "amount", "in_reach"),
    [
        ("25", "50", True),
        ("99999.99", "100000", True),
        ("100000", "100000", False),
        ("70000", "70000", False),
    ],
)
def test_t4_a_threshold_is_in_reach_of_the_largest_purchase_or_not(
    threshold, amount, in_reach
):
    assert threshold_is_in_reach(usd(threshold), amount_nanos=usd(amount)) is in_reach
