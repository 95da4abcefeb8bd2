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

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import (
    AuditEntry,
    Plan,
    Role,
    Scope,
    Settlement,
    Tier,
    TwoFactor,
    UnknownPeople,
)
from config.kit.dates import dated_day_text

Label = str | Promise
Describe = Callable[[Any], str]
Amount = Callable[[Any], int | None]


@dataclass(frozen=True, slots=True)
class Words:
    """How the values of an action read.

    `amount` tells the nano-USD of a value that is one amount, for spreadsheets;
    `nothing` is what no value means, such as no seat.
    """

    describe: Describe
    amount: Amount | None = None
    nothing: Label = ""


# Somebody took a change of theirs back.
UNDONE = "change.undo"
# An operator opened a row that is somebody's own.
LOOKED_AT = "operator.read"

_ACTIONS: dict[str, Label] = {}
_WORDS: dict[str, Words] = {}
_GROUPS: dict[str, tuple[int, Label]] = {}
_OF_TIERS: set[str] = set()


def register_group(prefix: str, label: Label, *, order: int) -> None:
    """Let the Activity page filter by the actions that begin with `prefix`, such as
    `member.`; it lists the groups by `order`, smallest first.
    """
    _GROUPS[prefix] = (order, label)


def register_changes(actions: Mapping[str, Label]) -> None:
    """Name actions: `{"member.seat": "Seat"}`."""
    _ACTIONS.update(actions)


def register_tier_changes(*actions: str) -> None:
    """Of these the subject is a seat tier, kept by its code."""
    _OF_TIERS.update(actions)


def describes(
    *actions: str, amount: Amount | None = None, nothing: Label = ""
) -> Callable[[Describe], Describe]:
    """Mark the function that puts a kept value of these actions in words; it is never
    asked about None, for which `nothing` stands.

    `amount` answers the nano-USD of a value that is an amount, None where it has none
    (unlimited).
    """

    def register(describe: Describe) -> Describe:
        _WORDS.update(dict.fromkeys(actions, Words(describe, amount, nothing)))
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
    """One change as the Activity page shows it; amounts, where the values are amounts,
    in nano-USD.
    """

    at: dt.datetime
    who: str
    email: str
    action: str
    subject: str
    before: str
    after: str
    before_nanos: int | None
    after_nanos: int | None
    reason: str = ""


def audit_row(entry: AuditEntry) -> AuditRow:
    """An entry in words, in the active language; needs `actor` loaded.

    An action nobody registered is shown by its code.
    """
    words = _WORDS.get(entry.action, Words(value_text))
    return AuditRow(
        entry.at,
        str(entry.actor) if entry.actor else entry.actor_label or _("The system"),
        entry.actor.email if entry.actor else "",
        str(_ACTIONS.get(entry.action, entry.action)),
        _subject_text(entry),
        _kept_text(words, entry.from_value),
        _kept_text(words, entry.to_value),
        _kept_nanos(words, entry.from_value),
        _kept_nanos(words, entry.to_value),
        entry.reason,
    )


def _subject_text(entry: AuditEntry) -> str:
    """Who or what was changed; a seat tier, kept by its code, by its name."""
    if entry.action == LOOKED_AT:
        return _looked_at_text(entry.subject)
    is_tier = entry.action in _OF_TIERS and entry.subject in Tier.values
    return Tier.label_of(entry.subject) if is_tier else entry.subject


def _looked_at_text(subject: str) -> str:
    """`usageevent #7` as the table is called: `usage event #7`."""
    name, _space, rest = subject.partition(" ")
    called = {model._meta.model_name: model._meta for model in apps.get_models()}
    opts = called.get(name)
    return f"{opts.verbose_name} {rest}" if opts else subject


def _kept_text(words: Words, value: Any) -> str:
    return str(words.nothing) if value is None else words.describe(value)


def _kept_nanos(words: Words, value: Any) -> int | None:
    return words.amount(value) if words.amount and value is not None else None


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


@describes(UNDONE)
def undone_text(value: dict[str, Any]) -> str:
    """What was taken back; the change it caused has a line of its own."""
    return str(_ACTIONS.get(value["action"], value["action"]))


@describes("member.seat", nothing=gettext_lazy("No seat"))
def seat_text(value: str) -> str:
    """The seat tier somebody had or got."""
    return value_text(value)


@describes("api_key.create")
def key_text(value: dict[str, Any]) -> str:
    """What a key may do."""
    labels = dict(Scope.choices)
    scopes = ", ".join(str(labels.get(scope, scope)) for scope in value["scopes"])
    if "expires_on" not in value:
        return scopes
    day = dated_day_text(dt.date.fromisoformat(value["expires_on"]))
    return _("%(scopes)s; until %(day)s") % {"scopes": scopes, "day": day}


