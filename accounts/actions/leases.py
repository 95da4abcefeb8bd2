"""Whether gateways may get leases: several requests on one answer (X5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import Organization


@transaction.atomic
def set_leases(
    organization: Organization, *, allowed: bool, actor: Actor, now: dt.datetime
) -> Organization:
    """Allow or forbid leases, from the next check on; those given before end by
    themselves. Doing it again changes nothing.
    """
    locked = lock_organization(organization.pk)
    before, locked.leases_allowed = locked.leases_allowed, allowed
    if before != allowed:
        locked.save(update_fields=["leases_allowed"])
        record_change(
            locked,
            actor=actor,
            action="organization.leases",
            subject=locked.name,
            now=now,
            from_value=before,
            to_value=allowed,
        )
    return locked
