"""Writing a recorded batch: one statement a table, each with all its rows in one JSON
parameter.

Only `actions.usage` calls this, inside its transaction and lock. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any, NamedTuple

from billing.metering.rules.recording import (
    DayKey,
    ReportedEvent,
    Spend,
    Tally,
    Windows,
    WindowUse,
)
from config.kit.sql import db_time, is_postgresql, rows_json, rowset, run, run_together

SPEND = {
    "included_nanos": "bigint",
    "extra_nanos": "bigint",
    "unbilled_nanos": "bigint",
}
EVENT_COLUMNS = {
    "organization_id": "bigint",
    "membership_id": "bigint",
    "event_id": "text",
    "content_digest": "text",
    "surface": "text",
    "model": "text",
    "seat_tier": "text",
    "occurred_at": "timestamptz",
    "recorded_at": "timestamptz",
    "month_on": "date",
    "day_on": "date",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cache_write_5m_tokens": "bigint",
    "cache_write_1h_tokens": "bigint",
    "cache_read_tokens": "bigint",
    "web_searches": "bigint",
    "cost_nanos": "bigint",
    "price_id": "bigint",
    "estimated": "boolean",
    "funding": "text",
    "prepaid": "boolean",
    "funding_why": "text",
    "refusal_reason": "text",
    "windows": "jsonb",
    "labels": "jsonb",
}
MEMBER_MONTH = {"membership_id": "bigint", "month_on": "date"}
ORGANIZATION_MONTH = {"organization_id": "bigint", "month_on": "date"}
ORGANIZATION_DAY = {"organization_id": "bigint", "day_on": "date", "surface": "text"}
PENDING = {
    "organization_id": "bigint",
    "membership_id": "bigint",
    "day_on": "date",
    "kind": "text",
}
USAGE_MONTH = {
    "membership_id": "bigint",
    "month_on": "date",
    "surface": "text",
    "model": "text",
    "prepaid": "boolean",
}
USAGE_DAY = {
    "membership_id": "bigint",
    "day_on": "date",
    "surface": "text",
    "model": "text",
    "seat_tier": "text",
}
TOKENS = {
    "events": "bigint",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cache_write_tokens": "bigint",
    "cache_read_tokens": "bigint",
}
WINDOW = {
    "membership_id": "bigint",
    "name": "text",
    "opened_at": "timestamptz",
    "resets_at": "timestamptz",
    "used_nanos": "bigint",
    "exhausted_at": "timestamptz",
    "is_latest": "boolean",
}


class EventRow(NamedTuple):
    """One event ready to be written; `funded` is funding, why, and the reason a check
    would have refused.
    """

    event: ReportedEvent
    digest: str
    key: DayKey
    month_on: dt.date
    recorded_at: dt.datetime
    cost_nanos: int
    price_id: int
    estimated: bool
    funded: tuple[str, str, str]
    windows: dict[str, str]
    prepaid: bool


def write(
    rows: list[EventRow], *, tally: Tally, windows: Windows, organization_id: int
) -> None:
    """Insert the events and add to every counter and window they touch."""
    if not rows:
        return
    events = (
        _insert_events(is_postgresql()),
        [rows_json([_event(row, organization_id) for row in rows])],
    )
    run_together([events, *_counts(tally, organization_id=organization_id)])
    _write_windows(windows)


def add_counts(tally: Tally, *, organization_id: int) -> None:
    """Add a tally to the four counters."""
    run_together(_counts(tally, organization_id=organization_id))


def _counts(tally: Tally, *, organization_id: int) -> list[tuple[str, list[str]]]:
    """The statements that add a tally to the four counters, each with its parameter."""
    member_months = [
        {
            "membership_id": member,
            "month_on": month_on.isoformat(),
            **_spend(spend),
            "events": events,
        }
        for (member, month_on), (spend, events) in tally.member_months.items()
    ]
    months = [
        {
            "organization_id": organization_id,
            "month_on": month_on.isoformat(),
            **_spend(spend),
            "events": events,
        }
        for month_on, (spend, events) in tally.organization_months.items()
    ]
    days = [
        {
            "organization_id": organization_id,
            "day_on": day_on.isoformat(),
            "surface": surface,
            "extra_nanos": extra,
        }
        for (day_on, surface), extra in tally.organization_days.items()
    ]
    sums, postgresql = (
        "included_nanos extra_nanos unbilled_nanos events",
        is_postgresql(),
    )
    found = [
        (
            _add(postgresql, "billing_membermonth", "membership_id month_on", sums),
            [rows_json(member_months)],
        ),
        (
            _add(
                postgresql,
                "billing_organizationmonth",
                "organization_id month_on",
                sums,
            ),
            [rows_json(months)],
        ),
        (
            _add(postgresql, "billing_usageday", USAGE_DAY_KEYS, USAGE_DAY_SUMS),
            [rows_json(_usage_days(tally))],
        ),
    ]
    if days:
        found.append(
            (
                _add(
                    postgresql,
                    "billing_organizationday",
                    ORGANIZATION_DAY_KEYS,
                    "extra_nanos",
                ),
                [rows_json(days)],
            )
        )
    if tally.usage_months:
        found.append(
            (
                _add(
                    postgresql,
                    "billing_usagemonth",
                    USAGE_MONTH_KEYS,
                    "events extra_nanos",
                ),
                [rows_json(_months(tally))],
            )
        )
    return (
        found + _pending(tally, organization_id=organization_id)
        if tally.pending
        else found
    )


def _months(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            **key._asdict(),
            "month_on": key.month_on.isoformat(),
            "events": events,
            "extra_nanos": nanos,
        }
        for key, (events, nanos) in tally.usage_months.items()
    ]


def _pending(tally: Tally, *, organization_id: int) -> list[tuple[str, list[str]]]:
    """The statements that let extra usage lower a prepaid balance at once; the ledger
    gets it rolled up (T2).
    """
    rows = [
        {
            "organization_id": organization_id,
            "membership_id": member,
            "day_on": day_on.isoformat(),
            "kind": "charge",
            "amount_nanos": amount,
        }
        for (member, day_on), amount in tally.pending.items()
    ]
    total = [
        {
            "organization_id": organization_id,
            "pending_nanos": sum(tally.pending.values()),
        }
    ]
    postgresql = is_postgresql()
    return [
        (
            _add(
                postgresql,
                "billing_pendingcharge",
                "membership_id day_on kind",
                "amount_nanos",
                "organization_id",
            ),
            [rows_json(rows)],
        ),
        (
            _add(
                postgresql, "billing_billingaccount", "organization_id", "pending_nanos"
            ),
            [rows_json(total)],
        ),
    ]


USAGE_DAY_KEYS, USAGE_DAY_SUMS = " ".join(USAGE_DAY), " ".join([*TOKENS, *SPEND])
ORGANIZATION_DAY_KEYS, USAGE_MONTH_KEYS = (
    " ".join(ORGANIZATION_DAY),
    " ".join(USAGE_MONTH),
)
TYPES = {
    **MEMBER_MONTH,
    **ORGANIZATION_DAY,
    **USAGE_MONTH,
    **USAGE_DAY,
    **TOKENS,
    **SPEND,
    **PENDING,
    "amount_nanos": "bigint",
    "pending_nanos": "bigint",
}


@lru_cache(maxsize=16)
def _add(postgresql: bool, table: str, keys: str, sums: str, others: str = "") -> str:
    """An upsert that adds `sums` to the row with the same `keys`, which `others`
    describe (all space-separated).
    """
    columns = {
        name: TYPES[name] for name in [*others.split(), *keys.split(), *sums.split()]
    }
    adding = ", ".join(
        f"{name} = {table}.{name} + excluded.{name}" for name in sums.split()
    )
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT"
        f" {', '.join('r.' + name for name in columns)} FROM {rowset(columns)} WHERE"
        f" true ON CONFLICT ({', '.join(keys.split())}) DO UPDATE SET {adding}"
    )


@lru_cache(maxsize=2)
def _insert_events(postgresql: bool) -> str:
    names = ", ".join(EVENT_COLUMNS)
    return (
        f"INSERT INTO billing_usageevent ({names}) SELECT {names} FROM"
        f" {rowset(EVENT_COLUMNS)}"
    )


@lru_cache(maxsize=2)
def _upsert_windows(postgresql: bool) -> str:
    names = ", ".join(WINDOW)
    return (
        f"INSERT INTO billing_includedwindow ({names}) SELECT"
        f" {', '.join('r.' + name for name in WINDOW)} FROM {rowset(WINDOW)} WHERE true"
        " ON CONFLICT (membership_id, name, opened_at) DO UPDATE SET used_nanos ="
        " billing_includedwindow.used_nanos + excluded.used_nanos, exhausted_at ="
        " COALESCE(billing_includedwindow.exhausted_at, excluded.exhausted_at)"
    )


@lru_cache(maxsize=2)
def _replace_windows(postgresql: bool) -> str:
    columns = rowset({"membership_id": "bigint", "name": "text"})
    flag = "false" if postgresql else "0"
    return (
        f"UPDATE billing_includedwindow SET is_latest = {flag} WHERE is_latest AND"
        f" (membership_id, name) IN (SELECT r.membership_id, r.name FROM {columns})"
    )


def _write_windows(windows: Windows) -> None:
    if windows.replaced:
        replaced = [
            {"membership_id": member, "name": name} for member, name in windows.replaced
        ]
        run(_replace_windows(is_postgresql()), [rows_json(replaced)])
    if windows.uses:
        run(
            _upsert_windows(is_postgresql()),
            [rows_json([_window(use) for use in windows.uses.values()])],
        )


def _window(use: WindowUse) -> dict[str, Any]:
    assert use.window.opened_at is not None and use.window.resets_at is not None
    return {
        "membership_id": use.membership_id,
        "name": use.window.name,
        "opened_at": db_time(use.window.opened_at),
        "resets_at": db_time(use.window.resets_at),
        "used_nanos": use.added_nanos,
        "exhausted_at": db_time(use.exhausted_at) if use.exhausted_at else None,
        "is_latest": use.is_new,  # an existing row keeps its own flag
    }


def _spend(spend: Spend) -> dict[str, int]:
    return {
        "included_nanos": spend.included,
        "extra_nanos": spend.extra,
        "unbilled_nanos": spend.unbilled,
    }


def _usage_days(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            "membership_id": key.membership_id,
            "day_on": key.day_on.isoformat(),
            "surface": key.surface,
            "model": key.model,
            "seat_tier": key.seat_tier,
            "events": count.events,
            "input_tokens": count.input_tokens,
            "output_tokens": count.output_tokens,
            "cache_write_tokens": count.cache_write_tokens,
            "cache_read_tokens": count.cache_read_tokens,
            **_spend(count.spend),
        }
        for key, count in tally.usage_days.items()
    ]


def _event(row: EventRow, organization_id: int) -> dict[str, Any]:
    event, usage = row.event, row.event.usage
    funding, why, refusal = row.funded
    return {
        "organization_id": organization_id,
        "membership_id": row.key.membership_id,
        "event_id": event.id,
        "content_digest": row.digest,
        "surface": event.surface,
        "model": event.model,
        "seat_tier": row.key.seat_tier,
        "occurred_at": db_time(event.occurred_at),
        "recorded_at": db_time(row.recorded_at),
        "month_on": row.month_on.isoformat(),
        "day_on": row.key.day_on.isoformat(),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_write_5m_tokens": usage.cache_write_5m_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "web_searches": usage.web_searches,
        "cost_nanos": row.cost_nanos,
        "price_id": row.price_id,
        "estimated": row.estimated,
        "funding": funding,
        "prepaid": row.prepaid,
        "funding_why": why,
        "refusal_reason": refusal,
        "windows": row.windows,
        "labels": event.labels,
    }
