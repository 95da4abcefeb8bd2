"""The audit trail in words: what each action is called, and its from and to as people
read them (C8).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, Role, Tier
from config.kit.money import format_usd

ACTIONS = {
    "cap.organization": gettext_lazy("Organization spend cap"),
    "cap.seat_tier": gettext_lazy("Seat spend cap"),
    "cap.member": gettext_lazy("Individual spend cap"),
    "extra_usage.switch": gettext_lazy("Extra usage"),
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
    "organization.requests": gettext_lazy("Requests and digest"),
    "organization.edit": gettext_lazy("Organization"),
    "balance.card": gettext_lazy("Payment card"),
    "balance.auto_reload": gettext_lazy("Auto-reload"),
    "billing.details": gettext_lazy("Billing details"),
    "billing.terms": gettext_lazy("Tax and terms"),
    "invoice.status": gettext_lazy("Invoice"),
    "invoice.credit_note": gettext_lazy("Credit note"),
    "usage.adjustment": gettext_lazy("Usage adjustment"),
}
MONEY = {"invoice.credit_note", "usage.adjustment"}  # their values are nano-USD
INVOICE_STATES = {
    "open": gettext_lazy("Open"),
    "paid": gettext_lazy("Paid"),
    "void": gettext_lazy("Void"),
}
GROUPS = [
    ("cap.", gettext_lazy("Spend caps")),
    ("extra_usage.", gettext_lazy("Extra usage")),
    ("member.", gettext_lazy("Members")),
    ("invitation.", gettext_lazy("Invitations")),
    ("api_key.", gettext_lazy("API keys")),
    ("organization.", gettext_lazy("Organization")),
    ("balance.", gettext_lazy("Balance")),
    ("billing.", gettext_lazy("Billing details")),
    ("invoice.", gettext_lazy("Invoices")),
    ("usage.", gettext_lazy("Usage adjustments")),
]


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One change as the page shows it."""

    at: dt.datetime
    who: str
    action: str
    subject: str
    before: str
    after: str


def trail_row(entry: AuditEntry) -> TrailRow:
    """An entry in words."""
    return TrailRow(
        entry.at,
        str(entry.actor) if entry.actor else entry.actor_label or _("The system"),
        str(ACTIONS.get(entry.action, entry.action)),
        entry.subject,
        _kept_text(entry, entry.from_value),
        _kept_text(entry, entry.to_value),
    )


def _kept_text(entry: AuditEntry, value: Any) -> str:
    if entry.action in MONEY and isinstance(value, int):
        return format_usd(value)
    return (
        str(INVOICE_STATES[value])
        if entry.action == "invoice.status" and value in INVOICE_STATES
        else value_text(value)
    )


def value_text(value: Any) -> str:
    """A kept value in words; nothing for none."""
    if isinstance(value, dict):
        return _dict_text(value)
    names = {
        **{role.value: role.label for role in Role},
        **{tier.value: tier.label for tier in Tier},
    }
    return str(names.get(value, value)) if value is not None else ""


def _dict_text(value: dict[str, Any]) -> str:
    if "amount_nanos" in value:
        return _cap_text(value)
    if "requests" in value:
        on = _("On") if value["requests"] else _("Off")
        return _("%(on)s, digest at %(hour)s") % {
            "on": on,
            "hour": f"{value['digest_hour']:02}:00",
        }
    if "enabled" in value:
        return _switch_text(value)
    if "auto_reload" in value:
        return _reload_text(value)
    parts = [
        value_text(one)
        if not isinstance(one, list)
        else ", ".join(map(value_text, one))
        for one in value.values()
    ]
    return ", ".join(part for part in parts if part)


def _cap_text(value: dict[str, Any]) -> str:
    amount = _amount(value["amount_nanos"])
    if "month_only" not in value:
        return amount
    return _("%(amount)s this month only, then %(then)s") % {
        "amount": amount,
        "then": _amount(value["then_nanos"]),
    }


def _amount(nanos: int | None) -> str:
    return _("Unlimited") if nanos is None else format_usd(nanos)


def _reload_text(value: dict[str, Any]) -> str:
    if not value["auto_reload"]:
        return _("Off")
    words = {
        "amount": _amount(value["reload_nanos"]),
        "threshold": _amount(value["threshold_nanos"]),
    }
    if value["limit_nanos"] is None:
        return _("%(amount)s at %(threshold)s") % words
    return _("%(amount)s at %(threshold)s, at most %(limit)s a month") % {
        **words,
        "limit": _amount(value["limit_nanos"]),
    }


def _switch_text(value: dict[str, Any]) -> str:
    if not value["enabled"]:
        return _("Off")
    if value["scope"] == "everyone":
        return _("On, for everyone")
    return _("On, for %(count)d selected members") % {
        "count": len(value.get("members", []))
    }
