"""An organization whose reports are large: `python -m tests.steady.big MEMBERS DAYS`
with the stage's settings prints its keys as JSON.

Its days are counters without events, as a report reads them; nobody audits them.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import ApiKey  # noqa: E402
from tests.bench.seed import make_organization  # noqa: E402

KEYS = 12
DAYS = """
INSERT INTO billing_usageday (membership_id, day_on, surface, model, seat_tier, events,
    input_tokens, output_tokens, cache_write_tokens, cache_read_tokens, included_nanos,
    extra_nanos, unbilled_nanos)
SELECT m.id, current_date - d, 'claude_code', 'claude-sonnet-5', 'standard', 9,
       900000 + m.id %% 1000, 90000, 9000, 900000, 1000000000 + m.id, 2000000000 + d, 0
  FROM accounts_membership m, generate_series(0, %s - 1) d
 WHERE m.organization_id = %s
"""


def main() -> None:
    """Make it and print."""
    members, days = map(int, sys.argv[1:])
    now = timezone.now()
    big = make_organization("big", members=members, now=now)
    with connection.cursor() as cursor:
        cursor.execute(DAYS, [days, big.pk])
        cursor.execute("ANALYZE")
    secrets = [f"xu_steady_{number}" for number in range(KEYS)]
    ApiKey.objects.bulk_create(
        ApiKey(
            organization=big,
            name=secret,
            prefix=secret[:12],
            digest=ApiKey.digest_of(secret),
            scopes="meter read",
            created_at=now,
        )
        for secret in secrets
    )
    members = list(big.memberships.order_by("pk").values_list("pk", flat=True)[:20])
    facts = {"id": big.pk, "slug": "big", "keys": secrets, "members": members}
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main()
