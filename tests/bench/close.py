"""The close of a large month, measured beside the bare query that adds up its events.

One organization of 10,000 members with a million events of extra usage in one month
that is over, on PostgreSQL. The rounds alternate. Every close is a real one, with its
commits, of the same month: in between what it wrote is removed and the month opened
again, which only the owner of the database can do. The table holds nothing but this
month's events, which is as good as it gets for the query, and the query is measured
twice, as the server is set up and with enough memory to group in; a close looks at no
event at all.

Prints JSON. Run as `python -m tests.bench.close` with the bench's settings.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Organization  # noqa: E402
from billing.documents import closing  # noqa: E402
from billing.documents.queries.months import grace  # noqa: E402
from billing.models import BillingMonth, Invoice, ModelPrice  # noqa: E402
from config.kit.months import first_of_month, previous_month  # noqa: E402
from tests.bench.seed import make_organization  # noqa: E402

MEMBERS, EVENTS = 10_000, 1_000_000
# A few people make most requests; each uses two to four of the eight pairs of model and
# surface, one far more than the rest.
SEED = """
INSERT INTO billing_usageevent (organization_id, membership_id, event_id, content_digest,
    surface, model, seat_tier,
       occurred_at, recorded_at, month_on, day_on, input_tokens, output_tokens,
           cache_write_5m_tokens, cache_write_1h_tokens,
       cache_read_tokens, web_searches, cost_nanos, price_id, estimated, funding, prepaid,
           funding_why, refusal_reason,
       windows, labels)
SELECT %(organization)s, who.id, 'req_' || md5(made.number::text), md5(made.number::text),
       (ARRAY['claude_code', 'claude'])[1 + pair.number %% 2],
       (ARRAY['claude-sonnet-5', 'claude-opus-5', 'claude-haiku-5',
           'claude-fable-5'])[1 + pair.number / 2], 'standard',
       made.at, made.at, %(month)s, made.at::date, made.cost / 20000, made.cost / 50000, 0,
           0, made.cost / 2000, 0, made.cost,
       %(price)s, false, 'extra_usage', false, 'checked', '', '{}', '{}'
  FROM (SELECT number, 1 + floor(%(members)s * CASE
      WHEN number <= %(members)s THEN (number - 1.0) / %(members)s
                                                    ELSE power(random(), 1.7) END)::int AS place,
               random() AS taste,
                   (%(month)s::timestamp + random() * interval '27 days') AT TIME ZONE 'UTC'
                   AS at,
               (200000 + 80000000 * power(random(), 3))::bigint AS cost
          FROM generate_series(1, %(events)s) number) made
  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM accounts_membership
         WHERE organization_id = %(organization)s) who ON who.place = made.place
 CROSS JOIN LATERAL (SELECT ((made.place * 7 + floor((2 + made.place %% 3) * made.taste *
     made.taste)::int) %% 8)::int
                            AS number) pair
"""
SPENT = "COUNT(*) AS events, SUM(cost_nanos) AS extra_nanos"
# The counters that the recorder keeps with the events.
COUNTERS = (
    (
        "INSERT INTO billing_membermonth (membership_id, month_on, events,"
        " extra_nanos, included_nanos, unbilled_nanos) SELECT membership_id, month_on,"
        f" {SPENT}, 0, 0 FROM billing_usageevent GROUP BY 1, 2"
    ),
    (
        "INSERT INTO billing_organizationmonth (organization_id, month_on, events,"
        " extra_nanos, included_nanos, unbilled_nanos) SELECT organization_id,"
        f" month_on, {SPENT}, 0, 0 FROM billing_usageevent GROUP BY 1, 2"
    ),
    (
        "INSERT INTO billing_organizationday (organization_id, day_on, surface,"
        " extra_nanos) SELECT organization_id, day_on, surface, SUM(cost_nanos) FROM"
        " billing_usageevent GROUP BY 1, 2, 3"
    ),
    (
        "INSERT INTO billing_usageday (membership_id, day_on, surface, model,"
        " seat_tier, events, extra_nanos, input_tokens, output_tokens,"
        " cache_write_tokens, cache_read_tokens, included_nanos, unbilled_nanos)"
        f" SELECT membership_id, day_on, surface, model, seat_tier, {SPENT},"
        " SUM(input_tokens), SUM(output_tokens), 0, SUM(cache_read_tokens), 0, 0 FROM"
        " billing_usageevent GROUP BY 1, 2, 3, 4, 5"
    ),
    (
        "INSERT INTO billing_usagemonth (membership_id, month_on, surface, model,"
        " prepaid, events, extra_nanos) SELECT membership_id, month_on, surface,"
        f" model, prepaid, {SPENT} FROM billing_usageevent GROUP BY 1, 2, 3, 4, 5"
    ),
)
QUERY = """
SELECT membership_id, surface, model, COUNT(*), SUM(cost_nanos) FROM billing_usageevent
 WHERE organization_id = %s AND month_on = %s AND funding = 'extra_usage' AND NOT prepaid
 GROUP BY membership_id, surface, model
