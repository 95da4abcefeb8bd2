"""Limits that were set anew, compared with what is spent of them already: a lowered one
may be reached at once, a raised one arms its thresholds again (N1, N1a).

Called by the acts that set them, in their transaction and lock. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Exists, OuterRef, Q

from accounts.models import Organization
from billing.funding.queries import standing_of
from billing.funding.rules.standing import NO_CAP
from billing.models import (
    CapLevel,
    MemberMonth,
    Notice,
    OrganizationMonth,
    SpendCap,
)
from billing.notices.actions.writing import (
    CAP_KINDS,
    overtake_caps,
    write_notices,
)
from billing.notices.queries import edges_for
from billing.notices.rules.crossings import Reach
from billing.notices.rules.facts import (
    OF_ORGANIZATION,
    ORGANIZATION_CAP,
    SEAT_TIER_CAP,
    CapMove,
    cap_facts,
    member_move,
    of_member,
)


def notice_cap(
    cap: SpendCap,
    locked: Organization,
    *,
    from_nanos: int | None,
    to_nanos: int | None,
    month_on: dt.date,
    now: dt.datetime,
) -> bool:
    """After a cap of the month was set; None is unlimited. Whether there is something to
    tell.

    Where nothing is spent under it only a raise is looked at: what was spent and told of
    may have been corrected to nothing since.
    """
    if from_nanos == to_nanos:
        return False
    if cap.level == CapLevel.ORGANIZATION:
        moves = _of_organization(locked, from_nanos, to_nanos, month_on=month_on)
    elif cap.level == CapLevel.SEAT_TIER:
        moves = _of_tier(cap, from_nanos, to_nanos, month_on=month_on)
    else:
        moves = _of_member(cap, locked, from_nanos, now=now)
    return notice_moves(locked, moves, month_on=month_on, now=now)


def notice_moves(
    locked: Organization,
    moves: Sequence[CapMove],
    *,
    month_on: dt.date,
    now: dt.datetime,
) -> bool:
    """Mark what raised caps have overtaken, then write what lowered ones made reached;
    whether there is something to tell.
    """
    held = {move.subject: move.after for move in moves if move.is_raised}
    if held:
        overtake_caps(held, organization_id=locked.pk, month_on=month_on, now=now)
    lowered = [
        move for move in moves if not move.is_raised and move.before != move.after
    ]
    if not lowered:
        return False
    edges = edges_for(locked.pk)
    return write_notices(
        [fact for move in lowered for fact in cap_facts(move, edges)],
        organization_id=locked.pk,
        month_on=month_on,
        now=now,
    )


def _of_organization(
    locked: Organization,
    from_nanos: int | None,
    to_nanos: int | None,
    *,
    month_on: dt.date,
) -> list[CapMove]:
    months = OrganizationMonth.objects.filter(organization=locked, month_on=month_on)
    spent = months.values_list("extra_nanos", flat=True).first()
    if spent is None:
        return []
    before, after = Reach(spent, from_nanos), Reach(spent, to_nanos)
    return [CapMove(ORGANIZATION_CAP, OF_ORGANIZATION, before, after)]


def _of_tier(
    cap: SpendCap,
    from_nanos: int | None,
    to_nanos: int | None,
    *,
    month_on: dt.date,
) -> list[CapMove]:
    """Those on the tier who spent anything, or were told that they did, and have no cap of
    their own, in one query.
    """
    own = SpendCap.objects.filter(
        Q(month_on=month_on, month_amount_nanos__isnull=False)
        | (
            (Q(month_on__isnull=True) | ~Q(month_on=month_on))
            & Q(amount_nanos__isnull=False)
        ),
        level=CapLevel.MEMBER,
        membership=OuterRef("membership"),
    )
    told = Notice.objects.live().filter(
        membership=OuterRef("membership"), month_on=month_on, kind__in=CAP_KINDS
    )
    spent = MemberMonth.objects.filter(
        ~Exists(own),
        Q(extra_nanos__gt=0) | Exists(told),
        membership__organization=cap.organization_id,
        membership__seat_tier=cap.seat_tier,
        membership__status="active",
        membership__user__is_active=True,
        month_on=month_on,
    ).values_list("membership_id", "extra_nanos")
    return [
        CapMove(
            SEAT_TIER_CAP,
            of_member(pk),
            Reach(nanos, from_nanos),
            Reach(nanos, to_nanos),
            pk,
        )
        for pk, nanos in spent
    ]


def _of_member(
    cap: SpendCap, locked: Organization, from_nanos: int | None, *, now: dt.datetime
) -> list[CapMove]:
    """What holds for them before and after: without a cap of their own the seat's (C2)."""
    assert cap.membership_id is not None
    standing = standing_of(cap.membership_id, organization_id=locked.pk, now=now)
    spent = standing.spent_nanos
    if not standing.is_active:
        return []
    if from_nanos is None:
        from_nanos = replace(standing, own_cap=NO_CAP).cap.amount_nanos
    before, after = Reach(spent, from_nanos), Reach(spent, standing.cap.amount_nanos)
    return [member_move(standing, before, after)]
