"""Months that should have closed, as the operators' start page tells them."""

from __future__ import annotations

import datetime as dt

from billing.documents.queries.months import grace
from billing.documents.queries.overdue import overdue_months
from tests.factories.documents import CLOSES, close_november, use_november

LATE = dt.timedelta(hours=6)


def test_a_month_that_did_not_close_is_told_with_the_time_it_was_due(acme, now):
    use_november(acme, at=now)
    (month,) = overdue_months(now=CLOSES + dt.timedelta(days=1), late=LATE)
    assert month.organization == acme
    assert month.month_on == dt.date(2026, 11, 1)
    assert month.due_at == acme.calendar.month(month.month_on).end + grace()


def test_no_month_is_told_before_it_is_late_or_once_it_closed(acme, now):
    use_november(acme, at=now)
    assert overdue_months(now=CLOSES, late=LATE) == []
    close_november(acme)
    assert overdue_months(now=CLOSES + dt.timedelta(days=1), late=LATE) == []
