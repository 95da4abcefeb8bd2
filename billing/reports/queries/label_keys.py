"""Which labels an organization's requests carry, so that a report can be asked for by them.
Read-only.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from billing.models import MemberMonth, UsageEvent

MOST_PEOPLE, MOST_EVENTS, MOST_KEYS = 10, 300, 5
LATELY = dt.timedelta(days=3)


def label_keys(
    organization_id: int, *, month_on: dt.date, now: dt.datetime
) -> list[str]:
    """The keys seen most among some requests of the last days, of the people who spent
    most this month: a sample, two short queries however many events there are.
    """
    people = MemberMonth.objects.filter(
        membership__organization=organization_id, month_on=month_on
    ).order_by("-extra_nanos", "membership_id")
    ids = list(people.values_list("membership_id", flat=True)[:MOST_PEOPLE])
    if not ids:
        return []
    events = UsageEvent.objects.filter(
        membership__in=ids, occurred_at__gte=now - LATELY
    ).exclude(labels={})
    counts = Counter(
        key
        for labels in events.order_by().values_list("labels", flat=True)[:MOST_EVENTS]
        for key in labels
    )
    return sorted(key for key, _count in counts.most_common(MOST_KEYS))
