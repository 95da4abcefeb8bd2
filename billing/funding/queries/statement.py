"""The one statement behind every standing: key, organization, switch, caps, counters
and windows of one member or many, joined.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from accounts.queries import is_membership_id
from config.kit.months import first_of_month
from config.kit.sql import in_list

# The widest offsets in use: the month at an instant is that of one of these two local dates.
EAST = dt.timedelta(hours=14)
WEST = dt.timedelta(hours=-12)


class Columns(NamedTuple):
    """The columns of a row, in order; their defaults are the SQL that selects them."""

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
    name: Any = "u.name"
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
ALL_MEMBERS = (
    " JOIN accounts_membership m ON m.organization_id = o.id"
    " JOIN accounts_user u ON u.id = m.user_id"
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


def _one_member_sql(opener: str, member_join: str) -> str:
    return SELECT + opener + member_join + JOINS + " WHERE " + OPENED_BY[opener]


# Whole texts, made once: every check sends one of them, prepared by its text.
ONE_BY_EMAIL = {
    opener: _one_member_sql(opener, MEMBER_BY_EMAIL) for opener in OPENED_BY
}
ONE_BY_ID = {opener: _one_member_sql(opener, MEMBER_BY_ID) for opener in OPENED_BY}


def candidate_months(now: dt.datetime) -> tuple[str, str]:
    """The first days of the earliest and latest month that `now` can fall into in any
    zone, as ISO text.
    """
    earliest_on = first_of_month((now + WEST).date())
    latest_on = first_of_month((now + EAST).date())
    return earliest_on.isoformat(), latest_on.isoformat()


def one_member(
    opener: str, opened_by: int | str, *, member: str, now: dt.datetime
) -> tuple[str, list[Any]]:
    """The statement for one member by e-mail address or membership id, and its
    parameters; `opener` is BY_KEY or BY_ORGANIZATION.
    """
    if is_membership_id(member):
        return one_membership(opener, opened_by, membership_id=int(member), now=now)
    email = member.strip().lower()
    return ONE_BY_EMAIL[opener], [email, *candidate_months(now) * 2, opened_by]


def one_membership(
    opener: str, opened_by: int | str, *, membership_id: int | None, now: dt.datetime
) -> tuple[str, list[Any]]:
    """The statement for one membership, and its parameters; with None it reads the
    organization alone.
    """
    return ONE_BY_ID[opener], [membership_id, *candidate_months(now) * 2, opened_by]


def many_members(opener: str) -> str:
    """The statement for many members (lists of ids and of addresses); `opener` is
    BY_KEY or BY_ORGANIZATION.
    """
    among = (
        " AND m.id IN (SELECT m2.id FROM accounts_membership m2 WHERE "
        + in_list("m2.id", "bigint")
        + " UNION SELECT m3.id FROM accounts_user u3 JOIN accounts_membership m3 ON"
        " m3.user_id = u3.id WHERE " + in_list("u3.email", "text") + ")"
    )
    return SELECT + opener + ALL_MEMBERS + JOINS + " WHERE " + OPENED_BY[opener] + among


def many_memberships() -> str:
    """The statement for many memberships (a list of ids) of one organization."""
    among = " WHERE o.id = %s AND " + in_list("m.id", "bigint")
    return SELECT + BY_ORGANIZATION + ALL_MEMBERS + JOINS + among
