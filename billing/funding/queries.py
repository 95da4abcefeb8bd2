"""One member's standing: the one query behind the check, the recorder and the pages.

A single statement joins key, organization, switch, caps, counters and windows, so that
a check costs one round trip. Read-only.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from accounts.models.organizations import calendar_of
from accounts.queries import is_membership_id
from billing.funding.rules.standing import (
    Cap,
    OrganizationStanding,
    Standing,
    WindowState,
)
from config.kit.months import Calendar, Month, first_of_month, previous_month
from config.kit.sql import Row, as_date, as_text, as_time, in_list, list_param, run

# The widest offsets in use: the month at an instant is that of one of these two local dates.
EAST, WEST = dt.timedelta(hours=14), dt.timedelta(hours=-12)


class Columns(NamedTuple):
    """The columns of a row, in order; `Columns._fields` builds the SELECT."""

    key_id: Any = "k.id"
    key_scopes: Any = "k.scopes"
    organization_id: Any = "o.id"
    slug: Any = "o.slug"
    organization_name: Any = "o.name"
    plan: Any = "o.plan"
    settlement: Any = "o.settlement"
    timezone: Any = "o.timezone"
    past_timezones: Any = "o.past_timezones"
    # Only the recorder needs it, and only before the first close.
    created_at: Any = "CASE WHEN acc.frozen_through_on IS NULL THEN o.created_at END"
    requests_enabled: Any = "o.requests_enabled"
    enabled: Any = "acc.extra_usage_enabled"
    scope: Any = "acc.scope"
    ledger: Any = "acc.ledger_nanos"
    pending: Any = "acc.pending_nanos"
    auto_reload: Any = "acc.auto_reload_enabled"
    reload_threshold: Any = "acc.reload_threshold_nanos"
    frozen_through: Any = "acc.frozen_through_on"
    membership_id: Any = "m.id"
    status: Any = "m.status"
    seat_tier: Any = "m.seat_tier"
    selected: Any = "sel.membership_id"
    email: Any = "u.email"
    person: Any = "u.name"
    language: Any = "u.language"
    cap: Any = "oc.amount_nanos"
    cap_month_on: Any = "oc.month_on"
    cap_month: Any = "oc.month_amount_nanos"
    seat_cap: Any = "tc.amount_nanos"
    seat_cap_month_on: Any = "tc.month_on"
    seat_cap_month: Any = "tc.month_amount_nanos"
    own_cap: Any = "mc.amount_nanos"
    own_cap_month_on: Any = "mc.month_on"
    own_cap_month: Any = "mc.month_amount_nanos"
    organization_month_on: Any = "om.month_on"
    organization_spent: Any = "om.extra_nanos"
    member_month_on: Any = "mm.month_on"
    member_spent: Any = "mm.extra_nanos"
    window: Any = "a.name"
    window_seconds: Any = "a.length_seconds"
    window_limit: Any = "a.amount_nanos"
    window_used: Any = "w.used_nanos"
    window_opened_at: Any = "w.opened_at"
    window_resets_at: Any = "w.resets_at"
    price_version: Any = "(SELECT version FROM billing_pricelist WHERE id = 1)"


SELECT = "SELECT " + ", ".join(Columns._field_defaults.values())
BY_KEY = (
    " FROM accounts_apikey k JOIN accounts_organization o ON o.id = k.organization_id"
)
BY_ORGANIZATION = (
    " FROM accounts_organization o LEFT JOIN accounts_apikey k ON k.id = -1"
)
OPENED_BY = {
    BY_KEY: "k.digest = %s AND k.revoked_at IS NULL",
    BY_ORGANIZATION: "o.id = %s",
}
MEMBER_BY_EMAIL = (
    " LEFT JOIN accounts_user u ON u.email = %s"
    " LEFT JOIN accounts_membership m ON m.organization_id = o.id AND m.user_id = u.id"
)
MEMBER_BY_ID = (
    " LEFT JOIN accounts_membership m ON m.organization_id = o.id AND m.id = %s"
    " LEFT JOIN accounts_user u ON u.id = m.user_id"
)
# The rows of the one or two months that "now" can fall into; the zone, known only with
# the row, picks among them.
JOINS = """
 LEFT JOIN billing_billingaccount acc ON acc.organization_id = o.id
 LEFT JOIN billing_selectedmember sel ON sel.membership_id = m.id
 LEFT JOIN billing_spendcap oc ON oc.organization_id = o.id AND oc.level = 'organization'
 LEFT JOIN billing_spendcap tc ON tc.organization_id = o.id AND tc.level = 'seat_tier'
     AND tc.seat_tier = m.seat_tier
 LEFT JOIN billing_spendcap mc ON mc.membership_id = m.id AND mc.level = 'member'
 LEFT JOIN billing_organizationmonth om ON om.organization_id = o.id
     AND om.month_on BETWEEN %s AND %s
 LEFT JOIN billing_membermonth mm ON mm.membership_id = m.id AND mm.month_on BETWEEN %s AND %s
 LEFT JOIN billing_seatallowance a ON a.plan = o.plan AND a.seat_tier = m.seat_tier
 LEFT JOIN billing_includedwindow w ON w.membership_id = m.id AND w.name = a.name AND w.is_latest
