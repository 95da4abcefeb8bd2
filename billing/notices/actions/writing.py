"""Notices as rows, in the caller's transaction and under the organization's lock: what
was crossed is written once, what a raise or a purchase has overtaken is marked (N1a).

On PostgreSQL the statements fit the recorder's pipeline: nothing here waits but where
something was crossed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from billing.models import Notice, NoticeKind
from billing.notices.rules.crossings import Reach, is_overtaken
from billing.notices.rules.facts import OF_ORGANIZATION, Fact
from config.kit.sql import db_time, is_postgresql, rows_json, rowset, run

COLUMNS = {
    "organization_id": "bigint",
    "membership_id": "bigint",
    "kind": "text",
    "subject": "text",
    "edge": "bigint",
    "month_on": "date",
    "percent": "smallint",
    "limit_nanos": "bigint",
    "spent_nanos": "bigint",
    "window": "text",
    "resets_at": "timestamptz",
    "facts": "jsonb",
    "created_at": "timestamptz",
}
CAP_KINDS = (
    NoticeKind.ORGANIZATION_CAP,
    NoticeKind.SEAT_TIER_CAP,
    NoticeKind.MEMBER_CAP,
    NoticeKind.GROUP_CAP,
)
WINDOW_KINDS = (NoticeKind.INCLUDED_USAGE, NoticeKind.CHANGEOVER)
BALANCE_KINDS = (
    NoticeKind.BALANCE_LOW,
    NoticeKind.BALANCE_EXHAUSTED,
    NoticeKind.BALANCE_SHORT,
)


def write_notices(
    facts: Sequence[Fact],
    *,
    organization_id: int,
    month_on: dt.date,
    now: dt.datetime,
) -> bool:
    """Keep what was crossed, each once while it lasts, and nothing below what was told
    already; whether there was anything, so that somebody should tell it.
    """
    if not facts:
        return False
    shared = {
        "organization_id": organization_id,
        "month_on": month_on.isoformat(),
        "created_at": db_time(now),
    }
    rows = [_values(fact) | shared for fact in facts]
    run(_insert_notices(is_postgresql()), [rows_json(rows)])
    return True


@lru_cache(maxsize=2)
def _insert_notices(postgresql: bool) -> str:
    """A notice that is as high and still true makes a lower one no news, of a balance,
    which falls, one that is as low a higher one; the unique row stands behind it, whoever
    writes at once without the lock.
    """
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    values = ", ".join(f'r."{name}"' for name in COLUMNS)
    return (
        f"INSERT INTO billing_notice ({names}) SELECT {values} FROM {rowset(COLUMNS)}"
        " WHERE NOT EXISTS (SELECT 1 FROM billing_notice told WHERE"
        " told.organization_id = r.organization_id AND told.kind = r.kind AND"
        " told.subject = r.subject AND told.month_on = r.month_on AND"
        " told.overtaken_at IS NULL AND CASE WHEN r.kind ="
        f" '{NoticeKind.BALANCE_LOW.value}' THEN told.edge <= r.edge"
        " ELSE told.edge >= r.edge END) ON CONFLICT DO NOTHING"
    )


def _values(fact: Fact) -> dict[str, Any]:
    return {
        "membership_id": fact.membership_id,
        "kind": fact.kind,
        "subject": fact.subject,
        "edge": fact.edge,
        "percent": fact.percent,
        "limit_nanos": fact.limit_nanos,
        "spent_nanos": fact.spent_nanos,
        "window": fact.window,
        "resets_at": db_time(fact.resets_at) if fact.resets_at else None,
        "facts": fact.facts,
    }


def overtake_caps(
    held: Mapping[str, Reach],
    *,
    organization_id: int,
    month_on: dt.date,
    now: dt.datetime,
) -> int:
    """Mark the notices of caps above what these subjects hold now; how many. Their
    thresholds are armed again.
    """
    live = Notice.objects.live().filter(
        organization_id=organization_id, month_on=month_on, kind__in=CAP_KINDS
    )
    if len(held) == 1:
        live = live.filter(subject=next(iter(held)))
    return _overtake(live, held, now=now)


def overtake_windows(
    held: Mapping[str, Reach], *, membership_id: int, now: dt.datetime
) -> int:
    """Mark the notices of included usage above what is used of these windows, since the
    member's seat now holds more; how many.
    """
    live = Notice.objects.live().filter(
        membership_id=membership_id, kind__in=WINDOW_KINDS, resets_at__gt=now
    )
    return _overtake(live, held, now=now)


def _overtake(live: Any, held: Mapping[str, Reach], *, now: dt.datetime) -> int:
    found = [
        pk
        for pk, subject, percent in live.values_list("pk", "subject", "percent")
        if subject in held and is_overtaken(percent or 0, held[subject])
    ]
    if not found:
        return 0
    return Notice.objects.filter(pk__in=found).update(overtaken_at=now)


def overtake_balance(
    *, organization_id: int, balance_nanos: int, now: dt.datetime
) -> int:
    """Mark the notices of a balance that was lifted, of whatever month: those whose mark
    it is above, and what it would last was told of less money; how many.
    """
    live = Notice.objects.live().filter(
        organization_id=organization_id,
        kind__in=BALANCE_KINDS,
        subject=OF_ORGANIZATION,
    )
    found = [pk for pk, edge in live.values_list("pk", "edge") if balance_nanos > edge]
    if not found:
        return 0
    return Notice.objects.filter(pk__in=found).update(overtaken_at=now)
