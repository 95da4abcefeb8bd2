"""Fills the bench's database with one organization of 10,000 members and 13 months of
usage, as the counters hold it: 20 days a month each, two models.

Prints as JSON the session of its owner, and one of its people. Run as
`python -m tests.bench.year` with the bench's settings.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.bench.seed import make_organization, session_of  # noqa: E402

MEMBERS, MONTHS = 10_000, 13
DAYS = f"""
    INSERT INTO billing_usageday (membership_id, day_on, surface, model, seat_tier,
        included_nanos, extra_nanos, unbilled_nanos, events, input_tokens, output_tokens,
        cache_write_tokens, cache_read_tokens)
    SELECT member.id, day::date, (ARRAY['claude_code', 'claude'])[1 + member.id %% 2],
        model, 'standard', 50000000, 1000000 * (1 + (member.id * 7) %% 400), 0, 9,
        90000, 4000, 0, 0
    FROM accounts_membership member,
        generate_series(date_trunc('month', now()) - INTERVAL '{MONTHS - 1} months',
            now(), INTERVAL '1 day') day,
        unnest(ARRAY['claude-opus-5', 'claude-sonnet-5']) model
    WHERE member.organization_id = %s AND extract(isodow FROM day) < 6
        AND (member.id + extract(day FROM day)::int) %% 11 > 0
"""
# What the other counters hold of it.
SUMS = [
    """
    INSERT INTO billing_membermonth (membership_id, month_on, included_nanos,
        extra_nanos, unbilled_nanos, events)
    SELECT membership_id, date_trunc('month', day_on)::date, sum(included_nanos),
        sum(extra_nanos), 0, sum(events)
    FROM billing_usageday GROUP BY 1, 2
    """,
    """
    INSERT INTO billing_organizationmonth (organization_id, month_on, included_nanos,
        extra_nanos, unbilled_nanos, events)
    SELECT organization_id, month_on, sum(included_nanos), sum(extra_nanos), 0,
        sum(events)
    FROM billing_membermonth JOIN accounts_membership member ON
        member.id = membership_id GROUP BY 1, 2
    """,
    """
    INSERT INTO billing_organizationday (organization_id, day_on, surface, extra_nanos)
    SELECT organization_id, day_on, surface, sum(extra_nanos)
    FROM billing_usageday JOIN accounts_membership member ON
        member.id = membership_id GROUP BY 1, 2, 3
    """,
]


def main() -> None:
    """Fill and print."""
    organization = make_organization("year", members=MEMBERS, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(DAYS, [organization.pk])
        days = cursor.rowcount
        for statement in SUMS:
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE")
    person = organization.memberships.order_by("pk")[MEMBERS // 2]
    found = {
        "slug": organization.slug,
        "cookie": session_of(organization),
        "person": person.pk,
        "days": days,
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
