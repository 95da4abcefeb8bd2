"""Whose cap, and what holds of it this month and later. Read-only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import Membership, Organization, Tier
from billing.funding.rules.standing import NO_CAP, Cap, Standing
from billing.models import CapLevel, SpendCap


@dataclass(frozen=True, slots=True)
class CapTarget:
    """Whose cap: the organization's own, a seat tier's, or one member's."""

    organization: Organization
    level: CapLevel = CapLevel.ORGANIZATION
    seat_tier: str | None = None
    membership: Membership | None = None

    @property
    def name(self) -> str:
        """The organization, the tier or the member as people know them."""
        if self.membership is not None:
            return str(self.membership.user)
        if self.seat_tier is not None:
            return Tier.label_of(self.seat_tier)
        return self.organization.name


def seat_tier_target(organization: Organization, tier: str) -> CapTarget:
    """The cap of each member on `tier` who has none of their own."""
    return CapTarget(organization, CapLevel.SEAT_TIER, seat_tier=tier)


def member_target(organization: Organization, membership: Membership) -> CapTarget:
    """One member's own cap."""
    return CapTarget(organization, CapLevel.MEMBER, membership=membership)


def cap_rows(
    organization_id: int, *, month_on: dt.date
) -> dict[tuple[str, str | None], Cap]:
    """The organization's and the seat tiers' caps by level and tier, in one query; a
    level never set is missing.
    """
    caps = SpendCap.objects.filter(organization_id=organization_id).exclude(
        level=CapLevel.MEMBER
    )
    return {
        (cap.level, cap.seat_tier): Cap(
            cap.amount_in(month_on), cap.is_for_month_only(month_on), cap.amount_nanos
        )
        for cap in caps
    }


def cap_now(target: CapTarget, standing: Standing) -> Cap:
    """The cap as it holds this month and later.

    `standing` is the member's for a member's cap, else anybody's of the organization. A
    member's is what holds for them, wherever it comes from; later, their own or the
    seat's.
    """
    organization = standing.organization
    match target.level:
        case CapLevel.ORGANIZATION:
            return organization.cap
        case CapLevel.SEAT_TIER:
            caps = cap_rows(organization.id, month_on=organization.month.first_on)
            return caps.get((CapLevel.SEAT_TIER, target.seat_tier), NO_CAP)
        case _:
            return Cap(
                standing.cap.amount_nanos,
                standing.own_cap.month_only,
                standing.next_cap_nanos,
            )
