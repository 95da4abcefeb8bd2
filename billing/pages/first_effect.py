"""What first caps would do, in sentences, while they are typed. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Plan, Tier
from billing.caps.queries.caps import CapTarget, seat_tier_target
from billing.caps.words.previews import cap_preview
from billing.funding.queries import standing_of
from billing.pages.first_members import FirstMembers
from config.kit.money import AmountError, format_usd, parse_amount


def effect_lines(members: FirstMembers, typed: Mapping[str, Any]) -> list[str]:
    """One sentence for each cap as `typed` that can be read, and one for those of single
    members.
    """
    page = members.page
    targets = {"organization_cap": CapTarget(page.organization)}
    if page.organization.plan == Plan.ENTERPRISE_SEAT:
        targets |= {tier: seat_tier_target(page.organization, tier) for tier in Tier}
    lines = []
    for name, target in targets.items():
        amount = _amount(typed.get(name) or "")
        if amount is not None and not typed.get(f"{name}_unlimited"):
            lines.append(_line(members, target, amount))
    if members.rows:
        lines.append(_members_line(members))
    return lines


def _line(members: FirstMembers, target: CapTarget, amount_nanos: int) -> str:
    page = members.page
    standing = standing_of(
        page.membership.pk, organization_id=page.organization.pk, now=page.now
    )
    preview = cap_preview(target, standing, amount_nanos=amount_nanos, now=page.now)
    whose = {"whose": target.name, "outcome": preview.outcome}
    return _("%(whose)s: %(outcome)s") % whose


def _members_line(members: FirstMembers) -> str:
    number = len(members.rows)
    figures: dict[str, Any] = {
        "count": number,
        "sum": format_usd(members.sum_nanos),
    }
    return (
        ngettext(
            "Set here for %(count)d person: at most %(sum)s a month.",
            "Set here for %(count)d people: together at most %(sum)s a month.",
            number,
        )
        % figures
    )


def _amount(typed: str) -> int | None:
    try:
        return parse_amount(typed[:60].replace("\0", ""))
    except AmountError:
        return None