"""


_ONE = {
    (opener, by_id): (
        SELECT
        + opener
        + (MEMBER_BY_ID if by_id else MEMBER_BY_EMAIL)
        + JOINS
        + " WHERE "
        + opened
    )
    for opener, opened in OPENED_BY.items()
    for by_id in (True, False)
}


@dataclass(slots=True)
class Found:
    """What the key or organization opened: the members asked for, by e-mail and by id."""

    organization: OrganizationStanding
    calendar: Calendar
    price_version: int
    key_id: int | None
    scopes: list[str]
    # The latest closed month; until there is one, when the organization was created.
    frozen_through_on: dt.date | None = None
    created_at: dt.datetime | None = None
    by_email: dict[str, Standing] = field(default_factory=dict)
    by_id: dict[int, Standing] = field(default_factory=dict)
    # Latest windows that are no longer open at the moment of the reading, for events
    # that come late.
    closed: dict[tuple[int, str], WindowState] = field(default_factory=dict)

    def member(self, ref: str) -> Standing | None:
        """The member with this e-mail address (case-insensitive) or membership id."""
        if is_membership_id(ref):
            return self.by_id.get(int(ref))
        return self.by_email.get(ref.strip().lower())

    def closed_through_on(self) -> dt.date:
        """The latest month that takes no events: closed, or two before the
        organization's own first month (P1).
        """
        if self.frozen_through_on is not None:
            return self.frozen_through_on
        assert self.created_at is not None
        return previous_month(
            previous_month(month_at(self.calendar, self.created_at).first_on)
        )


def candidate_months(now: dt.datetime) -> tuple[str, str]:
    """The first days of the earliest and latest month that `now` can fall into in any
    zone, as ISO text.
    """
    return tuple(
        first_of_month((now + shift).date()).isoformat() for shift in (WEST, EAST)
    )  # type: ignore[return-value]


def standing_by_key(digest: str, *, member: str, now: dt.datetime) -> Found | None:
    """The standing of one member for the API key with `digest`, in one round trip; None
    for an unknown or revoked key.
    """
    return fold(run(*one_by(BY_KEY, digest, member=member, now=now)).rows(), now=now)


def one_by(
    opener: str, opened_by: int | str, *, member: str, now: dt.datetime
) -> tuple[str, list[Any]]:
    """The statement for one member, and its parameters; `opener` is BY_KEY or
    BY_ORGANIZATION.
    """
    by_id = is_membership_id(member)
    ref = int(member) if by_id else member.strip().lower()
    return _ONE[opener, by_id], [ref, *candidate_months(now) * 2, opened_by]


def standing_of(
    membership_id: int, *, organization_id: int, now: dt.datetime
) -> Standing:
    """The standing of one member of one organization.

    Raises LookupError for a membership that is not there.
    """
    found = fold(
        run(
            SELECT
            + BY_ORGANIZATION
            + MEMBER_BY_ID
            + JOINS
            + " WHERE "
            + OPENED_BY[BY_ORGANIZATION],
            [membership_id, *candidate_months(now) * 2, organization_id],
        ).rows(),
        now=now,
    )
    if found is None or membership_id not in found.by_id:
        raise LookupError(
            f"no membership {membership_id} in organization {organization_id}"
        )
    return found.by_id[membership_id]


def organization_standing(
    organization_id: int, *, now: dt.datetime
) -> OrganizationStanding:
    """What all members of an organization share. Raises LookupError when there is none."""
    found = fold(
        run(
            SELECT
            + BY_ORGANIZATION
            + MEMBER_BY_ID
            + JOINS
            + " WHERE "
            + OPENED_BY[BY_ORGANIZATION],
            [None, *candidate_months(now) * 2, organization_id],
        ).rows(),
        now=now,
    )
    if found is None:
        raise LookupError(f"no organization {organization_id}")
    return found.organization


def standings_for(
    organization_id: int, membership_ids: Sequence[int], *, now: dt.datetime
) -> dict[int, Standing]:
    """The standings of many members in one query, by membership id."""
    sql = (
        SELECT
        + BY_ORGANIZATION
        + " JOIN accounts_membership m ON m.organization_id = o.id JOIN accounts_user u"
        " ON u.id = m.user_id"
        + JOINS
        + " WHERE o.id = %s AND "
        + in_list("m.id", "bigint")
    )
    params = [*candidate_months(now) * 2, organization_id, list_param(membership_ids)]
    found = fold(run(sql, params, prepared=False).rows(), now=now)
    return found.by_id if found else {}


def many_by(opener: str) -> str:
    """The statement for many members (lists of ids and of addresses); `opener` is
    BY_KEY or BY_ORGANIZATION.
    """
    wanted = (
        " AND m.id IN (SELECT m2.id FROM accounts_membership m2 WHERE "
        + in_list("m2.id", "bigint")
        + " UNION SELECT m3.id FROM accounts_user u3 JOIN accounts_membership m3 ON"
        " m3.user_id = u3.id WHERE " + in_list("u3.email", "text") + ")"
    )
    members = (
        " JOIN accounts_membership m ON m.organization_id = o.id JOIN accounts_user u"
        " ON u.id = m.user_id"
    )
    return SELECT + opener + members + JOINS + " WHERE " + OPENED_BY[opener] + wanted


def fold(rows: list[Row], *, now: dt.datetime) -> Found | None:
    """Rows of the statement as standings: one row a member and window, months that are
    not the current one ignored.
    """
    if not rows:
        return None
    first = Columns._make(rows[0])
    calendar = _calendar(first.timezone, as_text(first.past_timezones))
    month = month_at(calendar, now)
    organization = _organization(first, month=month)
    found = Found(
        organization,
        calendar,
        first.price_version or 0,
        first.key_id,
        (first.key_scopes or "").split(),
        as_date(first.frozen_through),
        as_time(first.created_at),
    )
    for row in map(Columns._make, rows):
        if as_date(row.organization_month_on) == month.first_on:
            organization.spent_nanos = row.organization_spent
        if row.membership_id is not None:
            _fold_member(found, row, month=month, now=now)
    return found


@lru_cache(maxsize=512)
def _calendar(timezone: str, past_timezones: str) -> Calendar:
    return calendar_of(timezone, json.loads(past_timezones))


@lru_cache(maxsize=512)
def _month_within(calendar: Calendar, hour: dt.datetime) -> tuple[Month, Month]:
    return calendar.month_at(hour), calendar.month_at(hour + dt.timedelta(hours=1))


def month_at(calendar: Calendar, now: dt.datetime) -> Month:
    """`calendar.month_at(now)`, remembered by the hour since a check asks it each time."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    month, following = _month_within(calendar, hour)
    return month if now < month.end else following


