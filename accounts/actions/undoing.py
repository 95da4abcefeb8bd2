"""Taking back what somebody has just done: through the audit, by the same person, and only
while nobody changed the same since (C8).

Whoever owns an act registers its way back with `undoes`; the way back is that act itself,
so that rules, mails and channels hold as for any change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.models import AuditEntry, Membership, Organization, Role
from config.kit.errors import BusinessError

UNDO_WITHIN = dt.timedelta(minutes=10)
# How long a mail waits that an undo would make untrue.
MAIL_WAITS = dt.timedelta(seconds=60)
UNDONE = "change.undo"


@dataclass(frozen=True, slots=True)
class Undoing:
    """A change to take back; the organization is locked."""

    organization: Organization
    entry: AuditEntry
    by: Membership
    now: dt.datetime

    @property
    def before(self) -> Any:
        """What the audit keeps of before."""
        return self.entry.from_value

    @property
    def actor(self) -> Actor:
        """Who takes it back."""
        return Actor.person(self.by.user)


Reverse = Callable[[Undoing], list[str]]


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a change is taken back, by whom, and which changes after it forbid that."""

    reverse: Reverse
    role: Role
    spoilers: frozenset[str]
    covers: frozenset[str]


_WAYS: dict[str, WayBack] = {}


def undoes(
    *actions: str,
    role: Role = Role.OWNER,
    spoilers: Collection[str] = (),
    covers: Collection[str] = (),
) -> Callable[[Reverse], Reverse]:
    """Mark the function that takes back a change of these actions and answers, in
    sentences, what did not come back.

    `spoilers` are the actions that forbid it when they came after, besides its own. `covers`
    are those of the same person at the same moment that its `role` takes back with it.
    """

    def register(reverse: Reverse) -> Reverse:
        for action in actions:
            _WAYS[action] = WayBack(
                reverse, role, frozenset({action, *spoilers}), frozenset(covers)
            )
        return reverse

    return register


After = Callable[[Undoing], list[str]]
_AFTER: list[After] = []


def after_undo(look: After) -> After:
    """Mark what says, in sentences, what became of a change meanwhile and stays, such as
    requests that it ended.
    """
    _AFTER.append(look)
    return look


def changes_made(
    membership: Membership, *, by: Membership, at: dt.datetime
) -> list[int]:
    """The changes (ids) of role, seat and membership that `by` made of one member at that
    moment and can take back; none of one's own membership, by which one may have lost the right.
    """
    if membership.pk == by.pk:
        return []
    entries = AuditEntry.objects.filter(
        organization=by.organization,
        membership=membership,
        actor=by.user,
        at=at,
        action__in=[action for action in _WAYS if action.startswith("member.")],
    )
    return list(entries.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def undo_changes(
    organization: Organization,
    *,
    entries: Collection[int],
    by: Membership,
    now: dt.datetime,
) -> list[str]:
    """Take back these changes (ids), all or none; sentences on what did not come back.

    Raises BusinessError `undo_unknown` for what is not the person's own change here,
    `undo_too_late`, `already_undone`, `undo_role`, `changed_since`, and what the acts
    themselves raise.
    """
    locked = lock_organization(organization.pk)
    found = list(
        AuditEntry.objects.filter(
            organization=locked,
            pk__in=entries,
            actor=by.user,
            action__in=list(_WAYS),
        )
        .select_related("membership__user", "membership__organization")
        .order_by("-pk")
    )
    if not found or len(found) < len(set(entries)):
        raise BusinessError(
            _("There is nothing of yours to undo here."),
            code="undo_unknown",
            status=404,
        )
    for entry in found:
        _check(entry, found, by=by, now=now)
    return [
        note
        for entry in found
        for note in _reverse(Undoing(locked, entry, by=by, now=now))
    ]


def _reverse(undoing: Undoing) -> list[str]:
    entry = undoing.entry
    record_change(
        undoing.organization,
        actor=undoing.actor,
        action=UNDONE,
        subject=entry.subject,
        now=undoing.now,
        membership=entry.membership,
        to_value={"action": entry.action, "entry": entry.pk},
    )
    notes = _WAYS[entry.action].reverse(undoing)
    return [*notes, *(note for look in _AFTER for note in look(undoing))]


def _check(
    entry: AuditEntry, together: list[AuditEntry], *, by: Membership, now: dt.datetime
) -> None:
    if now - entry.at > UNDO_WITHIN:
        raise BusinessError(
            _("It is too late to undo this. Change it again instead."),
            code="undo_too_late",
        )
    undone = AuditEntry.objects.filter(
        organization=entry.organization,
        action=UNDONE,
        at__gte=entry.at,
        to_value__entry=entry.pk,
    )
    if undone.exists():
        raise BusinessError(_("This has been undone already."), code="already_undone")
    way = _WAYS[entry.action]
    if not by.is_at_least(_role_for(entry, together)):
        raise BusinessError(
            _("You no longer have the right to change this."),
            code="undo_role",
            status=403,
        )
    later = _later(entry, way, together)
    if later is not None:
        raise BusinessError(
            _("%(who)s has changed this since, so it can't be undone.")
            % {"who": later.actor or later.actor_label or _("The system")},
            code="changed_since",
        )


def _role_for(entry: AuditEntry, together: list[AuditEntry]) -> Role:
    """Who may take it back: an owner a cap, but a reviewer the one they gave."""
    for other in together:
        way = _WAYS[other.action]
        came_with_it = (other.at, other.membership_id) == (
            entry.at,
            entry.membership_id,
        )
        if came_with_it and entry.action in way.covers:
            return way.role
    return _WAYS[entry.action].role


def _later(
    entry: AuditEntry, way: WayBack, together: list[AuditEntry]
) -> AuditEntry | None:
    """What changed the same after it."""
    whose = (
        {"membership": entry.membership}
        if entry.membership
        else {"subject": entry.subject}
    )
    after = AuditEntry.objects.filter(
        organization=entry.organization,
        action__in=way.spoilers,
        pk__gt=entry.pk,
        **whose,
    ).exclude(pk__in=[one.pk for one in together])
    return after.select_related("actor").order_by("pk").first()
