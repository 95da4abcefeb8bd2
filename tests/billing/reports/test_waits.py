"""The owner's own figures before extra usage is on: who ran out, how long they waited,
on which day most did.
"""

from __future__ import annotations

import datetime as dt

import pytest

from billing.models import IncludedWindow
from billing.reports.queries.waits import waits_in

HOUR = dt.timedelta(hours=1)


def run_out(member, *, at, hours, name="session", opened=None):
    IncludedWindow.objects.create(
        membership=member,
        name=name,
        opened_at=opened or at - HOUR,
        exhausted_at=at,
        resets_at=at + hours * HOUR,
        is_latest=False,
    )


@pytest.fixture
def waits(acme, now):
    return lambda: waits_in(acme.pk, month=acme.calendar.month_at(now), now=now)


def test_nobody_ran_out(waits, ada, now):
    IncludedWindow.objects.create(
        membership=ada, name="session", opened_at=now, resets_at=now + HOUR
    )
    assert (waits().people, waits().waits, waits().worst_day) == (0, 0, None)


def test_people_waits_and_the_worst_day(waits, ada, bob, alice, charlie, now):
    run_out(ada, at=now - 50 * HOUR, hours=2)
    run_out(bob, at=now - 50 * HOUR, hours=4)
    run_out(alice, at=now - 26 * HOUR, hours=3)
    run_out(charlie, at=now - 26 * HOUR, hours=3)
    month = waits()
    assert (month.people, month.waits, month.hours, month.average) == (
        3,
        3,
        9,
        3 * HOUR,
    )
    assert month.people_by_seat == {"standard": 2, "premium": 1}
    assert month.worst_day == (dt.date(2026, 11, 21), 2)


def test_a_session_inside_an_exhausted_week_is_one_wait_and_a_running_one_counts_to_now(
    waits, bob, now
):
    run_out(bob, at=now - 5 * HOUR, hours=50, name="week")
    run_out(bob, at=now - 3 * HOUR, hours=2)
    assert (waits().waits, waits().waited) == (1, 5 * HOUR)


def test_last_months_waits_are_not_this_months(waits, bob, now):
    run_out(bob, at=now - dt.timedelta(days=30), hours=2)
    assert waits().people == 0


def test_waits_that_overlap_are_one_and_others_are_added(waits, bob, now):
    run_out(bob, at=now - 30 * HOUR, hours=4)
    run_out(bob, at=now - 28 * HOUR, hours=4, name="week")
    run_out(bob, at=now - 20 * HOUR, hours=1)
    month = waits()
    assert (month.waits, month.waited, month.people) == (2, 7 * HOUR, 1)


def test_days_are_those_of_the_organizations_zone(waits, bob):
    # 22:00 the day before in New York
    run_out(bob, at=dt.datetime(2026, 11, 10, 3, 0, tzinfo=dt.UTC), hours=1)
    assert waits().worst_day == (dt.date(2026, 11, 9), 1)
