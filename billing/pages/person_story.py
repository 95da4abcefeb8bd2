"""What was changed for one person over time: caps, seats, roles, requests, as the audit
keeps it (C8). Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actions.undoing import UNDONE
from accounts.audit import AuditRow, audit_row
from accounts.models import AuditEntry, Membership

SHOWN, MOST = 5, 200
RED = ("request.dismiss", "member.remove", "member.switch_off")
# Of the person; what else is kept of them is for the Activity page.
ACTIONS = (
    "cap.member",
    "extra_usage.confirmed",
    "invitation.accept",
    "member.add",
    "member.remove",
    "member.return",
    "member.role",
    "member.seat",
    "member.switch_off",
    "member.switch_on",
    "request.approve",
    "request.dismiss",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One change in words, and how it is marked: `set`, `stopped`, or `itself` for what no
    person did.
    """

    row: AuditRow
    mark: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """The latest changes, and whether there are earlier ones that are not shown."""

    steps: list[Step]
    has_more: bool


def person_story(person: Membership, *, shows_all: bool) -> Story:
    """The latest first, five or as many as are kept; two queries."""
    most = MOST if shows_all else SHOWN
    entries = (
        AuditEntry.objects.filter(
            membership=person,
            organization_id=person.organization_id,
            action__in=ACTIONS,
        )
        .exclude(pk__in=_undone(person))
        .select_related("actor")
        .order_by("-at", "-pk")[: most + 1]
    )
    found = list(entries)
    return Story([_step(entry) for entry in found[:most]], len(found) > most)


def _step(entry: AuditEntry) -> Step:
    mark = "stopped" if entry.action in RED else "set"
    if entry.actor_id is None and not entry.actor_label:
        mark = "itself"
    value = entry.to_value
    note = value.get("note", "") if isinstance(value, dict) else ""
    return Step(audit_row(entry), mark, note)


def _undone(person: Membership) -> list[int]:
    """Changes (ids) that were taken back within minutes: they are no part of the story."""
    undone = AuditEntry.objects.filter(
        organization_id=person.organization_id, membership=person, action=UNDONE
    )
    values = undone.values_list("to_value", flat=True)
    return [value["entry"] for value in values if value]
