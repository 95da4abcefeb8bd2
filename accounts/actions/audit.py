"""Writing the audit (C8): one entry a change, inside the transaction that makes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.models import AuditEntry, Membership, Organization, User


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person, or what acts without one (an API key, a command, a
    job) by `label`.
    """

    user: User | None = None
    label: str = ""

    @classmethod
    def person(cls, user: User) -> Actor:
        """A signed-in person."""
        return cls(user=user)


def record_change(
    organization: Organization | None,
    *,
    actor: Actor,
    action: str,
    subject: str,
    now: dt.datetime,
    membership: Membership | None = None,
    from_value: Any = None,
    to_value: Any = None,
) -> AuditEntry | None:
    """Keep one change; None where a value was set to what it was, since that is none.

    `action` is a dotted code such as `cap.organization`; values are JSON (money as
    nano-USD int). Acts without values, such as revoking a key, are always kept.
    """
    if from_value is not None and from_value == to_value:
        return None
    return AuditEntry.objects.create(
        organization=organization,
        at=now,
        actor=actor.user,
        actor_label=actor.label,
        action=action,
        subject=subject[:200],
        membership=membership,
        from_value=from_value,
        to_value=to_value,
    )


def record_for_many(
    organization_ids: Iterable[int],
    *,
    actor: Actor,
    action: str,
    subject: str,
    now: dt.datetime,
    from_value: Any = None,
    to_value: Any = None,
) -> None:
    """Keep one change with each organization that it touches, such as a price that
    several of them pay; nothing where a value was set to what it was.
    """
    if from_value is not None and from_value == to_value:
        return
    entries = [
        AuditEntry(
            organization_id=organization_id,
            at=now,
            actor=actor.user,
            actor_label=actor.label,
            action=action,
            subject=subject[:200],
            from_value=from_value,
            to_value=to_value,
        )
        for organization_id in organization_ids
    ]
    AuditEntry.objects.bulk_create(entries, batch_size=500)
