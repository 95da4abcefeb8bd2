"""Whom a seat's included usage touches. Read-only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Membership
from billing.models import (
    BillingAccount,
    ExtraUsageScope,
    IncludedWindow,
    SeatAllowance,
    SelectedMember,
)

AllowanceKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SeatPeople:
    """Who has a seat of a tier on a plan: people, in how many organizations."""

    people: int
    organizations: int


def people_on(plan: str, seat_tier: str) -> SeatPeople:
    """Everybody who has that seat now."""
    ids = _members(plan, seat_tier).values_list("organization_id", flat=True)
    return SeatPeople(ids.count(), ids.order_by().distinct().count())


def allowances_of(plan: str, seat_tier: str) -> dict[str, SeatAllowance]:
    """What a seat includes, by window."""
    rows = SeatAllowance.objects.filter(plan=plan, seat_tier=seat_tier)
    return {row.name: row for row in rows}


def out_of_included(
    plan: str, seat_tier: str, amounts: dict[str, int], *, now: dt.datetime
) -> QuerySet[Membership]:
    """The people for whom nothing included is left where windows include `amounts`
    (nano-USD by window): one is used up, or there is none.
    """
    members = _members(plan, seat_tier)
    if not amounts:
        return members
    used_up = Q()
    for name, amount in amounts.items():
        if amount <= 0:
            return members
        windows = IncludedWindow.objects.filter(
            name=name, is_latest=True, resets_at__gt=now, used_nanos__gte=amount
        )
        used_up |= Q(pk__in=windows.values("membership_id"))
    return members.filter(used_up)


def without_extra_usage(members: QuerySet[Membership]) -> int:
    """How many of them can't go on with extra usage because their organization has it
    off, or not for them; others may still be at a cap.
    """
    accounts = BillingAccount.objects.filter(
        organization=OuterRef("organization"), extra_usage_enabled=True
    )
    selected = SelectedMember.objects.filter(membership=OuterRef("pk"))
    for_everyone = Exists(accounts.filter(scope=ExtraUsageScope.EVERYONE))
    for_them = Q(Exists(accounts)) & Q(Exists(selected))
    return members.exclude(Q(for_everyone) | for_them).count()


def _members(plan: str, seat_tier: str) -> QuerySet[Membership]:
    return Membership.objects.on_seat(seat_tier).filter(organization__plan=plan)
