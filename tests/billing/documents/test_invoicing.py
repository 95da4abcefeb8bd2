"""M5, P2: how a bill adds up, tax, corrections as lines, and which months may close."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.documents.rules import (
    Correction,
    add_up,
    closes_at,
    corrections,
    latest_closable,
    months_to_close,
    tax_nanos,
    whole_cents,
)
from config.kit.money import NANOS_PER_CENT, usd
from config.kit.months import Calendar

NEW_YORK = Calendar("America/New_York")
SIX_HOURS = dt.timedelta(hours=6)
amounts = st.integers(min_value=-(10**15), max_value=10**15)


@given(st.lists(amounts, max_size=30), amounts)
def test_m5_nothing_is_lost_between_exact_lines_rounded_lines_and_what_is_carried(
    exact, carried
):
    billed = sum(whole_cents(one) for one in exact)
    sums = add_up(exact_nanos=sum(exact), billed_nanos=billed, carried_nanos=carried)
    assert sum(exact) + carried == sums.subtotal_nanos + sums.carried_out_nanos
    assert sums.subtotal_nanos == billed + sums.carried_in_nanos + sums.surplus_nanos
    assert sums.subtotal_nanos >= 0 and sums.subtotal_nanos % NANOS_PER_CENT == 0


@given(st.lists(st.lists(amounts, max_size=5), min_size=1, max_size=12))
def test_m5_over_many_invoices_the_bills_and_the_last_carry_are_everything(months):
    carried = billed = 0
    for exact in months:
        sums = add_up(
            exact_nanos=sum(exact),
            billed_nanos=sum(map(whole_cents, exact)),
            carried_nanos=carried,
        )
        billed, carried = billed + sums.subtotal_nanos, sums.carried_out_nanos
    assert sum(map(sum, months)) == billed + carried


def test_m5_a_bill_below_zero_is_nothing_to_pay_and_carries_the_credit_on():
    sums = add_up(
        exact_nanos=-usd("5.003"), billed_nanos=-usd("5.00"), carried_nanos=usd("0.004")
    )
    assert (sums.subtotal_nanos, sums.surplus_nanos, sums.carried_out_nanos) == (
        0,
        usd(5),
        -usd("4.999"),
    )


@given(
    st.integers(min_value=0, max_value=10**9),
    st.integers(min_value=0, max_value=100_000),
)
def test_tax_is_rounded_half_even_to_cents(cents, rate):
    expected = (Decimal(cents) * rate / 100_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert (
        tax_nanos(cents * NANOS_PER_CENT, rate=rate) == int(expected) * NANOS_PER_CENT
    )


def test_corrections_of_one_person_model_and_reason_are_one_line_that_names_its_events():
    rows = [(1, "claude", "m", "wrong price", f"e{n}", 10) for n in range(7)]
    rows += [
        (1, "claude", "m", "outage", "e1", -5),
        (2, "claude", "m", "wrong price", "x", 3),
    ]
    first, second, third = corrections(rows)
    assert (first.about, first.exact_nanos) == ("e0, e1, e2, e3, e4 +2", 70)
    assert (second.about, second.reason, third.membership_id) == ("e1", "outage", 2)


def test_an_event_corrected_twice_is_named_once():
    [line] = corrections(
        [(1, "claude", "m", "r", "e", 1), (1, "claude", "m", "r", "e", 2)]
    )
    assert line == Correction(1, "claude", "m", "r", ["e"], 3)


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        (dt.datetime(2026, 12, 1, 10, 59, tzinfo=dt.UTC), dt.date(2026, 10, 1)),
        (dt.datetime(2026, 12, 1, 11, 0, tzinfo=dt.UTC), dt.date(2026, 11, 1)),
        # the clocks went back at 06:00 UTC
        (dt.datetime(2026, 11, 1, 9, 59, tzinfo=dt.UTC), dt.date(2026, 9, 1)),
        (dt.datetime(2026, 11, 1, 10, 0, tzinfo=dt.UTC), dt.date(2026, 10, 1)),
    ],
)
def test_p2_a_month_may_close_once_its_grace_is_over_by_its_own_clock(now, latest):
    assert latest_closable(NEW_YORK, now=now, grace=SIX_HOURS) == latest
    assert (closes_at(NEW_YORK.month(latest), grace=SIX_HOURS) <= now) is True


def test_p2_months_close_in_order():
    assert months_to_close(dt.date(2026, 11, 1), dt.date(2027, 1, 1)) == [
        dt.date(2026, 11, 1),
        dt.date(2026, 12, 1),
        dt.date(2027, 1, 1),
    ]
    assert months_to_close(dt.date(2026, 12, 1), dt.date(2026, 11, 1)) == []
