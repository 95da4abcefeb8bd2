"""Which days a report is about, and which it is compared with."""

from __future__ import annotations

import datetime as dt

import pytest

from billing.reports.rules.ranges import (
    BadRange,
    DayRange,
    range_before,
    range_of,
    step_starts,
    steps_of,
)

TODAY = dt.date(2026, 11, 23)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "start", "last"),
    [
        ("", "2026-11-01", "2026-11-23"),
        ("this-month", "2026-11-01", "2026-11-23"),
        ("last-month", "2026-10-01", "2026-10-31"),
        ("90-days", "2026-08-26", "2026-11-23"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026-11", "2026-11-01", "2026-11-23"),
        ("2026-10-12..2026-11-08", "2026-10-12", "2026-11-08"),
        ("2026-10-12..2026-10-12", "2026-10-12", "2026-10-12"),
    ],
)
def test_a_range_is_read_from_the_address(text, start, last):
    span = range_of(text, today=TODAY)
    assert (span.start, span.last) == (day(start), day(last))


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13",
        "2026-10-12..2026-10-11",
        "2026-02-30..2026-03-01",
        "1900-01-01..2026-01-01",
        "2000-01-01..2026-01-01",
        "２０２６-10-12..2026-11-08",
        "..",
    ],
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(BadRange):
        range_of(text, today=TODAY)


@pytest.mark.parametrize(
    ("text", "start", "last"),
    [
        # the same days of the month before
        ("this-month", "2026-10-01", "2026-10-23"),
        ("last-month", "2026-09-01", "2026-09-30"),
        ("2026-03", "2026-02-01", "2026-02-28"),
        # as many days before
        ("2026-10-12..2026-11-08", "2026-09-14", "2026-10-11"),
        ("90-days", "2026-05-28", "2026-08-25"),
    ],
)
def test_it_is_compared_with_what_came_before(text, start, last):
    before = range_before(range_of(text, today=TODAY))
    assert (before.start, before.last) == (day(start), day(last))


def test_the_first_30_days_of_march_are_compared_with_all_of_february():
    span = DayRange("", day("2026-03-01"), day("2026-03-31"))
    before = range_before(span)
    assert (before.start, before.last) == (day("2026-02-01"), day("2026-02-28"))


@pytest.mark.parametrize(
    ("days", "step"),
    [(1, "day"), (62, "day"), (63, "week"), (182, "week"), (183, "month")],
)
def test_bars_grow_with_the_range(days, step):
    start = day("2026-01-01")
    assert steps_of(DayRange("", start, start + dt.timedelta(days=days))) == step


def test_weeks_start_on_monday_and_never_before_the_range():
    span = DayRange("", day("2026-10-14"), day("2026-10-28"))
    assert step_starts(span, "week") == [
        day("2026-10-14"),
        day("2026-10-19"),
        day("2026-10-26"),
    ]


def test_a_month_that_has_not_begun_is_whole_and_empty():
    span = range_of("2027-02", today=TODAY)
    assert (span.start, span.last) == (day("2027-02-01"), day("2027-02-28"))
    assert range_before(span).days > 0