"""
# `replica` switches the guards off that keep invoices, and a month closed.
REOPEN = (
    "SET session_replication_role = replica",
    (
        "TRUNCATE billing_billingmonth, billing_invoice, billing_invoiceline,"
        " accounts_outgoingmail CASCADE"
    ),
    "UPDATE billing_billingaccount SET frozen_through_on = NULL",
    "SET session_replication_role = DEFAULT",
)


def seed(*, now: dt.datetime) -> tuple[Organization, dt.date]:
    """The organization with its month, the one before the last so that it is due on
    every day of the year.
    """
    organization = make_organization("close", members=MEMBERS, now=now)
    month_on = previous_month(previous_month(first_of_month(now.date())))
    facts = {
        "organization": organization.pk,
        "month": month_on.isoformat(),
        "members": MEMBERS,
        "events": EVENTS,
        "price": ModelPrice.objects.values_list("pk", flat=True)[0],
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.42)")
        cursor.execute(SEED, facts)
        for sql in COUNTERS:
            cursor.execute(sql)
        cursor.execute("VACUUM ANALYZE")
    return organization, month_on


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and the answer."""
    began = time.perf_counter()
    answer = work()
    return (time.perf_counter() - began) * 1e3, answer


def bare_query(
    organization: Organization, month_on: dt.date, *, memory: str = "DEFAULT"
) -> list[Any]:
    """All rows of the query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET work_mem = {memory}")
        try:
            cursor.execute(QUERY, [organization.pk, month_on])
            return cursor.fetchall()
        finally:
            cursor.execute("SET work_mem = DEFAULT")


def close(organization: Organization, month_on: dt.date) -> dict[str, float]:
    """One close of the month as the job does it, a minute after the grace time, by steps."""
    now = organization.calendar.month(month_on).end + grace() + dt.timedelta(minutes=1)
    steps, acts = (
        {},
        {
            step: getattr(closing, f"{step}_month")
            for step in ("freeze", "draft", "finish")
        },
    )

    def noted(step: str) -> Callable[..., Any]:
        def act(*args: Any, **options: Any) -> Any:
            steps[step], answer = timed(lambda: acts[step](*args, **options))
            return answer

        return act

    for step in acts:
        setattr(closing, f"{step}_month", noted(step))
    try:
        took, closed = timed(lambda: closing.close_due(organization.pk, now=now))
    finally:
        for step, act in acts.items():
            setattr(closing, f"{step}_month", act)
    if [one.month.state for one in closed] != [BillingMonth.State.CLOSED]:
        sys.exit(f"The close ended with {closed}.")
    return {"close": took, **steps}


def reopen() -> None:
    """Remove what a close wrote, and let the month be open again."""
    with connection.cursor() as cursor:
        for sql in REOPEN:
            cursor.execute(sql)


def check(organization: Organization, rows: list[Any]) -> int:
    """The invoice says what the query says; how many lines it has."""
    invoice = Invoice.objects.get(organization=organization)
    lines = invoice.lines.values_list(
        "membership_id", "surface", "model", "events", "exact_nanos"
    )
    if set(lines) != set(rows) or invoice.exact_nanos != sum(row[4] for row in rows):
        sys.exit("The invoice differs from its events.")
    return len(rows)


def main() -> None:
    """Seed, warm both up once, and measure them in turn."""
    words = argparse.ArgumentParser()
    words.add_argument("--rounds", type=int, default=3)
    rounds = words.parse_args().rounds
    print("  the close: a million events\033[K", end="\r", file=sys.stderr, flush=True)
    organization, month_on = seed(now=timezone.now())
    found, lines = [], 0
    for number in range(rounds + 1):
        print(
            f"  round {number} of {rounds}: the close\033[K",
            end="\r",
            file=sys.stderr,
            flush=True,
        )
        plain, rows = timed(lambda: bare_query(organization, month_on))
        roomy, _same = timed(
            lambda: bare_query(organization, month_on, memory="'64MB'")
        )
        found.append({"query": plain, "roomy": roomy, **close(organization, month_on)})
        lines = check(organization, rows)
        reopen()
    print("\033[K", end="", file=sys.stderr)
    json.dump(
        {"members": MEMBERS, "events": EVENTS, "lines": lines, "rounds": found[1:]},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
