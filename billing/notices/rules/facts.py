"""What was crossed, as the facts that notices keep (N1, N5).

Pure: over standings and what was spent before. Amounts are nano-USD, times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from billing.funding.rules.decision import funding_or_reason
from billing.funding.rules.standing import (
    EXTRA_USAGE,
    CapSource,
    Standing,
    WindowState,
)
from billing.notices.rules.crossings import (
    Reach,
    has_fallen_to,
    newly_passed,
    newly_reached,
)
from billing.notices.rules.edges import Edges

# The kinds, as `NoticeKind` names them.
ORGANIZATION_CAP = "organization_cap"
MEMBER_CAP, SEAT_TIER_CAP = "member_cap", "seat_tier_cap"
INCLUDED_USAGE, CHANGEOVER = "included_usage", "changeover"
SOFT_LIMIT = "soft_limit"
BALANCE_LOW, BALANCE_EXHAUSTED = "balance_low", "balance_exhausted"
BALANCE_SHORT = "balance_short"

KIND_BY_SOURCE = {
    CapSource.MEMBER: MEMBER_CAP,
    CapSource.SEAT_TIER: SEAT_TIER_CAP,
}
OF_ORGANIZATION = "organization"
# A check that refuses so would let extra usage begin, once its member said yes (N5).
ASKING_REASONS = frozenset({"confirmation_needed"})
# Levels of soft limits, as `SoftLimitLevel` names them.
AT_ORGANIZATION, AT_TIER, AT_MEMBER = "organization", "seat_tier", "member"


def of_member(membership_id: int) -> str:
    """The subject of what one member reached this month."""
    return f"member:{membership_id}"


def of_window(membership_id: int, name: str, opened_at: dt.datetime) -> str:
    """The subject of what one member reached in one window."""
    opened = opened_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return f"window:{membership_id}:{name}:{opened}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One crossing, before anybody asked whether it was noticed already."""

    kind: str
    subject: str
    edge: int
    membership_id: int | None = None
    percent: int | None = None
    limit_nanos: int | None = None
    spent_nanos: int | None = None
    window: str = ""
    resets_at: dt.datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class WindowMove(NamedTuple):
    """A window as it stands, and what was used of it, and how much it held, before."""

    window: WindowState
    before: Reach

    @property
    def after(self) -> Reach:
        """What is used of it now."""
        return Reach(self.window.used_nanos, self.window.limit_nanos)


class CapMove(NamedTuple):
    """Somebody's spending and the cap that holds for them, before and after; `kind` is
    that of the cap after.
    """

    kind: str
    subject: str
    before: Reach
    after: Reach
    membership_id: int | None = None

    @property
    def is_raised(self) -> bool:
        """Whether the limit is higher than it was, or gone."""
        before, after = self.before.limit_nanos, self.after.limit_nanos
        return before is not None and (after is None or after > before)


def cap_facts(move: CapMove, edges: Edges) -> list[Fact]:
    """What was reached of a cap."""
    is_all = move.membership_id is None
    percents = edges.organization if is_all else edges.member
    percent = newly_reached(move.before, move.after, percents)
    if percent is None:
        return []
    fact = Fact(
        move.kind,
        move.subject,
        percent,
        membership_id=move.membership_id,
        percent=percent,
        limit_nanos=move.after.limit_nanos,
        spent_nanos=move.after.spent_nanos,
    )
    return [fact]


def organization_facts(before: Reach, after: Reach, edges: Edges) -> list[Fact]:
    """What the organization reached: of its cap, and of its soft limits."""
    move = CapMove(ORGANIZATION_CAP, OF_ORGANIZATION, before, after)
    found = cap_facts(move, edges)
    amount = newly_passed(before.spent_nanos, after.spent_nanos, edges.amounts)
    if amount is not None:
        found.append(_soft_fact(OF_ORGANIZATION, amount, after, AT_ORGANIZATION))
    return found


def member_facts(
    standing: Standing,
    before: Reach,
    after: Reach,
    edges: Edges,
    *,
    amounts: Iterable[int] = (),
) -> list[Fact]:
    """What a member reached: of the cap that holds for them (`after`), of their seat's
    soft limits and of their own (`amounts`). Nobody's line and who may not use anything
    are told nothing.
    """
    if standing.is_nobody or not standing.is_active:
        return []
    found = cap_facts(member_move(standing, before, after), edges)
    tiers = edges.tier_amounts.get(standing.seat_tier or "", ())
    levels = dict.fromkeys(tiers, AT_TIER) | dict.fromkeys(amounts, AT_MEMBER)
    amount = newly_passed(before.spent_nanos, after.spent_nanos, levels)
    if amount is not None:
        pk = standing.membership_id
        found.append(_soft_fact(of_member(pk), amount, after, levels[amount], pk))
    return found


