"""That an operator ended somebody's sessions; the door ends them."""

from __future__ import annotations

import datetime as dt

from accounts.actions.audit import Actor, record_for_many
from accounts.models import Membership, User


def record_sessions_ended(
    person: User, *, ended: int, actor: Actor, now: dt.datetime
) -> None:
    """Keep it in the audit of each organization they belong to, or once without one."""
    memberships = Membership.objects.active().filter(user=person)
    organizations = list(memberships.values_list("organization_id", flat=True))
    record_for_many(
        organizations or [None],
        actor=actor,
        action="person.sessions_end",
        subject=str(person),
        now=now,
        to_value=ended,
    )
