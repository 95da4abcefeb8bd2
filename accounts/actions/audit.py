"""Writing the audit (C8): one entry a change, inside the transaction that makes it."""

from __future__ import annotations

import datetime as dt
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
) -> AuditEntry:
    """Keep one change.

    `action` is a dotted code such as `cap.organization`; values are JSON (money as
    nano-USD int).
    """
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
