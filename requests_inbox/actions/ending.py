"""How a request ends: by a decision, by its member, or by itself (R5).

Those that ended by themselves are written down by a sweep; pages, counts and digests do
not wait for it.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.organizations import lock_organization
from billing.funding.queries import standings_for
from billing.funding.rules.standing import Standing
from requests_inbox.actions.publishing import publish_ended
from requests_inbox.models import UsageRequest
from requests_inbox.queries import pending_of, request_facts
from requests_inbox.rules import lapsed_status


def end_request(
    request: UsageRequest, *, status: str, standing: Standing, now: dt.datetime
) -> None:
    """Write down an end, with spend and cap of that moment; call it under the
    organization's lock.
    """
    request.status, request.ended_at = status, now
    request.spent_nanos, request.cap_nanos = (
        standing.spent_nanos,
        standing.cap.amount_nanos,
    )
    request.save(
        update_fields=[
            "status",
            "ended_at",
            "spent_nanos",
            "cap_nanos",
            "decided_by",
            "decided_by_label",
            "answer_note",
            "granted_nanos",
            "granted_month_only",
            "granted_tier",
            "change",
        ]
    )
    publish_ended(request, now=now)


def write_down_endings(organization_id: int, *, now: dt.datetime) -> int:
    """End the requests of one organization that no longer wait; how many.

    Locks only when there is something to end.
    """
    if not pending_of(organization_id, now=now).lapsed:
        return 0
    with transaction.atomic():
        lock_organization(organization_id)
        # Read again: a decision may have come between the look and the lock.
        stored = list(
            UsageRequest.objects.pending().filter(organization_id=organization_id)
        )
        standings = standings_for(
            organization_id, [request.membership_id for request in stored], now=now
        )
        ended = 0
        for request in stored:
            standing = standings[request.membership_id]
            status = lapsed_status(request_facts(request), standing)
            if status is not None:
                end_request(request, status=status, standing=standing, now=now)
                ended += 1
        return ended
