"""The proof of what events cost (E8, M3): each against its tokens, rates and factors, and
those in parts against their parts. Amounts are nano-USD.
"""

from __future__ import annotations

from collections.abc import Iterator

from billing.metering.rules.pricing import factors_kept
from billing.models import UsageEvent, UsagePart
from billing.prices.rules import TOKEN_CLASSES, Rates, Usage, cost_nanos
from config.kit.books import Difference
from config.kit.sql import run

MILLION = 1_000_000
EVENT, PART = "billing_usageevent", "billing_usagepart"
SUMMED = ("cost_nanos", *(token_class.field for token_class in TOKEN_CLASSES))


def cost_differences() -> Iterator[Difference]:
    """Every event or part whose cost is not what its counts, rates and factors come to,
    and every event that is not the sum of its parts.
    """
    yield from _by_rates(EVENT, "NOT u.is_split AND u.factors IS NULL")
    yield from _by_rates(PART, "u.factors IS NULL")
    yield from _by_factors(EVENT)
    yield from _by_factors(PART)
    yield from _by_parts()


# What is open under a name: its events that were not assigned, and all that its events
# and their adjustments come to on the unattributed line.
OPEN_NAMES = """
 SELECT n.id, n.events, n.extra_nanos, n.unbilled_nanos,
        COALESCE(SUM(entry.events), 0),
        COALESCE(SUM(CASE WHEN entry.funding = 'extra_usage' THEN entry.nanos END), 0),
        COALESCE(SUM(CASE WHEN entry.funding = 'unbilled' THEN entry.nanos END), 0)
   FROM billing_unattributedname n
   LEFT JOIN (
        SELECT e.unattributed_id AS name_id, e.funding, e.cost_nanos AS nanos,
               CASE WHEN EXISTS (
                   SELECT 1 FROM billing_usageadjustment t
                    WHERE t.event_id = e.id AND t.source = 'assigned'
               ) THEN 0 ELSE 1 END AS events
          FROM billing_usageevent e WHERE e.unattributed_id IS NOT NULL
        UNION ALL
        SELECT e.unattributed_id, e.funding, a.amount_nanos, 0
          FROM billing_usageadjustment a JOIN billing_usageevent e ON e.id = a.event_id
         WHERE e.unattributed_id IS NOT NULL AND a.membership_id = e.membership_id
        ) entry ON entry.name_id = n.id
  GROUP BY n.id, n.events, n.extra_nanos, n.unbilled_nanos
"""
# Events that moved to a member, but not whole, not once, or not all to the same.
BAD_MOVES = """
 SELECT e.id, SUM(a.amount_nanos),
        COUNT(DISTINCT CASE WHEN a.membership_id <> e.membership_id
                            THEN a.membership_id END)
   FROM billing_usageadjustment a JOIN billing_usageevent e ON e.id = a.event_id
  WHERE a.source = 'assigned'
  GROUP BY e.id
 HAVING SUM(a.amount_nanos) <> 0
     OR COUNT(DISTINCT CASE WHEN a.membership_id <> e.membership_id
                            THEN a.membership_id END) <> 1
"""


def unattributed_differences() -> Iterator[Difference]:
    """Every name whose open events or sums are not what its events say, and every event
    that was assigned otherwise than once and whole (X2).
    """
    columns = ("events", "extra_nanos", "unbilled_nanos")
    for pk, *values in run(f"{OPEN_NAMES} ORDER BY n.id").rows():
        for name, kept, proven in zip(columns, values[:3], values[3:], strict=True):
            if int(kept) != int(proven):
                table = "billing_unattributedname"
                yield Difference(table, f"id={pk}", name, int(kept), int(proven))
    for pk, nanos, members in run(f"{BAD_MOVES} ORDER BY e.id").rows():
        row = f"assigned event id={pk}, members={members}"
        yield Difference("billing_usageadjustment", row, "amount_nanos", int(nanos), 0)


def _by_rates(table: str, where: str) -> Iterator[Difference]:
    """By one statement over all rows without factors."""
    cost = _cost_sql()
    rows = run(
        f"SELECT u.id, u.event_id, u.cost_nanos, {cost} FROM {table} AS u JOIN"
        f" billing_modelprice price ON price.id = u.price_id WHERE {where} AND"
        f" u.cost_nanos <> {cost} ORDER BY u.id"
    ).rows()
    for pk, event_id, kept, proven in rows:
        name = f"id={pk}, event_id={event_id}"
        yield _difference(table, name, kept=kept, proven=proven)


def _by_factors(table: str) -> Iterator[Difference]:
    """One by one: few rows have factors."""
    rows: Iterator[UsageEvent | UsagePart] = (
        UsagePart.objects.filter(factors__isnull=False)
        .select_related("price")
        .iterator(chunk_size=1_000)
        if table == PART
        else UsageEvent.objects.filter(factors__isnull=False, is_split=False)
        .select_related("price")
        .iterator(chunk_size=1_000)
    )
    for row in rows:
        price = row.price
        nanos = (getattr(price, token_class.rate) for token_class in TOKEN_CLASSES)
        rates = Rates(price.pk, price.starts_on, price.context_above, *nanos)
        proven = cost_nanos(Usage.of(row), rates, factors_kept(row.factors))
        if proven != row.cost_nanos:
            name = f"id={row.pk}, event_id={row.event_id}"
            yield _difference(table, name, kept=row.cost_nanos, proven=proven)


def _by_parts() -> Iterator[Difference]:
    """Events in parts against the sums of those."""
    sums = ", ".join(f"SUM({name}) AS {name}" for name in SUMMED)
    pairs = ", ".join(f"e.{name}, COALESCE(p.{name}, 0)" for name in SUMMED)
    differ = " OR ".join(f"e.{name} <> COALESCE(p.{name}, 0)" for name in SUMMED)
    rows = run(
        f"SELECT e.id, {pairs} FROM {EVENT} e LEFT JOIN (SELECT event_id, {sums} FROM"
        f" {PART} GROUP BY event_id) p ON p.event_id = e.id WHERE e.is_split AND"
        f" ({differ}) ORDER BY e.id"
    ).rows()
    for pk, *values in rows:
        for index, name in enumerate(SUMMED):
            kept, proven = int(values[2 * index]), int(values[2 * index + 1])
            if kept != proven:
                yield Difference(EVENT, f"id={pk}", name, kept, proven)


def _difference(table: str, row: str, *, kept: int, proven: int) -> Difference:
    return Difference(table, row, "cost_nanos", int(kept), int(proven))


def _cost_sql() -> str:
    """What a row costs by its counts and its price; for the million that most rates are
    for, rounded half-even.

    A count times its rate may pass 64 bits. So the millions in a rate are multiplied
    apart from the rest of it: the one sum is what the row costs, the other at most a
    million for each token.
    """
    whole, rest = (
        " + ".join(
            f"u.{one.field} * (price.{one.rate} * {MILLION // one.per} {part} {MILLION})"
            for one in TOKEN_CLASSES
        )
        for part in ("/", "%%")
    )
    quotient, rest = f"({whole} + ({rest}) / {MILLION})", f"(({rest}) %% {MILLION})"
    half = MILLION // 2
    return (
        f"{quotient} + CASE WHEN {rest} > {half}"
        f" OR ({rest} = {half} AND {quotient} %% 2 = 1) THEN 1 ELSE 0 END"
    )
