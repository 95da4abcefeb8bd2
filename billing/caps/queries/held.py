"""What really holds for whom a cap is set, as the audit keeps it (C8). Read-only."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from accounts.models import Membership, Organization, Plan
from billing.models import CapLevel, SpendCap


class Held(NamedTuple):
    """An amount (nano-USD; None is unlimited), and where a member without a cap of
    their own has it from: a seat tier, or nowhere (None).
    """

    amount_nanos: int | None
    is_own: bool = True
    seat_tier: str | None = None

    def as_audited(self, prefix: str = "") -> dict[str, Any]:
        """The parts of an audit value; whose own amount it is needs no word."""
        amount_name = "then_nanos" if prefix else "amount_nanos"
        amount = {amount_name: self.amount_nanos}
        return (
            amount if self.is_own else amount | {f"{prefix}seat_tier": self.seat_tier}
        )


def cap_as_audited(
    cap: SpendCap, organization: Organization, *, month_on: dt.date
) -> dict[str, Any]:
    """What holds in the month that starts on `month_on`, and what comes after it where
    that differs.

    A member without a cap of their own is held by their seat tier's (C2), which is
    read here; the row itself would say "unlimited".
    """
    beneath = _beneath(cap, organization)
    now = _held(cap, cap.amount_in(month_on), beneath=beneath, month_on=month_on)
    later = _held(cap, cap.amount_nanos, beneath=beneath, month_on=None)
    if now == later:
        return now.as_audited()
    return {
        **now.as_audited(),
        "month_only": month_on.isoformat(),
        **later.as_audited("then_"),
    }


def _beneath(cap: SpendCap, organization: Organization) -> SpendCap | None:
    """The cap that holds for a member without one of their own."""
    if cap.membership_id is None or organization.plan != Plan.ENTERPRISE_SEAT:
        return None
    # Read anew: the seat may have changed since the caller loaded the member.
    seat = Membership.objects.filter(pk=cap.membership_id).values("seat_tier")
    return SpendCap.objects.filter(
        organization=organization, level=CapLevel.SEAT_TIER, seat_tier__in=seat
    ).first()


def _held(
    cap: SpendCap,
    own_nanos: int | None,
    *,
    beneath: SpendCap | None,
    month_on: dt.date | None,
) -> Held:
    """`month_on` is None for what holds in months to come."""
    if own_nanos is not None or cap.level != CapLevel.MEMBER:
        return Held(own_nanos)
    if beneath is None:
        return Held(None, is_own=False)
    nanos = beneath.amount_in(month_on) if month_on else beneath.amount_nanos
    if nanos is None:
        return Held(None, is_own=False)
    return Held(nanos, is_own=False, seat_tier=beneath.seat_tier)
