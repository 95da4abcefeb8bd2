"""The proof of the books (E8): every counter against the events and adjustments behind
it, over the whole database.

Set-based and read-only; the same SQL on both databases. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import JobRun
from billing.documents.books import document_differences
from billing.ledger.books import balance_differences
from billing.metering.books import cost_differences, unattributed_differences
from config.kit.books import Difference
from config.kit.measures import Measure, measures, single
from config.kit.sql import is_postgresql, run


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter table: its key columns, and each counted column with the SQL that
    proves it from `entry`.
    """

    table: str
    keys: tuple[str, ...]
    columns: dict[str, str]
    # Which entries it counts.
    where: str = "true"


def _paid_as(funding: str) -> str:
    return f"SUM(CASE WHEN entry.funding = '{funding}' THEN entry.nanos ELSE 0 END)"


SPEND = {
    "included_nanos": _paid_as("included"),
    "extra_nanos": _paid_as("extra_usage"),
    "unbilled_nanos": _paid_as("unbilled"),
}
TOKENS = {
    "input_tokens": "SUM(entry.input_tokens)",
    "output_tokens": "SUM(entry.output_tokens)",
    "cache_write_tokens": "SUM(entry.cache_write_tokens)",
    "cache_read_tokens": "SUM(entry.cache_read_tokens)",
}
EVENTS = {"events": "SUM(entry.events)"}
DAY_KEYS = ("membership_id", "day_on", "surface", "model", "seat_tier")
COUNTERS = (
    Counter("billing_membermonth", ("membership_id", "month_on"), {**SPEND, **EVENTS}),
    Counter(
        "billing_organizationmonth",
        ("organization_id", "month_on"),
        {**SPEND, **EVENTS},
    ),
    Counter(
        "billing_organizationday",
        ("organization_id", "day_on", "surface"),
        {"extra_nanos": SPEND["extra_nanos"]},
    ),
    Counter("billing_usageday", DAY_KEYS, {**SPEND, **EVENTS, **TOKENS}),
    Counter(
        "billing_usagemonth",
        ("membership_id", "month_on", "surface", "model", "prepaid"),
        {"extra_nanos": "SUM(entry.nanos)", **EVENTS},
        where="entry.funding = 'extra_usage' AND entry.is_usage",
    ),
)
# Events, or the parts of those that have some, and their adjustments as one list of
# entries; an adjustment is paid by whoever paid its event. An event counts once, with its
# first part.
ENTRIES = """
 SELECT e.organization_id, e.membership_id, e.month_on, e.day_on, e.surface, e.model,
     e.seat_tier, e.funding, e.prepaid, true AS is_usage,
        e.cost_nanos AS nanos, 1 AS events, e.input_tokens, e.output_tokens,
        e.cache_write_5m_tokens + e.cache_write_1h_tokens AS cache_write_tokens, e.cache_read_tokens
   FROM billing_usageevent e WHERE NOT e.is_split
 UNION ALL
 SELECT e.organization_id, e.membership_id, e.month_on, e.day_on, e.surface, p.model,
     e.seat_tier, e.funding, e.prepaid, true,
        p.cost_nanos, CASE WHEN p.position = 0 THEN 1 ELSE 0 END, p.input_tokens,
        p.output_tokens, p.cache_write_5m_tokens + p.cache_write_1h_tokens,
        p.cache_read_tokens
   FROM billing_usagepart p JOIN billing_usageevent e ON e.id = p.event_id
 UNION ALL
 SELECT a.organization_id, a.membership_id, a.month_on, a.day_on, e.surface,
     COALESCE(p.model, e.model), e.seat_tier, e.funding, a.prepaid, false,
        a.amount_nanos, 0, 0, 0, 0, 0
   FROM billing_usageadjustment a JOIN billing_usageevent e ON e.id = a.event_id
   LEFT JOIN billing_usagepart p ON p.id = a.part_id
"""


def differences() -> Iterator[Difference]:
    """Every counter that is not what the events say, in all tables.

    None means the books are clean.
    """
    for counter in COUNTERS:
        yield from _counter_differences(counter)
    yield from balance_differences()
    yield from document_differences()
    yield from _window_differences()
    yield from cost_differences()
    yield from unattributed_differences()


# Its name in the schedule: the row of its last run keeps how many differences it found.
NIGHTLY = "audit-books"


@measures
def last_audit(now: dt.datetime) -> list[Measure]:
    """When the nightly proof last ran to its end, and what it found."""
    run = JobRun.objects.filter(name=NIGHTLY, succeeded_at__isnull=False).first()
    if run is None or run.succeeded_at is None:
        return []
    return [
        single(
            "audit_timestamp_seconds",
            "When the books were last proven by the nightly job (Unix time).",
            run.succeeded_at.timestamp(),
        ),
        single(
            "audit_differences",
            "Amounts in the books that differed from what is behind them; 0: clean.",
            run.result or 0,
        ),
    ]


