"""What moved in a transaction, compared with what it was, as notices (N1).

Called by the acts that record and book, under the organization's lock and after their
own writes. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from accounts.models import Organization
from billing.funding.queries import organization_standing, standings_for
from billing.funding.rules.standing import OrganizationStanding, Standing
from billing.ledger.actions import watch_balance
from billing.models import LedgerEntry
from billing.notices.actions.writing import overtake_balance, write_notices
from billing.notices.queries import edges_for, low_mark, member_amounts
from billing.notices.rules.crossings import Reach
from billing.notices.rules.edges import Edges
from billing.notices.rules.facts import (
    Fact,
    WindowMove,
    balance_facts,
    included_facts,
    low_fact,
    member_facts,
    organization_facts,
)


class Spending(NamedTuple):
    """A member who spent this month, before and after."""

    standing: Standing
    before_nanos: int
    after_nanos: int


def spending_facts(
    organization: OrganizationStanding,
    members: Sequence[Spending],
    *,
    before_nanos: int,
    after_nanos: int,
    edges: Edges,
) -> list[Fact]:
    """What the organization and these members reached with what they spent, against caps
    that stayed as they are. Asks nothing, but where somebody has soft limits of their own.
    """
    cap = organization.cap.amount_nanos
    facts: list[Fact] = []
    if after_nanos > before_nanos:
        before, after = Reach(before_nanos, cap), Reach(after_nanos, cap)
        facts += organization_facts(before, after, edges)
    moved = [one for one in members if one.after_nanos > one.before_nanos]
    amounts = member_amounts(edges, [one.standing.membership_id for one in moved])
    for standing, before_spent, after_spent in moved:
        cap = standing.cap.amount_nanos
        facts += member_facts(
            standing,
            Reach(before_spent, cap),
            Reach(after_spent, cap),
            edges,
            amounts=amounts.get(standing.membership_id, ()),
        )
    return facts


def fallen_facts(
    organization: OrganizationStanding,
    *,
    before_nanos: int,
    after_nanos: int,
    edges: Edges,
) -> list[Fact]:
    """What a prepaid balance fell to."""
    if after_nanos >= before_nanos:
        return []
    return balance_facts(
        before_nanos,
        after_nanos,
        low_nanos=low_mark(organization, edges),
        auto_reload=organization.auto_reload,
    )


def notice_booked(
    organization_id: int,
    extra_by_member: Mapping[int, int],
    *,
    owed_nanos: int,
    now: dt.datetime,
) -> bool:
    """After differences of events were booked: what these members' extra usage of the
    open month became more (or, negative, less), and how much of it a prepaid balance
    owes. Whether there is something to tell.

    What falls leaves a notice as it is: only a raised limit or a purchase arms a
    threshold again, so counts that are corrected back and forth tell nobody twice.
    """
    added_nanos = sum(extra_by_member.values())
    rising = [pk for pk, nanos in extra_by_member.items() if nanos > 0]
    if added_nanos <= 0 and owed_nanos <= 0 and not rising:
        return False
    standings = standings_for(organization_id, rising, now=now)
    organization = (
        next(iter(standings.values())).organization
        if standings
        else organization_standing(organization_id, now=now)
    )
    edges = edges_for(organization_id)
    facts = spending_facts(
        organization,
        [
            Spending(one, one.spent_nanos - extra_by_member[pk], one.spent_nanos)
            for pk, one in standings.items()
        ],
        before_nanos=organization.spent_nanos - added_nanos,
        after_nanos=organization.spent_nanos,
        edges=edges,
    )
    if organization.balance_nanos is not None:
        facts += fallen_facts(
            organization,
            before_nanos=organization.balance_nanos + owed_nanos,
            after_nanos=organization.balance_nanos,
            edges=edges,
        )
    return write_notices(
        facts,
        organization_id=organization_id,
        month_on=organization.month.first_on,
        now=now,
    )


def notice_windows(
    organization_id: int,
    moves: Mapping[int, Sequence[WindowMove]],
    *,
    now: dt.datetime,
) -> bool:
    """After what was used of these members' windows was corrected (X4); whether there is
    something to tell.
    """
    if not moves:
        return False
    standings = standings_for(organization_id, list(moves), now=now)
    edges = edges_for(organization_id)
    facts: list[Fact] = []
    for membership_id, standing in standings.items():
        facts += included_facts(standing, moves[membership_id], edges, now=now)
        month_on = standing.organization.month.first_on
    if not facts:
        return False
    return write_notices(
        facts, organization_id=organization_id, month_on=month_on, now=now
    )


@watch_balance
def notice_entry(entry: LedgerEntry) -> None:
    """After something that is no usage was booked on a prepaid balance: lifted, it arms
    its marks again; fallen, it may have reached them.
    """
    now = entry.created_at
    if entry.amount_nanos > 0:
        overtake_balance(
            organization_id=entry.organization_id,
            balance_nanos=entry.balance_nanos,
            now=now,
        )
        return
    organization = organization_standing(entry.organization_id, now=now)
    # While extra usage is off nobody waits for it (C7).
    if not organization.is_prepaid or not organization.is_on:
        return
    facts = fallen_facts(
        organization,
        before_nanos=entry.balance_nanos - entry.amount_nanos,
        after_nanos=entry.balance_nanos,
        edges=edges_for(entry.organization_id),
    )
    write_notices(
        facts,
        organization_id=entry.organization_id,
        month_on=organization.month.first_on,
        now=now,
    )


def notice_unreloaded(locked: Organization, *, now: dt.datetime) -> bool:
    """After auto-reload was switched off: a balance that it let fall to the mark counts as
    low from now on. Whether there is something to tell.
    """
    organization = organization_standing(locked.pk, now=now)
    left = organization.balance_nanos
    if left is None or not organization.is_on or organization.auto_reload:
        return False
    low_nanos = low_balance(organization)
    if not 0 < left <= low_nanos:
        return False
    return write_notices(
        [low_fact(left, low_nanos=low_nanos)],
        organization_id=locked.pk,
        month_on=organization.month.first_on,
        now=now,
    )


def low_balance(organization: OrganizationStanding) -> int:
    """The balance that counts as low."""
    return low_mark(organization, edges_for(organization.id))
