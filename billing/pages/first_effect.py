"""What first caps would do, in sentences, while they are typed. Reads only."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Plan, Tier
from billing.caps.queries.caps import CapTarget, seat_tier_target
from billing.caps.words.previews import cap_preview
from billing.funding.queries import standing_of
from billing.pages.first_members import FirstMembers
from config.kit.money import AmountError, format_usd, parse_amount


def effect_lines(members: FirstMembers) -> list[str]:
    """One sentence for each cap that can be read, and one for those of single members."""
    page, posted = members.page, members.posted
    targets = {"organization_cap": CapTarget(page.organization)}
    if page.organization.plan == Plan.ENTERPRISE_SEAT:
        targets |= {tier: seat_tier_target(page.organization, tier) for tier in Tier}
    lines = []
    for name, target in targets.items():
        amount = _amount(posted.get(name, ""))
        if amount is not None and f"{name}_unlimited" not in posted:
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
            "%(count)d person has a cap of their own: at most %(sum)s a month.",
            "%(count)d people have caps of their own: together at most %(sum)s a month.",
            number,
        )
        % figures
    )


def _amount(typed: str) -> int | None:
    try:
        return parse_amount(typed[:60].replace("\0", ""))
    except AmountError:
        return None
