"""An operator looks at a customer's pages as its owner sees them: kept in the audit, and
told to the owners by mail. They can do nothing there.
"""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from accounts.actions.audit import Actor, record_change
from accounts.actions.mails import QueuedMail, queue_mails
from accounts.models import Organization

LOOKED = "operator_looked"
TOLD_WITHIN = dt.timedelta(days=3)


@transaction.atomic
def begin_look(
    organization: Organization, *, actor: Actor, now: dt.datetime
) -> list[int]:
    """Keep that it begins, by whom and why; the ids of the mails to the owners."""
    record_change(
        organization,
        actor=actor,
        action="organization.look",
        subject=organization.name,
        now=now,
    )
    look = uuid.uuid4().hex
    facts = {"at": now.isoformat(), "who": str(actor.user), "reason": actor.reason}
    mails = [
        QueuedMail(owner.user, LOOKED, f"{LOOKED}:{look}:{owner.pk}", facts)
        for owner in organization.memberships.owners_to_mail()
    ]
    return queue_mails(organization, mails, now=now, within=TOLD_WITHIN)


def end_look(
    organization: Organization, *, minutes: int, actor: Actor, now: dt.datetime
) -> None:
    """Keep that it ended, after how many minutes."""
    record_change(
        organization,
        actor=actor,
        action="organization.look_end",
        subject=organization.name,
        now=now,
        to_value={"minutes": minutes},
    )
