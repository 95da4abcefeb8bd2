"""Spend caps by user: every member's cap, spending and status, searched, filtered, sorted
and paged in the database.

Who was removed but has spent this month is among them, so that the rows add up to what
the organization has spent, but for usage that is nobody's (X2): that is not a person's.

The status is E2's order of reasons as SQL; a test compares it with `funding.rules`.
What all members share (switch, scope, organization cap, balance) is read once before
and passed in. Read-only, fast at 10,000 members.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.models import Membership, Tier
from billing.funding.rules.standing import (
    SEAT_PLAN,
    USAGE_PLAN,
    CapSource,
    OrganizationStanding,
    Reason,
)
from billing.models import MemberMonth
from config.kit.addresses import canonical_address
from config.kit.money import NANOS_PER_CENT
from config.kit.sql import db_time, like_pattern

PAGE_SIZE = 50
ACTIVE, PAUSED, OFF, REMOVED = "active", "paused", "off", "removed"
NO_SEAT = "unassigned"
SORTS = {
    "person": "LOWER(name) {dir}, id {dir}",
    "seat": "seat_tier IS NULL {dir}, seat_tier {dir}, LOWER(name), id",
    "cap": "cap IS NULL {dir}, cap {dir}, LOWER(name), id",
    "spend": "spent {dir}, LOWER(name), id",
    "status": "state {dir}, reason {dir}, LOWER(name), id",
}
DEFAULT_SORT = "-spend"

# Whose included usage is used up, or who have none, and who have not said yes (N5).
WAITS = """(
    NOT EXISTS (
        SELECT 1 FROM billing_extrausageconfirmation y
         WHERE y.membership_id = facts.id AND y.until_at > %(now)s
    ) AND (
        EXISTS (
            SELECT 1 FROM billing_seatallowance a
              LEFT JOIN billing_includedwindow w
                     ON w.membership_id = facts.id
                    AND w.name = a.name
                    AND w.is_latest
                    AND w.resets_at > %(now)s
             WHERE a.plan = %(plan)s
               AND a.seat_tier = facts.seat_tier
               AND COALESCE(w.used_nanos, 0) >= a.amount_nanos
        ) OR NOT EXISTS (
            SELECT 1 FROM billing_seatallowance a
             WHERE a.plan = %(plan)s AND a.seat_tier = facts.seat_tier
        )
    )
)"""
FACTS = """
WITH facts AS (
    SELECT m.id,
           {person},
           m.seat_tier,
           m.status <> 'active' AS is_removed,
           {switched_off} AS is_switched_off,
           selected.membership_id IS NOT NULL AS is_selected,
           CASE WHEN own.month_on = %(month)s THEN own.month_amount_nanos
                ELSE own.amount_nanos
           END AS own_cap,
           own.month_on = %(month)s AS own_month_only,
           CASE WHEN seat.month_on = %(month)s THEN seat.month_amount_nanos
                ELSE seat.amount_nanos
           END AS seat_cap,
           seat.month_on = %(month)s AS seat_month_only,
           COALESCE(this_month.extra_nanos, 0) AS spent
      FROM accounts_membership m
      {users}
      LEFT JOIN billing_selectedmember selected
             ON selected.membership_id = m.id
      LEFT JOIN billing_spendcap own
             ON own.membership_id = m.id
            AND own.level = 'member'
      LEFT JOIN billing_spendcap seat
             ON seat.organization_id = m.organization_id
            AND seat.level = 'seat_tier'
            AND seat.seat_tier = m.seat_tier
            AND %(seat_plan)s
      LEFT JOIN billing_membermonth this_month
             ON this_month.membership_id = m.id
            AND this_month.month_on = %(month)s
     WHERE m.organization_id = %(organization)s
       AND m.status <> 'nobody'
       AND (m.status = 'active' OR this_month.extra_nanos <> 0)
), checked AS (
    SELECT facts.*,
           COALESCE(own_cap, seat_cap) AS cap,
           CASE WHEN own_cap IS NOT NULL THEN 'member'
                WHEN seat_cap IS NOT NULL THEN 'seat_tier'
                ELSE 'none'
           END AS source,
           CASE WHEN own_cap IS NOT NULL THEN own_month_only
                ELSE seat_month_only
           END AS month_only,
           CASE WHEN is_removed OR is_switched_off THEN 'member_inactive'
                WHEN seat_tier IS NULL THEN 'seat_unassigned'
                WHEN NOT %(is_on)s THEN 'extra_usage_disabled'
                WHEN NOT (%(everyone)s OR is_selected) THEN 'member_not_enabled'
                WHEN %(cap_reached)s THEN 'organization_cap_reached'
                WHEN spent >= own_cap THEN 'member_cap_reached'
                WHEN own_cap IS NULL AND spent >= seat_cap THEN 'seat_tier_cap_reached'
                WHEN %(balance_gone)s THEN 'balance_exhausted'
                WHEN %(asks_first)s AND {waits} THEN 'confirmation_needed'
                ELSE ''
           END AS reason
      FROM facts
), members AS (
    SELECT checked.*,
           CASE WHEN is_removed THEN 'removed'
                WHEN reason = '' THEN 'active'
                WHEN reason IN (
                    'member_inactive', 'seat_unassigned', 'extra_usage_disabled',
                    'member_not_enabled'
                ) THEN 'off'
                ELSE 'paused'
           END AS state
      FROM checked
)
"""
# Counting needs nobody's name, and a join of 10,000 names is a third of its time.
NAMED = FACTS.format(
    person="u.name, u.email",
    switched_off="NOT u.is_active",
    users="JOIN accounts_user u ON u.id = m.user_id",
    waits=WAITS,
)
NAMELESS = FACTS.format(
    person="'' AS name",
    switched_off="m.user_id IN (SELECT id FROM accounts_user WHERE NOT is_active)",
    users="",
    waits=WAITS,
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A row of the table: amounts in nano-USD, `cap_nanos` None is unlimited, `reason`
    empty while active.
    """

    id: int
    name: str
    email: str
    seat_tier: str | None
    cap_nanos: int | None
    cap_source: CapSource
    cap_month_only: bool
    spent_nanos: int
    reason: Reason | None
    state: str

    @property
    def is_removed(self) -> bool:
        """Whether the person has left since they spent it: there is no cap to speak of."""
        return self.state == REMOVED

    @property
    def seat_label(self) -> str:
        """The seat tier as people know it; empty without a seat."""
        return Tier.label_of(self.seat_tier)


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """What the reader asked for: words of a name or address, a seat tier, a state, and
    the order; `ids` leaves these memberships alone.
    """

    words: tuple[str, ...] = ()
    seat: str = ""
    state: str = ""
    sort: str = DEFAULT_SORT
    ids: tuple[int, ...] | None = None

    @property
    def column(self) -> str:
        """The column sorted by."""
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.sort.startswith("-")


