"""How decisions about requests, and changes of their settings, read on the Activity page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from accounts.models import Tier
from config.kit.dates import format_day
from config.kit.money import format_usd

register_group("request.", gettext_lazy("Requests"), order=25)
register_changes(
    {
        "request.approve": gettext_lazy("Request approved"),
        "request.dismiss": gettext_lazy("Request dismissed"),
        "organization.requests": gettext_lazy("Requests and digest"),
    }
)


@describes("organization.requests")
def requests_text(value: dict[str, Any]) -> str:
    """Whether members may ask, and the local hour of the digest."""
    on = _("On") if value["requests"] else _("Off")
    return _("%(on)s, digest at %(hour)s") % {
        "on": on,
        "hour": f"{value['digest_hour']:02}:00",
    }


def _request_nanos(value: dict[str, Any]) -> int | None:
    """What was asked for, or granted."""
    nanos: int | None = value.get("asked_nanos") or value.get("granted_nanos")
    return nanos


@describes("request.approve", "request.dismiss", amount=_request_nanos)
def decision_text(value: dict[str, Any]) -> str:
    """Which request it was (from), and what became of it (to)."""
    return _asked_text(value) if "request" in value else _decided_text(value)


def _asked_text(value: dict[str, Any]) -> str:
    asked = {
        "number": value["request"],
        "day": format_day(dt.date.fromisoformat(value["asked_on"])),
    }
    if value["asked_nanos"] is None:
        return _("Request %(number)d of %(day)s") % asked
    asked["amount"] = format_usd(value["asked_nanos"])
    return _("Request %(number)d of %(day)s, for %(amount)s") % asked


def _decided_text(value: dict[str, Any]) -> str:
    if value["granted_tier"]:
        tier = Tier.label_of(value["granted_tier"])
        return _("%(tier)s seat") % {"tier": tier}
    if value["granted_nanos"] is None:
        return f"“{value['note']}”" if value["note"] else _("Dismissed")
    amount = {"amount": format_usd(value["granted_nanos"])}
    if value["month_only"]:
        return _("%(amount)s this month only") % amount
    return amount["amount"]
