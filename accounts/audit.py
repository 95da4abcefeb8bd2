"""Audit entries in words (C8): what each change is called, and its values from and to as
people read them.

Every app registers the words of its own changes when it starts: names with
`register_changes`, and with `describes` how a value reads that is more than a plain one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, Role, Tier

Label = str | Promise
Describe = Callable[[Any], str]
_ACTIONS: dict[str, Label] = {}
_DESCRIBES: dict[str, Describe] = {}
_GROUPS: dict[str, tuple[int, Label]] = {}


def register_group(prefix: str, label: Label, *, order: int) -> None:
    """Let the Activity page filter by the actions that begin with `prefix`, such as
    `member.`; it lists the groups by `order`, smallest first.
    """
    _GROUPS[prefix] = (order, label)


def register_changes(actions: Mapping[str, Label]) -> None:
    """Name actions: `{"member.seat": "Seat"}`."""
    _ACTIONS.update(actions)


def describes(*actions: str) -> Callable[[Describe], Describe]:
    """Mark the function that puts a kept value of these actions in words; it is never
    asked about None.
    """

    def register(describe: Describe) -> Describe:
        _DESCRIBES.update(dict.fromkeys(actions, describe))
        return describe

    return register


def change_groups() -> list[tuple[str, Label]]:
    """The groups of changes by which the Activity page filters: beginning of the action,
    label.
    """
    by_order = sorted(_GROUPS.items(), key=lambda group: group[1][0])
    return [(code, label) for code, (_order, label) in by_order]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change as the Activity page shows it."""

    at: dt.datetime
    who: str
    action: str
    subject: str
    before: str
    after: str


def audit_row(entry: AuditEntry) -> AuditRow:
    """An entry in words, in the active language; needs `actor` loaded.

    An action nobody registered is shown by its code.
    """
    return AuditRow(
        entry.at,
        str(entry.actor) if entry.actor else entry.actor_label or _("The system"),
        str(_ACTIONS.get(entry.action, entry.action)),
        entry.subject,
        _kept_text(entry.action, entry.from_value),
        _kept_text(entry.action, entry.to_value),
    )


def _kept_text(action: str, value: Any) -> str:
    if value is None:
        return ""
    return _DESCRIBES.get(action, value_text)(value)


def value_text(value: Any) -> str:
    """A plain value in words: roles and seats by their names, the parts of a dict or a
    list in a row, nothing for None.
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(text for part in value.values() if (text := value_text(part)))
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    names = {
        **{role.value: role.label for role in Role},
        **{tier.value: tier.label for tier in Tier},
    }
    return str(names.get(value, value))


register_group("member.", gettext_lazy("Members"), order=30)
register_group("invitation.", gettext_lazy("Invitations"), order=40)
register_group("api_key.", gettext_lazy("API keys"), order=50)
register_group("organization.", gettext_lazy("Organization"), order=60)
register_changes(
    {
        "member.role": gettext_lazy("Role"),
        "member.seat": gettext_lazy("Seat"),
        "member.remove": gettext_lazy("Member removed"),
        "member.return": gettext_lazy("Member brought back"),
        "invitation.send": gettext_lazy("Invitation sent"),
        "invitation.revoke": gettext_lazy("Invitation withdrawn"),
        "invitation.accept": gettext_lazy("Invitation accepted"),
        "api_key.create": gettext_lazy("API key created"),
        "api_key.revoke": gettext_lazy("API key revoked"),
        "organization.timezone": gettext_lazy("Time zone"),
        "organization.primary_owner": gettext_lazy("Primary owner"),
        "organization.seats": gettext_lazy("Seats bought"),
        "organization.edit": gettext_lazy("Organization"),
    }
)
