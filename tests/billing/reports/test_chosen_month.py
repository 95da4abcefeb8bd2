"""Which month a page shows, and the switch that leads to the others."""

from __future__ import annotations

import datetime as dt

import pytest
from django.http import QueryDict

from billing.reports.rules.chosen_month import NotShown, chosen_month
from billing.reports.words.months import month_switch

NOVEMBER = dt.date(2026, 11, 1)
OCTOBER = dt.date(2026, 10, 1)
BEGAN = dt.date(2024, 2, 1)


def chosen(text: str, began_on: dt.date = BEGAN):
    return chosen_month(text, current_on=NOVEMBER, began_on=began_on)


@pytest.mark.parametrize(
    ("text", "shown", "reason"),
    [
        ("", NOVEMBER, None),
        ("2026-11", NOVEMBER, None),
        ("2026-10", OCTOBER, None),
        ("2024-02", BEGAN, None),
        ("2024-01", NOVEMBER, NotShown.BEFORE),
        ("2026-12", NOVEMBER, NotShown.FUTURE),
        ("8999-12", NOVEMBER, NotShown.FUTURE),
        ("2026-13", NOVEMBER, NotShown.UNREADABLE),
        ("0000-01", NOVEMBER, NotShown.UNREADABLE),
        ("２０２６-10", NOVEMBER, NotShown.UNREADABLE),
        ("2026-10-01", NOVEMBER, NotShown.UNREADABLE),
        ("'; DROP", NOVEMBER, NotShown.UNREADABLE),
    ],
)
def test_a_month_that_can_not_be_shown_is_the_running_one_and_says_why(
    text: str, shown: dt.date, reason: NotShown | None
) -> None:
    month = chosen(text)
    assert month.first_on == shown
    assert month.not_shown is reason


def test_the_list_is_thirteen_months_and_always_has_the_chosen_one() -> None:
    months = chosen("").listed
    assert (months[0], months[-1], len(months)) == (NOVEMBER, dt.date(2025, 11, 1), 13)
    old = chosen("2024-05").listed
    assert dt.date(2024, 5, 1) in old
    assert len(old) == 13
    assert chosen("", began_on=OCTOBER).listed == [NOVEMBER, OCTOBER]


def test_the_first_month_has_none_before_and_the_running_one_none_after() -> None:
    assert chosen("").next_on is None
    assert chosen("").previous_on == OCTOBER
    assert chosen("2024-02").previous_on is None
    assert chosen("2024-02").next_on == dt.date(2024, 3, 1)


def test_the_links_keep_the_filter_but_not_the_page_and_the_day() -> None:
    query = QueryDict("q=bob&page=3&day=14&month=2026-10")
    switch = month_switch(
        chosen("2026-10"), {OCTOBER: 5_000_000_000}, path="/u/", query=query
    )
    assert switch.previous.address == "/u/?q=bob&month=2026-09"
    assert switch.next.address == "/u/?q=bob"
    assert switch.back == "/u/?q=bob"
    [row] = [month for month in switch.months if month.is_chosen]
    assert (row.name, row.amount) == ("October 2026", "$5.00")


def test_what_is_still_to_come_says_so_and_leads_nowhere() -> None:
    switch = month_switch(chosen("2026-12"), {}, path="/u/", query=QueryDict(""))
    assert switch.next.address == ""
    assert switch.next.name == "Next month: December 2026 has not begun"
    assert switch.said == "December 2026 has not begun. This is November 2026."
    assert switch.back == ""
