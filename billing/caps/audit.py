"""How changes of spend caps and of the extra usage switch read on the Activity page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit import (
    describes,
    register_changes,
    register_group,
    register_tier_changes,
)
from accounts.models import Tier
from config.kit.dates import zoned_moment_text
from config.kit.money import format_usd


def cap_nanos(value: dict[str, Any]) -> int | None:
    """The amount that holds now; None is unlimited."""
    nanos: int | None = value["amount_nanos"]
    return nanos


register_group("cap.", gettext_lazy("Spend caps"), order=10)
register_group("extra_usage.", gettext_lazy("Extra usage"), order=20)
register_tier_changes("cap.seat_tier")
register_changes(
    {
        "cap.organization": gettext_lazy("Organization spend cap"),
        "cap.seat_tier": gettext_lazy("Seat spend cap"),
        "cap.member": gettext_lazy("Individual spend cap"),
        "extra_usage.switch": gettext_lazy("Extra usage"),
        "extra_usage.ask_first": gettext_lazy("Ask before extra usage begins"),
        "extra_usage.confirmed": gettext_lazy("Continued with extra usage"),
    }
)


@describes("cap.organization", "cap.seat_tier", "cap.member", amount=cap_nanos)
def cap_text(value: dict[str, Any]) -> str:
    """`$60.00`, `$40.00 (Standard seat cap)`, or `$60.00 this month only, then $40.00`;
    kept in nano-USD.
    """
    amount = _amount_text(value, "amount_nanos", "seat_tier")
    if "month_only" not in value:
        return amount
    return _("%(amount)s this month only, then %(then)s") % {
        "amount": amount,
        "then": _amount_text(value, "then_nanos", "then_seat_tier"),
    }


def _amount_text(value: dict[str, Any], amount: str, seat_tier: str) -> str:
    nanos, tier = value[amount], value.get(seat_tier)
    if nanos is None:
        return _("Unlimited")
    if not tier:
        return format_usd(nanos)
    return _("%(amount)s (%(tier)s seat cap)") % {
        "amount": format_usd(nanos),
        "tier": Tier.label_of(tier),
    }


@describes("extra_usage.switch")
def switch_text(value: dict[str, Any]) -> str:
    """Off, or for whom it is on; of selected members, who came and who went."""
    if not value["enabled"]:
        return _("Off")
    if value["scope"] == "everyone":
        return _("On, for everyone")
    count = len(value.get("members", []))
    text = ngettext(
        "On, for %(count)d selected member",
        "On, for %(count)d selected members",
        count,
    ) % {"count": count}
    parts = [text]
    if value.get("added"):
        parts.append(_("added: %(names)s") % {"names": _names(value, "added")})
    if value.get("removed"):
        parts.append(_("removed: %(names)s") % {"names": _names(value, "removed")})
    return "; ".join(parts)


@describes("extra_usage.ask_first")
def ask_first_text(value: bool) -> str:
    """Whether members are asked."""
    return _("Members are asked first") if value else _("Begins without asking")


@describes("extra_usage.confirmed")
def confirmed_text(value: dict[str, Any]) -> str:
    """Until when a member's yes holds, in their organization's zone of that day."""
    until_at = dt.datetime.fromisoformat(value["until_at"])
    return _("Until %(moment)s") % {
        "moment": zoned_moment_text(until_at, zone=value["zone"])
    }


def _names(value: dict[str, Any], side: str) -> str:
    names = ", ".join(value[side])
    more = value.get(f"{side}_more", 0)
    if not more:
        return names
    return _("%(names)s and %(count)d more") % {"names": names, "count": more}