def _organization(row: Columns, *, month: Month) -> OrganizationStanding:
    return OrganizationStanding(
        id=row.organization_id,
        slug=row.slug,
        name=row.organization_name,
        plan=row.plan,
        settlement=row.settlement,
        requests_enabled=bool(row.requests_enabled),
        month=month,
        enabled=bool(row.enabled),
        scope=row.scope or "everyone",
        cap=_cap(row.cap, row.cap_month_on, row.cap_month, month=month),
        spent_nanos=0,
        balance_nanos=(
            (row.ledger or 0) - (row.pending or 0)
            if row.settlement == "prepaid"
            else None
        ),
        threshold_nanos=row.reload_threshold or 0,
        auto_reload=bool(row.auto_reload),
    )


def _cap(
    amount: int | None, month_on: Any, month_amount: int | None, *, month: Month
) -> Cap:
    if month_on is not None and as_date(month_on) == month.first_on:
        return Cap(month_amount, True, amount)
    return Cap(amount, False, amount)


def _fold_member(found: Found, row: Columns, *, month: Month, now: dt.datetime) -> None:
    standing = found.by_id.get(row.membership_id)
    if standing is None:
        standing = _member(found.organization, row, month=month)
        found.by_id[row.membership_id] = found.by_email[row.email] = standing
    if as_date(row.member_month_on) == month.first_on:
        standing.spent_nanos = row.member_spent
    if row.window and all(window.name != row.window for window in standing.windows):
        _fold_window(found, standing, row, now=now)
        standing.windows.sort(key=lambda window: window.length)


def _member(
    organization: OrganizationStanding, row: Columns, *, month: Month
) -> Standing:
    return Standing(
        organization=organization,
        membership_id=row.membership_id,
        email=row.email,
        name=row.person,
        language=row.language,
        is_active=row.status == "active",
        seat_tier=row.seat_tier,
        selected=row.selected is not None,
        own_cap=_cap(row.own_cap, row.own_cap_month_on, row.own_cap_month, month=month),
        seat_cap=_cap(
            row.seat_cap, row.seat_cap_month_on, row.seat_cap_month, month=month
        ),
        spent_nanos=0,
    )


def _fold_window(
    found: Found, standing: Standing, row: Columns, *, now: dt.datetime
) -> None:
    """The window open at `now`, else an unopened one; a latest one that has ended is
    kept as closed (I2).
    """
    length = dt.timedelta(seconds=row.window_seconds)
    window = WindowState(
        row.window,
        length,
        row.window_limit,
        row.window_used or 0,
        as_time(row.window_opened_at),
        as_time(row.window_resets_at),
    )
    if window.resets_at is not None and window.resets_at <= now:
        found.closed[standing.membership_id, window.name] = window
    if window.resets_at is None or window.resets_at <= now:
        window = WindowState(row.window, length, row.window_limit)
    standing.windows.append(window)
