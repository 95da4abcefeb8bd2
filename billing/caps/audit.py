"""How changes of spend caps and of the extra usage switch read on the Activity page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import describes, register_changes, register_group
from config.kit.money import format_usd

register_group("cap.", gettext_lazy("Spend caps"), order=10)
register_group("extra_usage.", gettext_lazy("Extra usage"), order=20)
register_changes(
    {
        "cap.organization": gettext_lazy("Organization spend cap"),
        "cap.seat_tier": gettext_lazy("Seat spend cap"),
        "cap.member": gettext_lazy("Individual spend cap"),
        "extra_usage.switch": gettext_lazy("Extra usage"),
    }
)


@describes("cap.organization", "cap.seat_tier", "cap.member")
def cap_text(value: dict[str, Any]) -> str:
    """`$60.00`, or `$60.00 this month only, then $40.00`; kept in nano-USD."""
    amount = _amount_text(value["amount_nanos"])
    if "month_only" not in value:
        return amount
    return _("%(amount)s this month only, then %(then)s") % {
        "amount": amount,
        "then": _amount_text(value["then_nanos"]),
    }


def _amount_text(nanos: int | None) -> str:
    return _("Unlimited") if nanos is None else format_usd(nanos)


@describes("extra_usage.switch")
def switch_text(value: dict[str, Any]) -> str:
    """Off, or for whom it is on."""
    if not value["enabled"]:
        return _("Off")
    if value["scope"] == "everyone":
        return _("On, for everyone")
    return _("On, for %(count)d selected members") % {
        "count": len(value.get("members", []))
    }