@dataclass(slots=True)
class MemberCounts:
    """How many members are active, paused, or without extra usage (`off`), and how many
    are on each seat tier; `removed` are the people who have left but spent this month.

    Of those who have it: the sum of their caps (nano-USD), how many have none, and how
    many have reached theirs, whatever else stops them.
    """

    active: int = 0
    paused: int = 0
    off: int = 0
    removed: int = 0
    by_seat_tier: dict[str | None, int] = field(default_factory=dict)
    capped_nanos: int = 0
    uncapped: int = 0
    at_own_cap: int = 0

    @property
    def total(self) -> int:
        """All members."""
        return self.active + self.paused + self.off

    @property
    def listed(self) -> int:
        """All rows of the table."""
        return self.total + self.removed

    @property
    def enabled(self) -> int:
        """Those who have extra usage, paused or not."""
        return self.active + self.paused

    def of(self, state: str) -> int:
        """How many rows are in `state`; all for an empty one."""
        return int(getattr(self, state)) if state else self.listed


def member_rows(
    standing: OrganizationStanding,
    filters: MemberFilter,
    *,
    page: int | None = 1,
    size: int = PAGE_SIZE,
) -> list[MemberRow]:
    """One page of the members that the filters leave, or all of them with `page=None`."""
    where, params = _where(filters, by_state=True)
    direction = "DESC" if filters.is_descending else "ASC"
    order = SORTS[filters.column].replace("{dir}", direction)
    limit = "" if page is None else "LIMIT %(size)s OFFSET %(offset)s"
    params |= {"size": size, "offset": ((page or 1) - 1) * size}
    sql = f"""
{NAMED}
SELECT id, name, email, seat_tier, cap, source, month_only, spent, reason, state
  FROM members
 {where}
 ORDER BY {order}
 {limit}
"""
    return [_member_row(row) for row in _rows(sql, params, standing)]


