"""The projection and the verdict: whole nano-USD, same weekday first, and nothing
without data.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.reports.rules.projection import about, lasting_cap, project
from billing.reports.rules.verdict import State, judge
from config.kit.money import usd

TODAY, LAST = dt.date(2026, 11, 23), dt.date(2026, 11, 30)  # both Mondays


def spending(
    weekday: str, weekend: str = "0", *, until: dt.date = TODAY, days: int = 22
) -> dict[dt.date, int]:
    dates = [until - dt.timedelta(days=offset) for offset in range(1, days + 1)]
    return {day: usd(weekend if day.weekday() >= 5 else weekday) for day in dates}


def projected(by_day, *, today=TODAY):
    return project(by_day, spent_nanos=sum(by_day.values()), today=today, last_on=LAST)


def test_coming_days_cost_what_the_same_weekday_did():
    coming = dict(projected(spending("600", "100")).expected)
    assert coming[dt.date(2026, 11, 27)] == usd(600)
    assert coming[dt.date(2026, 11, 28)] == usd(100)
    assert len(coming) == 8, "today and the seven days left"


def test_today_adds_only_what_is_still_to_come():
    by_day = spending("600") | {TODAY: usd(450)}
    assert dict(projected(by_day).expected)[TODAY] == usd(150)
    assert dict(projected(by_day | {TODAY: usd(900)}).expected)[TODAY] == 0


def test_a_weekday_not_seen_yet_costs_the_mean_of_all_days():
    by_day = {dt.date(2026, 11, 21): usd(10), dt.date(2026, 11, 22): usd(20)}
    assert dict(projected(by_day).expected)[dt.date(2026, 11, 25)] == usd(15)


def test_days_before_extra_usage_began_do_not_thin_the_mean():
    by_day = dict.fromkeys(spending("1"), 0) | {dt.date(2026, 11, 22): usd(20)}
    assert dict(projected(by_day).expected)[LAST] == usd(20)


def test_the_first_days_of_a_month_look_back_into_the_one_before():
    today = dt.date(2026, 11, 2)
    by_day = {today - dt.timedelta(days=days): usd(7) for days in range(1, 20)}
    assert dict(projected(by_day, today=today).expected)[LAST] == usd(7)


@pytest.mark.parametrize(
    "by_day", [{}, {TODAY: usd(50)}, {TODAY - dt.timedelta(days=1): 0}]
)
def test_without_a_complete_day_of_spending_there_is_no_projection(by_day):
    assert projected(by_day) is None


@given(
    st.dictionaries(
        st.dates(dt.date(2026, 10, 1), TODAY), st.integers(-(10**9), 10**15)
    )
)
def test_a_projection_never_falls_and_reaches_every_cap_up_to_its_end(by_day):
    projection = projected(by_day)
    if projection is None:
        return
    assert all(
        isinstance(nanos, int) and nanos >= 0 for _day, nanos in projection.expected
    )
    assert projection.reaches_on(projection.month_end_nanos) is not None
    assert projection.reaches_on(projection.month_end_nanos + 1) is None


@pytest.mark.parametrize(
    ("exact", "told"),
    [
        ("0", "0"),
        ("0.30", "1"),
        ("41.60", "42"),
        ("612", "610"),
        ("12961", "12950"),
        ("10214.55", "10200"),
    ],
)
def test_about_amounts_are_round(exact, told):
    assert about(usd(exact)) == usd(told)


@pytest.mark.parametrize(
    ("month_end", "cap"),
    [("12950", "13000"), ("13000", "14000"), ("612.10", "620"), ("7", "8")],
)
def test_a_lasting_cap_is_round_and_above_the_month_end(month_end, cap):
    assert lasting_cap(usd(month_end)) == usd(cap)


@pytest.mark.parametrize(
    ("cap", "spent", "state"),
    [
        (None, "1", State.UNLIMITED),
        ("0", "0", State.STOPPED),
        ("100", "100", State.STOPPED),
        ("100", "99.99", State.FINE),
    ],
)
def test_the_verdict_without_a_projection(cap, spent, state):
    cap_nanos = None if cap is None else usd(cap)
    assert (
        judge(None, cap_nanos=cap_nanos, spent_nanos=usd(spent), last_on=LAST).state
        is state
    )


def test_the_verdict_names_the_day_and_what_would_last():
    verdict = judge(
        projected(spending("600", "150")),
        cap_nanos=usd(12_000),
        spent_nanos=usd(10_050),
        last_on=LAST,
    )
    assert (verdict.state, verdict.stops_on, verdict.days_early) == (
        State.SOON,
        dt.date(2026, 11, 26),
        4,
    )
    assert verdict.lasting_nanos == usd(14_000)
    assert verdict.percent == 83
    assert verdict.over_nanos == verdict.projected_nanos - usd(12_000)
