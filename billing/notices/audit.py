"""How changes of what people are told at, and of who is told, read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from accounts.models import Tier
from billing.models import SoftLimitLevel
from billing.notices.rules.channels import RECIPIENT_CHANGE
from config.kit.money import format_usd

register_group("notices.", gettext_lazy("Notices"), order=27)
register_changes(
    {
        "notices.percents": gettext_lazy("Thresholds of notices"),
        "notices.balance_low": gettext_lazy("Low balance notice"),
        "notices.soft_limit": gettext_lazy("Soft limit added"),
        "notices.soft_limit_removed": gettext_lazy("Soft limit removed"),
        RECIPIENT_CHANGE: gettext_lazy("Recipient of notices"),
    }
)


def amount_of(value: dict[str, Any]) -> int | None:
    """The amount, in nano-USD."""
    nanos: int | None = value["amount_nanos"]
    return nanos


@describes("notices.percents")
def percents_text(value: dict[str, str]) -> str:
    """At how many per cent of what people are told."""
    return _(
        "Organization %(organization)s; people %(member)s; included usage %(included)s"
    ) % {
        "organization": _percents(value["organization_percents"]),
        "member": _percents(value["member_percents"]),
        "included": _percents(value["included_percents"]),
    }


def _percents(text: str) -> str:
    return ", ".join(f"{one}%" for one in text.split(",") if one) or "–"


@describes("notices.balance_low", amount=amount_of)
def balance_low_text(value: dict[str, Any]) -> str:
    """The balance that counts as low."""
    nanos = amount_of(value)
    return _("Default") if nanos is None else format_usd(nanos)


@describes("notices.soft_limit", "notices.soft_limit_removed", amount=amount_of)
def soft_limit_text(value: dict[str, Any]) -> str:
    """The amount, and for whom where the subject does not say it."""
    amount = format_usd(value["amount_nanos"])
    if value["level"] != SoftLimitLevel.SEAT_TIER:
        return amount
    return _("%(amount)s for each person on a %(tier)s seat") % {
        "amount": amount,
        "tier": Tier.label_of(value["seat_tier"]),
    }


@describes(RECIPIENT_CHANGE)
def recipient_text(value: dict[str, Any]) -> str:
    """Who it is, and whether they agreed just then."""
    if value.get("agreed"):
        return _("%(address)s agreed") % value
    return str(value["address"])
