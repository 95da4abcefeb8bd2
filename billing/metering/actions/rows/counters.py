"""A tally as additions to the counters: one upsert a table, whatever the batch."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from billing.metering.rules.tally import DayKey, MonthKey, SpendCount, Tally
from config.kit.sql import is_postgresql, rows_json, rowset

KEY_TYPES = {
    "day_on": "date",
    "month_on": "date",
    "prepaid": "boolean",
} | dict.fromkeys(("surface", "model", "seat_tier", "kind"), "text")


class CounterTable(NamedTuple):
    """A counter: the columns that find its row, those that are added to it, and those
    that a new row needs besides.
    """

    name: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    others: tuple[str, ...] = ()


SPEND = ("included_nanos", "extra_nanos", "unbilled_nanos")
TOKENS = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens")
MEMBER_MONTH = CounterTable(
    "billing_membermonth", ("membership_id", "month_on"), (*SPEND, "events")
)
ORGANIZATION_MONTH = CounterTable(
    "billing_organizationmonth", ("organization_id", "month_on"), (*SPEND, "events")
)
ORGANIZATION_DAY = CounterTable(
    "billing_organizationday",
    ("organization_id", "day_on", "surface"),
    ("extra_nanos",),
)
USAGE_DAY = CounterTable(
    "billing_usageday", DayKey._fields, ("events", *TOKENS, *SPEND)
)
USAGE_MONTH = CounterTable(
    "billing_usagemonth", MonthKey._fields, ("events", "extra_nanos")
)
PENDING_CHARGE = CounterTable(
    "billing_pendingcharge",
    ("membership_id", "day_on", "kind"),
    ("amount_nanos",),
    ("organization_id",),
)
ACCOUNT = CounterTable(
    "billing_billingaccount", ("organization_id",), ("pending_nanos",)
)


def counter_statements(
    tally: Tally, *, organization_id: int
) -> list[tuple[str, list[str]]]:
    """The statements that add a tally to the counters, each with its parameter; none
    for a table without rows.
    """
    organization_months = _organization_months(tally, organization_id=organization_id)
    additions = [
        (MEMBER_MONTH, _member_months(tally)),
        (ORGANIZATION_MONTH, organization_months),
        (USAGE_DAY, _usage_days(tally)),
        (ORGANIZATION_DAY, _organization_days(tally, organization_id=organization_id)),
        (USAGE_MONTH, _usage_months(tally)),
        # Extra usage lowers a prepaid balance at once; the ledger gets it rolled up (T2).
        (PENDING_CHARGE, _pending_charges(tally, organization_id=organization_id)),
        (ACCOUNT, _pending_total(tally, organization_id=organization_id)),
    ]
    postgresql = is_postgresql()
    return [
        (_add_to(postgresql, table), [rows_json(rows)])
        for table, rows in additions
        if rows
    ]


@lru_cache(maxsize=16)
def _add_to(postgresql: bool, table: CounterTable) -> str:
    """An upsert that adds the sums to the row with the same keys."""
    columns = {
        name: KEY_TYPES.get(name, "bigint")
        for name in (*table.others, *table.keys, *table.sums)
    }
    adding = ", ".join(
        f"{name} = {table.name}.{name} + excluded.{name}" for name in table.sums
    )
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT"
        f" {', '.join('r.' + name for name in columns)} FROM {rowset(columns)} WHERE"
        f" true ON CONFLICT ({', '.join(table.keys)}) DO UPDATE SET {adding}"
    )


def _member_months(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            "membership_id": membership_id,
            "month_on": month_on.isoformat(),
            **_spend_columns(count),
        }
        for (membership_id, month_on), count in tally.member_months.items()
    ]


def _organization_months(tally: Tally, *, organization_id: int) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": organization_id,
            "month_on": month_on.isoformat(),
            **_spend_columns(count),
        }
        for month_on, count in tally.organization_months.items()
    ]


def _organization_days(tally: Tally, *, organization_id: int) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": organization_id,
            "day_on": day_on.isoformat(),
            "surface": surface,
            "extra_nanos": extra_nanos,
        }
        for (day_on, surface), extra_nanos in tally.organization_days.items()
    ]


def _usage_days(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            "membership_id": key.membership_id,
            "day_on": key.day_on.isoformat(),
            "surface": key.surface,
            "model": key.model,
            "seat_tier": key.seat_tier,
            "input_tokens": count.input_tokens,
            "output_tokens": count.output_tokens,
            "cache_write_tokens": count.cache_write_tokens,
            "cache_read_tokens": count.cache_read_tokens,
            **_spend_columns(count),
        }
        for key, count in tally.usage_days.items()
    ]


def _usage_months(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            **key._asdict(),
            "month_on": key.month_on.isoformat(),
            "events": events,
            "extra_nanos": extra_nanos,
        }
        for key, (events, extra_nanos) in tally.usage_months.items()
    ]


def _pending_charges(tally: Tally, *, organization_id: int) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": organization_id,
            "membership_id": membership_id,
            "day_on": day_on.isoformat(),
            "kind": "charge",
            "amount_nanos": amount_nanos,
        }
        for (membership_id, day_on), amount_nanos in tally.pending.items()
    ]


def _pending_total(tally: Tally, *, organization_id: int) -> list[dict[str, Any]]:
    if not tally.pending:
        return []
    pending_nanos = sum(tally.pending.values())
    return [{"organization_id": organization_id, "pending_nanos": pending_nanos}]


def _spend_columns(count: SpendCount) -> dict[str, int]:
    return {
        "events": count.events,
        "included_nanos": count.included,
        "extra_nanos": count.extra,
        "unbilled_nanos": count.unbilled,
    }
