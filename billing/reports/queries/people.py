"""Spend caps by user: everybody's cap, spending and status, searched, filtered, sorted
and paged in the database.

The status is E2's order of reasons as SQL; a test compares it with `rules.funding`.
What all members share (switch, scope, organization cap, balance) is read once before
and passed in. Read-only, fast at 10,000 members.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.models import Tier
from billing.funding.rules.standing import (
    SEAT_PLAN,
    USAGE_PLAN,
    CapSource,
    OrganizationStanding,
    Reason,
)

PAGE_SIZE = 50
ACTIVE, PAUSED, OFF = "active", "paused", "off"
PAUSING = (
    Reason.ORGANIZATION_CAP_REACHED,
    Reason.MEMBER_CAP_REACHED,
    Reason.SEAT_TIER_CAP_REACHED,
    Reason.BALANCE_EXHAUSTED,
)
NO_SEAT = "unassigned"
SORTS = {
    "person": "LOWER(name) {dir}, id {dir}",
    "seat": "seat_tier IS NULL {dir}, seat_tier {dir}, LOWER(name), id",
    "cap": "cap IS NULL {dir}, cap {dir}, LOWER(name), id",
    "spend": "spent {dir}, LOWER(name), id",
    "status": "standing {dir}, reason {dir}, LOWER(name), id",
}
DEFAULT_SORT = "-spend"

FACTS = """
WITH facts AS (
  SELECT m.id, {person}, m.seat_tier,
         sel.membership_id IS NOT NULL AS selected,
         CASE WHEN mc.month_on = %(month)s THEN mc.month_amount_nanos
             ELSE mc.amount_nanos END AS own_cap,
         mc.month_on = %(month)s AS own_month_only,
         CASE WHEN tc.month_on = %(month)s THEN tc.month_amount_nanos
             ELSE tc.amount_nanos END AS seat_cap,
         tc.month_on = %(month)s AS seat_month_only,
         COALESCE(mm.extra_nanos, 0) AS spent
    FROM accounts_membership m
    {users}
    LEFT JOIN billing_selectedmember sel ON sel.membership_id = m.id
    LEFT JOIN billing_spendcap mc ON mc.membership_id = m.id AND mc.level = 'member'
    LEFT JOIN billing_spendcap tc ON tc.organization_id = m.organization_id
        AND tc.level = 'seat_tier'
          AND tc.seat_tier = m.seat_tier AND %(seat_plan)s
    LEFT JOIN billing_membermonth mm ON mm.membership_id = m.id AND mm.month_on = %(month)s
   WHERE m.organization_id = %(organization)s AND m.status = 'active'
), people AS (
  SELECT facts.*, COALESCE(own_cap, seat_cap) AS cap,
         CASE WHEN own_cap IS NOT NULL THEN 'member'
              WHEN seat_cap IS NOT NULL THEN 'seat_tier'
              ELSE 'none' END AS source,
         CASE WHEN own_cap IS NOT NULL THEN own_month_only ELSE seat_month_only END AS month_only,
         CASE WHEN seat_tier IS NULL THEN 'seat_unassigned'
              WHEN NOT %(is_on)s THEN 'extra_usage_disabled'
              WHEN NOT (%(everyone)s OR selected) THEN 'member_not_enabled'
              WHEN %(cap_reached)s THEN 'organization_cap_reached'
              WHEN spent >= own_cap THEN 'member_cap_reached'
              WHEN own_cap IS NULL AND spent >= seat_cap THEN 'seat_tier_cap_reached'
              WHEN %(balance_gone)s THEN 'balance_exhausted'
              ELSE '' END AS reason
    FROM facts
), standings AS (
  SELECT people.*,
         CASE WHEN reason = '' THEN 'active'
              WHEN reason IN ('seat_unassigned', 'extra_usage_disabled',
                  'member_not_enabled') THEN 'off'
              ELSE 'paused' END AS standing
    FROM people
)
"""
# Counting needs nobody's name, and a join of 10,000 names is a third of its time.
PEOPLE = FACTS.format(
    person="u.name, u.email", users="JOIN accounts_user u ON u.id = m.user_id"
)
NAMELESS = FACTS.format(person="'' AS name", users="")


@dataclass(frozen=True, slots=True)
class Person:
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
    standing: str

    @property
    def seat_label(self) -> str:
        """The seat tier as people know it; empty without a seat."""
        return str(Tier(self.seat_tier).label) if self.seat_tier else ""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader asked for: words of a name or address, a seat, a standing, and
    the order.
    """

    words: tuple[str, ...] = ()
    seat: str = ""
    standing: str = ""
    sort: str = DEFAULT_SORT

    @property
    def column(self) -> str:
        """The column sorted by."""
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.sort.startswith("-")


