"""A balance that will not last the month at this pace, told before it is low (N1).

Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.organizations import lock_organization
from billing.funding.queries import organization_standing
from billing.notices.actions.noticing import low_balance
from billing.notices.actions.writing import write_notices
from billing.notices.rules.facts import short_fact
from billing.payments.queries.balance import lasts_until


@transaction.atomic
def note_short_balance(organization_id: int, *, now: dt.datetime) -> bool:
    """Write that a balance would be used up before the month ends: once a month, and
    again after a purchase. Whether it would.

    One that auto-reload fills is not short, and of one that is low people know already.
    """
    lock_organization(organization_id)
    organization = organization_standing(organization_id, now=now)
    left = organization.balance_nanos
    if left is None or not organization.is_on or organization.auto_reload:
        return False
    if left <= low_balance(organization):
        return False
    lasts = lasts_until(organization, now=now)
    if lasts is None:
        return False
    return write_notices(
        [short_fact(left, ends_on=lasts.on)],
        organization_id=organization_id,
        month_on=organization.month.first_on,
        now=now,
    )