@describes("api_key.token_create")
def token_text(value: dict[str, Any]) -> str:
    """Until when a personal token is good."""
    day = dated_day_text(dt.date.fromisoformat(value["expires_on"]))
    return _("until %(day)s") % {"day": day}


@describes("member.external_ids")
def external_ids_text(value: dict[str, Any]) -> str:
    """From which issuers somebody's external ids are, and how many are new."""
    issuers = ", ".join(value["issuers"]) or _("None")
    if not value.get("new"):
        return issuers
    new = ngettext("%(number)d new", "%(number)d new", value["new"])
    return f"{issuers} ({new % {'number': value['new']}})"


@describes("organization.edit", "organization.create")
def organization_text(value: dict[str, Any]) -> str:
    """The fields an operator changed; a name stays as it is, whatever it says."""
    names = {
        "plan": dict(Plan.choices),
        "settlement": dict(Settlement.choices),
    }
    return ", ".join(
        str(names.get(field, {}).get(part, part)) for field, part in value.items()
    )


@describes(LOOKED_AT)
def taken_text(value: dict[str, Any]) -> str:
    """How many rows of a list an operator took as CSV."""
    rows = int(value.get("rows", 0))
    words = {"rows": f"{rows:,}"}
    return ngettext("%(rows)s row", "%(rows)s rows", rows) % words


@describes("organization.look_end")
def look_text(value: dict[str, Any]) -> str:
    """How long an operator looked."""
    return ngettext(
        "after %(minutes)d minute", "after %(minutes)d minutes", value["minutes"]
    ) % {"minutes": value["minutes"]}


@describes("organization.two_factor")
def two_factor_text(value: str) -> str:
    """Of whom it is required."""
    return str(dict(TwoFactor.choices).get(value, value))


@describes("organization.leases")
def leases_text(value: bool) -> str:
    """Whether gateways may get leases."""
    return _("Allowed") if value else _("Not allowed")


@describes("organization.unknown_people")
def unknown_people_text(value: str) -> str:
    """What is done about them."""
    return str(dict(UnknownPeople.choices).get(value, value))


register_tier_changes("organization.seats")
register_group("member.", gettext_lazy("Members"), order=30)
register_group("invitation.", gettext_lazy("Invitations"), order=40)
register_group("api_key.", gettext_lazy("API keys"), order=50)
register_group("organization.", gettext_lazy("Organization"), order=60)
register_changes(
    {
        LOOKED_AT: gettext_lazy("Looked at by an operator"),
        UNDONE: gettext_lazy("Undone"),
        "member.role": gettext_lazy("Role"),
        "member.seat": gettext_lazy("Seat"),
        "member.add": gettext_lazy("Member added by usage"),
        "member.remove": gettext_lazy("Member removed"),
        "member.return": gettext_lazy("Member brought back"),
        "member.external_ids": gettext_lazy("External ids"),
        "member.address": gettext_lazy("E-mail address"),
        "member.switch_off": gettext_lazy("Account switched off"),
        "member.switch_on": gettext_lazy("Account switched on"),
        "member.erase": gettext_lazy("Person erased"),
        "member.export": gettext_lazy("Personal data exported"),
        "invitation.send": gettext_lazy("Invitation sent"),
        "invitation.revoke": gettext_lazy("Invitation withdrawn"),
        "invitation.accept": gettext_lazy("Invitation accepted"),
        "api_key.create": gettext_lazy("API key created"),
        "api_key.revoke": gettext_lazy("API key revoked"),
        "api_key.token_create": gettext_lazy("Personal token created"),
        "api_key.token_revoke": gettext_lazy("Personal token revoked"),
        "organization.timezone": gettext_lazy("Time zone"),
        "organization.primary_owner": gettext_lazy("Primary owner"),
        "organization.seats": gettext_lazy("Seats bought"),
        "organization.two_factor": gettext_lazy("Two-factor sign-in required"),
        "organization.leases": gettext_lazy("Leases for gateways"),
        "organization.unknown_people": gettext_lazy("Somebody unknown is"),
        "organization.own_domains": gettext_lazy("Own mail domains"),
        "person.two_factor_reset": gettext_lazy("Two-factor sign-in reset"),
        "person.sessions_end": gettext_lazy("Signed out everywhere by an operator"),
        "organization.edit": gettext_lazy("Organization"),
        "organization.create": gettext_lazy("Customer made"),
        "organization.look": gettext_lazy("An operator looked as the owner"),
        "organization.look_end": gettext_lazy("The operator stopped looking"),
        "mail.again": gettext_lazy("Mail sent again"),
    }
)
