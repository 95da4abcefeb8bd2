"""What API keys reported: how much today, and one event of theirs. Never writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from billing.models import UsageEvent
from billing.reports.queries.own import organization_receipts
from config.kit.months import local_day, local_midnight
from config.kit.sql import as_time, db_time, is_postgresql, run

A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyDay:
    """What one key reported of a day: how many events, what they cost whoever pays
    (nano-USD), and when the last ran.
    """

    events: int
    cost_nanos: int
    last_at: dt.datetime


def keys_today(
    organization_id: int, *, zone: str, now: dt.datetime
) -> dict[int | None, KeyDay]:
    """What each key reported of what ran today, by its id; by None, what no key did."""
    today_on = local_day(now, zone)
    since = db_time(local_midnight(today_on, zone))
    until = db_time(local_midnight(today_on + A_DAY, zone))
    rows = run(
        _of_members(is_postgresql()),
        [since, until, organization_id],
        prepared=False,
    ).rows()
    return {
        key_id: KeyDay(events, int(cost_nanos), _utc(last_at))
        for key_id, events, cost_nanos, last_at in rows
    }


@lru_cache(maxsize=2)
def _of_members(postgresql: bool) -> str:
    """The sums by key over one organization's events between two moments: a look into
    the index for each member, so that it costs what their day holds, however many events
    there are. PostgreSQL would rather read the whole table.
    """
    columns = "api_key_id, cost_nanos, occurred_at"
    theirs = "membership_id = m.id AND occurred_at >= %s AND occurred_at < %s"
    events = f"SELECT {columns} FROM billing_usageevent WHERE {theirs}"
    joined = (
        f"CROSS JOIN LATERAL ({events} OFFSET 0) e"
        if postgresql
        else f"CROSS JOIN billing_usageevent e ON {theirs}"
    )
    return (
        "SELECT e.api_key_id, COUNT(*), SUM(e.cost_nanos), MAX(e.occurred_at)"
        f" FROM accounts_membership m {joined} WHERE m.organization_id = %s"
        " GROUP BY e.api_key_id"
    )


def _utc(moment: Any) -> dt.datetime:
    found = as_time(moment)
    assert found is not None
    return found


def event_called(organization_id: int, event_id: str) -> UsageEvent | None:
    """The event with this id, with what its receipt needs."""
    return organization_receipts(organization_id).filter(event_id=event_id).first()
