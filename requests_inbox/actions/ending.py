"""Writing down the requests that ended by themselves (R5).

Pages, counts and digests do not wait for it.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.organizations import lock_organization
from billing.funding.queries import standings_for
from requests_inbox.actions.asking import end_request
from requests_inbox.models import UsageRequest
from requests_inbox.queries import asked_of, pending_of
from requests_inbox.rules import ending_of


def write_down_endings(organization_id: int, *, now: dt.datetime) -> int:
    """End the requests of one organization that no longer wait; how many.

    Locks only when there is something to end.
    """
    if not pending_of(organization_id, now=now).ended:
        return 0
    with transaction.atomic():
        lock_organization(organization_id)
        stored = list(
            UsageRequest.objects.pending().filter(organization_id=organization_id)
        )
        standings = standings_for(
            organization_id, [one.membership_id for one in stored], now=now
        )
        ended = 0
        for request in stored:
            standing = standings[request.membership_id]
            ending = ending_of(asked_of(request), standing)
            if ending is not None:
                end_request(request, status=ending, standing=standing, now=now)
                ended += 1
        return ended