def member_move(standing: Standing, before: Reach, after: Reach) -> CapMove:
    """A member under the cap that holds for them; without one its kind is no matter."""
    kind = KIND_BY_SOURCE.get(standing.cap_source, MEMBER_CAP)
    subject = of_member(standing.membership_id)
    return CapMove(kind, subject, before, after, standing.membership_id)


def _soft_fact(
    subject: str,
    amount: int,
    reach: Reach,
    level: str,
    membership_id: int | None = None,
) -> Fact:
    return Fact(
        SOFT_LIMIT,
        subject,
        amount,
        membership_id=membership_id,
        limit_nanos=amount,
        spent_nanos=reach.spent_nanos,
        facts={"level": level},
    )


def included_facts(
    standing: Standing,
    moves: Sequence[WindowMove],
    edges: Edges,
    *,
    has_begun: bool = False,
    now: dt.datetime,
) -> list[Fact]:
    """What a member reached of their included usage in the windows that are open at
    `now`. Of several that are used up at once only the one that resets last is told.

    Where extra usage begins then, or `has_begun` meanwhile, that is told instead,
    whatever the percentages (N5).
    """
    if standing.is_nobody or not standing.is_active:
        return []
    open_moves = [
        move for move in moves if move.window.resets_at and now < move.window.resets_at
    ]
    used_up = [
        move for move in open_moves if newly_reached(move.before, move.after, [100])
    ]
    told = [move for move in open_moves if move not in used_up]
    facts = []
    if used_up:
        last = max(used_up, key=_resets_at)
        if has_begun or extra_usage_begins(standing):
            facts.append(_window_fact(CHANGEOVER, standing, last, 100))
        else:
            told.append(last)
    for move in told:
        percent = newly_reached(move.before, move.after, edges.included)
        if percent is not None:
            facts.append(_window_fact(INCLUDED_USAGE, standing, move, percent))
    return facts


def _resets_at(move: WindowMove) -> dt.datetime:
    assert move.window.resets_at is not None
    return move.window.resets_at


def extra_usage_begins(standing: Standing) -> bool:
    """Whether extra usage pays for the member's next request, or would once they said
    yes.
    """
    funding, reason = funding_or_reason(standing, standing.windows)
    return funding == EXTRA_USAGE or reason in ASKING_REASONS


def _window_fact(kind: str, standing: Standing, move: WindowMove, percent: int) -> Fact:
    window = move.window
    assert window.opened_at is not None
    return Fact(
        kind,
        of_window(standing.membership_id, window.name, window.opened_at),
        percent,
        membership_id=standing.membership_id,
        percent=percent,
        limit_nanos=window.limit_nanos,
        spent_nanos=window.used_nanos,
        window=window.name,
        resets_at=window.resets_at,
    )


def balance_facts(
    before_nanos: int, after_nanos: int, *, low_nanos: int, auto_reload: bool
) -> list[Fact]:
    """What a prepaid balance fell to: nothing, or what counts as low where no
    auto-reload lifts it. A fall past both is told as the first.
    """
    if has_fallen_to(0, before_nanos=before_nanos, after_nanos=after_nanos):
        return [_balance_fact(BALANCE_EXHAUSTED, 0, after_nanos)]
    is_low = has_fallen_to(
        low_nanos, before_nanos=before_nanos, after_nanos=after_nanos
    )
    if is_low and not auto_reload:
        return [_balance_fact(BALANCE_LOW, low_nanos, after_nanos)]
    return []


def _balance_fact(kind: str, edge: int, left_nanos: int) -> Fact:
    return Fact(
        kind, OF_ORGANIZATION, edge, limit_nanos=edge, facts={"left_nanos": left_nanos}
    )


def short_fact(left_nanos: int, *, ends_on: dt.date) -> Fact:
    """That a balance would not last the month, and on which day it would end."""
    facts = {"left_nanos": left_nanos, "ends_on": ends_on.isoformat()}
    return Fact(BALANCE_SHORT, OF_ORGANIZATION, 0, facts=facts)


def low_fact(left_nanos: int, *, low_nanos: int) -> Fact:
    """That a balance is low, though it did not fall just now."""
    return _balance_fact(BALANCE_LOW, low_nanos, left_nanos)