def member_counts(
    standing: OrganizationStanding, filters: MemberFilter | None = None
) -> MemberCounts:
    """How many of the members that the filters leave (their state aside) are in each
    state and on each seat tier.
    """
    filters = filters or MemberFilter()
    where, params = _where(filters, by_state=False)
    sql = f"""
{NAMED if filters.words else NAMELESS}
SELECT state, seat_tier, COUNT(*), COUNT(cap),
       CAST(SUM(cap / {NANOS_PER_CENT}) AS bigint),
       SUM(CASE WHEN spent >= cap THEN 1 ELSE 0 END)
  FROM members
 {where}
 GROUP BY state, seat_tier
"""
    counts = MemberCounts()
    # Caps are whole cents; the nano-USD of ten thousand large ones pass 64 bits.
    for row in _rows(sql, params, standing):
        state, seat_tier, number, capped, cents, at_cap = row
        setattr(counts, state, getattr(counts, state) + number)
        if state == REMOVED:
            continue
        counts.by_seat_tier[seat_tier] = counts.by_seat_tier.get(seat_tier, 0) + number
        if state != OFF:
            counts.uncapped += number - capped
            counts.capped_nanos += (cents or 0) * NANOS_PER_CENT
            counts.at_own_cap += at_cap
    return counts


def unattributed_nanos(standing: OrganizationStanding) -> int:
    """What of this month's extra usage is nobody's (X2), and so in no row of the table."""
    months = MemberMonth.objects.filter(
        membership__organization=standing.id,
        membership__status=Membership.Status.NOBODY,
        month_on=standing.month.first_on,
    )
    return months.values_list("extra_nanos", flat=True).first() or 0


def _member_row(row: tuple[Any, ...]) -> MemberRow:
    pk, name, email, seat_tier, cap, source, month_only, spent, reason, state = row
    return MemberRow(
        pk,
        name or email,
        email,
        seat_tier,
        cap,
        CapSource(source),
        bool(month_only),
        spent,
        Reason(reason) if reason else None,
        state,
    )


def _where(filters: MemberFilter, *, by_state: bool) -> tuple[str, dict[str, Any]]:
    clauses, params = [], {}
    for place, word in enumerate(filters.words):
        params[f"word{place}"] = like_pattern(word.lower())
        params[f"address{place}"] = like_pattern(canonical_address(word))
        clauses.append(
            f"(LOWER(name) LIKE %(word{place})s ESCAPE '!'"
            f" OR email LIKE %(address{place})s ESCAPE '!')"
        )
    if filters.ids is not None:
        ids = ", ".join(str(int(one)) for one in filters.ids)
        clauses.append(f"id IN ({ids or 'NULL'})")
    if filters.seat == NO_SEAT:
        clauses.append("seat_tier IS NULL AND NOT is_removed")
    elif filters.seat:
        clauses.append("seat_tier = %(seat)s")
        params["seat"] = filters.seat
    if filters.state and by_state:
        clauses.append("state = %(state)s")
        params["state"] = filters.state
    return ("WHERE " + " AND ".join(clauses) if clauses else ""), params


def shared_params(standing: OrganizationStanding) -> dict[str, Any]:
    """What all members share, as parameters of `FACTS`."""
    return {
        "organization": standing.id,
        "month": standing.month.first_on,
        "seat_plan": standing.plan == SEAT_PLAN,
        "is_on": standing.is_on,
        "everyone": standing.scope == "everyone" or standing.plan == USAGE_PLAN,
        "cap_reached": standing.cap.is_reached(standing.spent_nanos),
        "balance_gone": standing.balance_is_gone,
        "asks_first": standing.asks_first,
        "plan": standing.plan,
        "now": db_time(standing.read_at) if standing.read_at else None,
    }


def _rows(
    sql: str, params: dict[str, Any], standing: OrganizationStanding
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params | shared_params(standing))
        return list(cursor.fetchall())