def _counter_differences(counter: Counter) -> Iterator[Difference]:
    """Rows kept but not proven so, and rows proven but not kept."""
    for row in [*run(_kept_sql(counter)).rows(), *run(_lost_sql(counter)).rows()]:
        name = ", ".join(
            f"{key}={value}" for key, value in zip(counter.keys, row, strict=False)
        )
        yield from _columns(
            counter.table, name, list(counter.columns), row[len(counter.keys) :]
        )


def _proven_sql(counter: Counter) -> str:
    """The counter's rows as its entries prove them.

    Two left joins read it, which both databases hash or index; a full join would not be.
    """
    keys = ", ".join(counter.keys)
    sums = ", ".join(f"{sql} AS {name}" for name, sql in counter.columns.items())
    return (
        f"WITH proven AS MATERIALIZED (SELECT {keys}, {sums} FROM ({ENTRIES}) entry"
        f" WHERE {counter.where} GROUP BY {keys})"
    )


def _same_row(counter: Counter) -> str:
    return " AND ".join(f"kept.{key} = proven.{key}" for key in counter.keys)


def _kept_sql(counter: Counter) -> str:
    """Rows whose columns are not what is proven; each column with its proof beside."""
    keys = ", ".join(f"kept.{key}" for key in counter.keys)
    pairs = ", ".join(
        f"kept.{name}, COALESCE(proven.{name}, 0)" for name in counter.columns
    )
    differ = " OR ".join(
        f"kept.{name} <> COALESCE(proven.{name}, 0)" for name in counter.columns
    )
    return (
        f"{_proven_sql(counter)} SELECT {keys}, {pairs} FROM {counter.table} kept"
        f" LEFT JOIN proven ON {_same_row(counter)} WHERE {differ} ORDER BY kept.id"
    )


def _lost_sql(counter: Counter) -> str:
    """Rows that should be and are not."""
    keys = ", ".join(f"proven.{key}" for key in counter.keys)
    pairs = ", ".join(f"0, proven.{name}" for name in counter.columns)
    not_zero = " OR ".join(f"proven.{name} <> 0" for name in counter.columns)
    return (
        f"{_proven_sql(counter)} SELECT {keys}, {pairs} FROM proven"
        f" LEFT JOIN {counter.table} kept ON {_same_row(counter)}"
        f" WHERE kept.id IS NULL AND ({not_zero})"
    )


def _columns(
    table: str, row: str, columns: list[str], values: tuple[int, ...]
) -> Iterator[Difference]:
    for index, column in enumerate(columns):
        kept, proven = int(values[2 * index]), int(values[2 * index + 1])
        if kept != proven:
            yield Difference(table, row, column, kept, proven)


def _window_differences() -> Iterator[Difference]:
    """Each included window's use against the included events that name it."""
    names = run("SELECT DISTINCT name FROM billing_includedwindow").rows()
    for (name,) in sorted(names):
        for pk, kept, proven in run(_windows_sql(name), [name]).rows():
            yield Difference(
                "billing_includedwindow",
                f"id={pk}",
                "used_nanos",
                int(kept),
                int(proven),
            )


def _windows_sql(name: str) -> str:
    """What included events come to, with a gateway's count where that holds (X4)."""
    opened = _opened_at(name)
    counted = (
        "SELECT e.id, e.cost_nanos AS nanos FROM billing_usageevent e WHERE e.funding ="
        " 'included' UNION ALL SELECT a.event_id, a.amount_nanos FROM"
        " billing_usageadjustment a WHERE a.source = 'report'"
    )
    return (
        "SELECT w.id, w.used_nanos, COALESCE(proven.nanos, 0) FROM"
        f" billing_includedwindow w LEFT JOIN (SELECT e.membership_id, {opened} AS"
        f" opened_at, SUM(c.nanos) AS nanos FROM ({counted}) c JOIN billing_usageevent e"
        " ON e.id = c.id WHERE e.funding = 'included'"
        f" GROUP BY e.membership_id, {opened}) proven ON"
        " proven.membership_id = w.membership_id AND proven.opened_at = w.opened_at"
        " WHERE w.name = %s AND w.used_nanos <> COALESCE(proven.nanos, 0) ORDER BY w.id"
    )


def _opened_at(name: str) -> str:
    """The opening that an event's row names for one kind of window, in the form the
    window's own column has.
    """
    assert name.isidentifier()
    if is_postgresql():
        return f"(e.windows ->> '{name}')::timestamptz"
    text = f"replace(json_extract(e.windows, '$.{name}'), 'T', ' ')"
    return f"replace({text}, '+00:00', '')"
