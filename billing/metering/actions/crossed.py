"""What a batch reached of caps, included usage, soft limits and the balance (N1): read off
what it counted, without asking the database.

Replaced counts (X4) are not among it: booking them looks for itself.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from billing.funding.queries import OPENED_BY, Standings
from billing.funding.rules.seats import sit_as_of
from billing.metering.actions.batch import Batch
from billing.notices.actions.noticing import Spending, fallen_facts, spending_facts
from billing.notices.actions.writing import write_notices
from billing.notices.queries import EDGES
from billing.notices.rules.crossings import Reach
from billing.notices.rules.edges import Edges, edges_of
from billing.notices.rules.facts import Fact, WindowMove, included_facts
from config.kit.sql import Result, run


def read_edges(opener: str, opened_by: int | str) -> Result:
    """At what the organization's people are told: sent, not waited for.

    By a statement of its own, behind the lock: within the one that waited for the lock it
    would be what was set before somebody changed it meanwhile.
    """
    return run(f"SELECT {EDGES}{opener} WHERE {OPENED_BY[opener]}", [opened_by])


def edges_read(edges: Result) -> Edges:
    """What `read_edges` asked for; the defaults where its key was revoked just now."""
    rows = edges.rows()
    return edges_of(rows[0][0] if rows else None)


def write_crossings(batch: Batch, edges: Edges, *, now: dt.datetime) -> bool:
    """Write the notices of what the batch reached; whether there is something to tell."""
    standings = batch.standings
    if standings is None or not batch.rows:
        return False
    _sit_now(standings, now=now)
    return write_notices(
        [
            *_of_spending(batch, standings, edges),
            *_of_included(batch, standings, edges, now=now),
        ],
        organization_id=batch.organization_id,
        month_on=standings.organization.month.first_on,
        now=now,
    )


def _sit_now(standings: Standings, *, now: dt.datetime) -> None:
    """Judge by the seat that each holds, not by the one of their last event."""
    for membership_id, history in standings.histories.items():
        sit_as_of(standings.by_id[membership_id], history, now)


def _of_spending(batch: Batch, standings: Standings, edges: Edges) -> list[Fact]:
    """Extra usage of the running month; that of an earlier one, still open, uses up none
    of this month's caps.
    """
    organization = standings.organization
    month_on = organization.month.first_on
    counted = batch.tally.organization_months.get(month_on)
    added_nanos = counted.extra if counted else 0
    owed_nanos = sum(batch.tally.pending.values())
    if not (added_nanos or owed_nanos):
        return []
    facts = spending_facts(
        organization,
        _spending_members(batch, standings, month_on=month_on),
        before_nanos=batch.spent_nanos,
        after_nanos=batch.spent_nanos + added_nanos,
        edges=edges,
    )
    if batch.opening_nanos is not None and owed_nanos:
        facts += fallen_facts(
            organization,
            before_nanos=batch.opening_nanos,
            after_nanos=batch.opening_nanos - owed_nanos,
            edges=edges,
        )
    return facts


def _spending_members(
    batch: Batch, standings: Standings, *, month_on: dt.date
) -> list[Spending]:
    """Nobody's line is no member."""
    members = []
    for (membership_id, counted_on), count in batch.tally.member_months.items():
        standing = standings.by_id.get(membership_id)
        if standing is not None and counted_on == month_on and count.extra:
            before_nanos = batch.spent_by_member[membership_id]
            members.append(Spending(standing, before_nanos, before_nanos + count.extra))
    return members


def _of_included(
    batch: Batch, standings: Standings, edges: Edges, *, now: dt.datetime
) -> list[Fact]:
    moves: dict[int, list[WindowMove]] = defaultdict(list)
    for use in batch.windows.uses.values():
        window = use.window
        before = Reach(window.used_nanos - use.added_nanos, window.limit_nanos)
        moves[use.membership_id].append(WindowMove(window, before))
    facts: list[Fact] = []
    for membership_id, windows in moves.items():
        facts += included_facts(
            standings.by_id[membership_id],
            windows,
            edges,
            has_begun=_has_extra(batch, standings, membership_id),
            now=now,
        )
    return facts


def _has_extra(batch: Batch, standings: Standings, membership_id: int) -> bool:
    """Whether later events of the same batch were extra usage of the member already."""
    month_on = standings.organization.month.first_on
    count = batch.tally.member_months.get((membership_id, month_on))
    return count is not None and count.extra > 0
