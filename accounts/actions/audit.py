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
    job) by `label`; an operator with the `reason` that owners read.
    """

    user: User | None = None
    label: str = ""
    reason: str = ""

    @classmethod
    def person(cls, user: User, *, reason: str = "") -> Actor:
        """A signed-in person."""
        return cls(user=user, reason=reason)


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
    if _is_no_change(from_value, to_value):
        return None
    entry = _entry(actor, action, subject, now, from_value, to_value)
    entry.organization, entry.membership = organization, membership
    entry.save()
    return entry


def record_for_many(
    organization_ids: Iterable[int | None],
    *,
    actor: Actor,
    action: str,
    subject: str,
    now: dt.datetime,
    from_value: Any = None,
    to_value: Any = None,
) -> None:
    """Keep one change with each organization that it touches, such as a price that
    several of them pay, or with none; nothing where a value was set to what it was.
    """
    if _is_no_change(from_value, to_value):
        return
    entries = []
    for organization_id in organization_ids:
        entry = _entry(actor, action, subject, now, from_value, to_value)
        entry.organization_id = organization_id
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def _is_no_change(from_value: Any, to_value: Any) -> bool:
    return from_value is not None and from_value == to_value


def _entry(
    actor: Actor,
    action: str,
    subject: str,
    now: dt.datetime,
    from_value: Any,
    to_value: Any,
) -> AuditEntry:
    """A change, not yet written and of nobody."""
    return AuditEntry(
        at=now,
        actor=actor.user,
        actor_label=actor.label,
        action=action,
        subject=subject[:200],
        from_value=from_value,
        to_value=to_value,
        reason=actor.reason[:300],
    )
