"""Another seat or another plan means other limits: each member's cap and windows, and
whether there is a balance, before and after (N1, N1a).

`accounts` calls it around its own acts, in their transaction and lock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from accounts.actions.watching import watch_limits
from accounts.models import Organization
from billing.funding.queries import organization_standing, standings_for
from billing.funding.rules.standing import OrganizationStanding, Standing
from billing.models import IncludedWindow, MemberMonth
from billing.models.limits import MOST_COUNTED_NANOS
from billing.notices.actions.limits import notice_moves
from billing.notices.actions.noticing import fallen_facts
from billing.notices.actions.writing import (
    overtake_balance,
    overtake_windows,
    write_notices,
)
from billing.notices.queries import edges_for
from billing.notices.rules.crossings import Reach
from billing.notices.rules.facts import (
    WindowMove,
    included_facts,
    member_move,
    of_window,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The organization, and the members concerned, at one moment."""

    organization: OrganizationStanding
    members: dict[int, Standing]


@watch_limits
def watch_members(
    locked: Organization, membership_id: int | None, now: dt.datetime
) -> Callable[[], None]:
    """Look at what limits a member, or everybody who used anything, and compare later."""
    before = _limits(locked, membership_id, now=now)

    def compare() -> None:
        after = _limits(locked, membership_id, now=now)
        _notice_caps(locked, before, after, now=now)
        for pk, standing in after.members.items():
            if pk in before.members:
                _notice_windows(before.members[pk], standing, now=now)
        if membership_id is None:
            _notice_settlement(before.organization, after.organization, now=now)

    return compare


def _limits(
    locked: Organization, membership_id: int | None, *, now: dt.datetime
) -> Limits:
    if membership_id is not None:
        members = standings_for(locked.pk, [membership_id], now=now)
        [standing] = members.values()
        return Limits(standing.organization, members)
    organization = organization_standing(locked.pk, now=now)
    spenders = MemberMonth.objects.filter(
        membership__organization=locked,
        month_on=organization.month.first_on,
        extra_nanos__gt=0,
    )
    users = IncludedWindow.objects.filter(
        membership__organization=locked, is_latest=True, resets_at__gt=now
    )
    ids = set(spenders.values_list("membership_id", flat=True)) | set(
        users.values_list("membership_id", flat=True)
    )
    return Limits(organization, standings_for(locked.pk, sorted(ids), now=now))


def _notice_caps(
    locked: Organization, before: Limits, after: Limits, *, now: dt.datetime
) -> None:
    moves = [
        member_move(standing, _reach(before.members[pk]), _reach(standing))
        for pk, standing in after.members.items()
        if pk in before.members and standing.is_active
    ]
    month_on = after.organization.month.first_on
    notice_moves(locked, moves, month_on=month_on, now=now)


def _reach(standing: Standing) -> Reach:
    return Reach(standing.spent_nanos, standing.cap.amount_nanos)


def _notice_windows(before: Standing, after: Standing, *, now: dt.datetime) -> None:
    """What is used of each open window, where the seat holds another amount of it."""
    held: dict[str, Reach] = {}
    moves = []
    now_by_name = {window.name: window for window in after.windows}
    for window in before.windows:
        if window.opened_at is None:
            continue
        subject = of_window(before.membership_id, window.name, window.opened_at)
        was = Reach(window.used_nanos, window.limit_nanos)
        present = now_by_name.get(window.name)
        if present is None or not after.organization.has_windows:
            held[subject] = Reach(window.used_nanos, None)
        elif present.limit_nanos > window.limit_nanos:
            held[subject] = Reach(present.used_nanos, present.limit_nanos)
        elif present.limit_nanos < window.limit_nanos:
            moves.append(WindowMove(present, was))
    if held:
        overtake_windows(held, membership_id=before.membership_id, now=now)
    if moves:
        organization = after.organization
        edges = edges_for(organization.id)
        write_notices(
            included_facts(after, moves, edges, now=now),
            organization_id=organization.id,
            month_on=organization.month.first_on,
            now=now,
        )


def _notice_settlement(
    before: OrganizationStanding, after: OrganizationStanding, *, now: dt.datetime
) -> None:
    """Who pays afterwards has no balance that could be low; who prepays from now on may
    have none left from the start.
    """
    if before.is_prepaid == after.is_prepaid:
        return
    if after.balance_nanos is None:
        overtake_balance(
            organization_id=after.id, balance_nanos=MOST_COUNTED_NANOS, now=now
        )
    elif after.is_on:
        facts = fallen_facts(
            after,
            before_nanos=MOST_COUNTED_NANOS,
            after_nanos=after.balance_nanos,
            edges=edges_for(after.id),
        )
        write_notices(
            facts, organization_id=after.id, month_on=after.month.first_on, now=now
        )