@dataclass(slots=True)
class Counts:
    """How many people are active, paused, or without extra usage; and those of each seat."""

    active: int = 0
    paused: int = 0
    off: int = 0
    by_seat: dict[str | None, int] = field(default_factory=dict)
    capped_nanos: int = 0
    uncapped: int = 0

    @property
    def total(self) -> int:
        """Everybody."""
        return self.active + self.paused + self.off

    @property
    def enabled(self) -> int:
        """Those who have extra usage, paused or not."""
        return self.active + self.paused

    def of(self, standing: str) -> int:
        """How many are in `standing`; all for an empty one."""
        return int(getattr(self, standing)) if standing else self.total


def people(
    standing: OrganizationStanding,
    wanted: Filter,
    *,
    page: int | None = 1,
    size: int = PAGE_SIZE,
) -> list[Person]:
    """One page of the people wanted, or all of them with `page=None`."""
    where, params = _where(wanted, with_standing=True)
    direction = "DESC" if wanted.is_descending else "ASC"
    order = SORTS[wanted.column].replace("{dir}", direction)
    limit = "" if page is None else " LIMIT %(size)s OFFSET %(offset)s"
    params |= {"size": size, "offset": ((page or 1) - 1) * size}
    columns = (
        "id, name, email, seat_tier, cap, source, month_only, spent, reason, standing"
    )
    rows = _rows(
        f"{PEOPLE} SELECT {columns} FROM standings {where} ORDER BY {order}{limit}",
        params,
        standing,
    )
    return [_person(row) for row in rows]


def counts(standing: OrganizationStanding, wanted: Filter | None = None) -> Counts:
    """How many of the people wanted (their standing aside) are in each standing and seat."""
    wanted = wanted or Filter()
    where, params = _where(wanted, with_standing=False)
    facts, found = PEOPLE if wanted.words else NAMELESS, Counts()
    for state, seat, number, capped, caps in _rows(
        f"{facts} SELECT standing, seat_tier, COUNT(*), COUNT(cap), CAST(SUM(cap) AS"
        f" bigint) FROM standings {where} GROUP BY standing, seat_tier",
        params,
        standing,
    ):
        setattr(found, state, getattr(found, state) + number)
        found.by_seat[seat] = found.by_seat.get(seat, 0) + number
        if state != OFF:
            found.uncapped += number - capped
            found.capped_nanos += caps or 0
    return found


def _person(row: tuple[Any, ...]) -> Person:
    number, name, email, seat, cap, source, month_only, spent, reason, standing = row
    why = Reason(reason) if reason else None
    return Person(
        number,
        name or email,
        email,
        seat,
        cap,
        CapSource(source),
        bool(month_only),
        spent,
        why,
        standing,
    )


def _where(wanted: Filter, *, with_standing: bool) -> tuple[str, dict[str, Any]]:
    clauses, params = [], {}
    for place, word in enumerate(wanted.words):
        escaped = word.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params[f"word{place}"] = f"%{escaped}%"
        clauses.append(
            f"(LOWER(name) LIKE %(word{place})s ESCAPE '!' OR email LIKE"
            f" %(word{place})s ESCAPE '!')"
        )
    if wanted.seat:
        clauses.append(
            "seat_tier IS NULL" if wanted.seat == NO_SEAT else "seat_tier = %(seat)s"
        )
        params["seat"] = wanted.seat
    if wanted.standing and with_standing:
        clauses.append("standing = %(standing)s")
        params["standing"] = wanted.standing
    return ("WHERE " + " AND ".join(clauses) if clauses else ""), params


def shared_params(standing: OrganizationStanding) -> dict[str, Any]:
    """What all members share, as parameters of `PEOPLE`."""
    return {
        "organization": standing.id,
        "month": standing.month.first_on,
        "seat_plan": standing.plan == SEAT_PLAN,
        "is_on": standing.is_on,
        "everyone": standing.scope == "everyone" or standing.plan == USAGE_PLAN,
        "cap_reached": standing.cap.is_reached(standing.spent_nanos),
        "balance_gone": standing.balance_is_gone,
    }


def _rows(
    sql: str, params: dict[str, Any], standing: OrganizationStanding
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params | shared_params(standing))
        return list(cursor.fetchall())
