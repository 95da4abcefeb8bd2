"""The one statement behind every standing: key, organization, switch, caps, counters
and windows of one member or many, joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

from billing.funding.queries.naming import (
    ALL_MEMBERS,
    MEMBER_BY_ID,
    NAMED_BY,
    among_refs,
    joined_by,
)
from config.kit.addresses import kept_forms
from config.kit.clock import DATABASE_CLOCK
from config.kit.months import first_of_month, next_month
from config.kit.sql import db_time, in_list, is_postgresql, list_param

# The widest offsets in use: the month at an instant is that of one of these two local dates.
EAST = dt.timedelta(hours=14)
WEST = dt.timedelta(hours=-12)


# Whether extra usage was recorded since a window was used up (N5), told by the latest
# events alone: what is recorded as unbilled may be much. Looked at only where one is used up.
EXTRA_HAS_BEGUN = (
    "CASE WHEN w.used_nanos >= a.amount_nanos AND acc.extra_usage_enabled THEN EXISTS"
    " (SELECT 1 FROM (SELECT e.funding FROM billing_usageevent e WHERE"
    " e.membership_id = m.id AND e.occurred_at >= COALESCE(w.exhausted_at, w.opened_at)"
    " ORDER BY e.occurred_at DESC LIMIT 50) latest WHERE funding = 'extra_usage') END"
)
# The latest end of a member's yeses (N5); looked for only where they are asked for.
CONFIRMED_UNTIL = (
    "CASE WHEN acc.confirmation_required THEN (SELECT MAX(y.until_at) FROM"
    " billing_extrausageconfirmation y WHERE y.membership_id = m.id) END"
)


class Columns(NamedTuple):
    """The columns of a row, in order; their defaults are the SQL that selects them."""

    key_id: Any = "k.id"
    key_scopes: Any = "k.scopes"
    key_expires_at: Any = "k.expires_at"
    key_membership_id: Any = "k.membership_id"
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
    leases_allowed: Any = "o.leases_allowed"
    enabled: Any = "acc.extra_usage_enabled"
    scope: Any = "acc.scope"
    ledger: Any = "acc.ledger_nanos"
    pending: Any = "acc.pending_nanos"
    auto_reload: Any = "acc.auto_reload_enabled"
    reload_threshold: Any = "acc.reload_threshold_nanos"
    frozen_through: Any = "acc.frozen_through_on"
    membership_id: Any = "m.id"
    # An account that an operator switched off may spend as little as a removed member (E2).
    status: Any = (
        "CASE WHEN m.status = 'active' AND NOT u.is_active THEN 'switched_off'"
        " ELSE m.status END"
    )
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
    member_cost: Any = "mm.included_nanos + mm.extra_nanos + mm.unbilled_nanos"
    member_events: Any = "mm.events"
    window: Any = "a.name"
    window_seconds: Any = "a.length_seconds"
    window_limit: Any = "a.amount_nanos"
    window_used: Any = "w.used_nanos"
    window_opened_at: Any = "w.opened_at"
    window_resets_at: Any = "w.resets_at"
    window_used_up_at: Any = "w.exhausted_at"
    window_extra_begun: Any = EXTRA_HAS_BEGUN
    confirmation_required: Any = "acc.confirmation_required"
    confirmed_until: Any = CONFIRMED_UNTIL
    price_version: Any = "(SELECT version FROM billing_pricelist WHERE id = 1)"
    # For the recorder alone, of members whose seat changed since its oldest event.
    past_seats: Any = "NULL"
    window_tier: Any = "NULL"
    database_time: Any = DATABASE_CLOCK


# What a member held when the events ran takes the rows of all seats (E5).
AS_THEY_WERE = {
    "past_seats": "CASE WHEN m.seat_changed_at > %s THEN m.past_seats END",
    "window_tier": "a.seat_tier",
    # What a check tells, and who pays does not depend on.
    "window_extra_begun": "NULL",
}
SELECT = "SELECT " + ", ".join(Columns._field_defaults.values())
SELECT_AS_THEY_WERE = "SELECT " + ", ".join(
    {**Columns._field_defaults, **AS_THEY_WERE}.values()
)
BY_KEY = (
    " FROM accounts_apikey k JOIN accounts_organization o ON o.id = k.organization_id"
)
BY_ORGANIZATION = (
    " FROM accounts_organization o LEFT JOIN accounts_apikey k ON k.id = -1"
)
# A personal token ends with its membership (X3).
WHILE_A_MEMBER = (
    " AND (k.membership_id IS NULL OR EXISTS (SELECT 1 FROM accounts_membership km"
    " JOIN accounts_user ku ON ku.id = km.user_id WHERE km.id = k.membership_id"
    " AND km.status = 'active' AND ku.is_active))"
)
OPENED_BY = {
    BY_KEY: "k.digest = %s AND k.revoked_at IS NULL" + WHILE_A_MEMBER,
    BY_ORGANIZATION: "o.id = %s",
}
# The rows of the months that "now" can fall into; the zone and what is closed, known
# only with the row, pick among them.
SHARED_JOINS = """
 LEFT JOIN billing_billingaccount acc ON acc.organization_id = o.id
 LEFT JOIN billing_selectedmember sel ON sel.membership_id = m.id
 LEFT JOIN billing_spendcap oc ON oc.organization_id = o.id AND oc.level = 'organization'
 LEFT JOIN billing_spendcap mc ON mc.membership_id = m.id AND mc.level = 'member'
 LEFT JOIN billing_organizationmonth om ON om.organization_id = o.id
     AND om.month_on BETWEEN %s AND %s
 LEFT JOIN billing_membermonth mm ON mm.membership_id = m.id AND mm.month_on BETWEEN %s AND %s
"""
SEAT_JOINS = """
 LEFT JOIN billing_seatallowance a ON a.plan = o.plan AND {its_seat}
 LEFT JOIN billing_spendcap tc ON tc.organization_id = o.id AND tc.level = 'seat_tier'
     AND tc.seat_tier = {tier}
 LEFT JOIN billing_includedwindow w ON w.membership_id = m.id AND w.name = a.name AND w.is_latest
"""


JOINS = SHARED_JOINS + SEAT_JOINS.format(
    its_seat="a.seat_tier = m.seat_tier", tier="m.seat_tier"
)
JOINS_AS_THEY_WERE = SHARED_JOINS + SEAT_JOINS.format(
    its_seat="(a.seat_tier = m.seat_tier OR m.seat_changed_at > %s)",
    tier="COALESCE(a.seat_tier, m.seat_tier)",
)


def _one_member_sql(opener: str, member_join: str) -> str:
    return SELECT + opener + member_join + JOINS + " WHERE " + OPENED_BY[opener]


def _one_as_they_were_sql(opener: str, member_join: str) -> str:
    joins = opener + member_join + JOINS_AS_THEY_WERE
    return SELECT_AS_THEY_WERE + joins + " WHERE " + OPENED_BY[opener]


# Whole texts, made once: every check sends one of them, prepared by its text, and every
# batch of one member; by opener and how the member is named.
ONE = {
    (opener, named): _one_member_sql(opener, named)
    for opener in OPENED_BY
    for named in NAMED_BY
}
ONE_AS_THEY_WERE = {
    (opener, named): _one_as_they_were_sql(opener, named)
    for opener in OPENED_BY
    for named in NAMED_BY
}


@lru_cache(maxsize=4)
def _one_by_former(opener: str, postgresql: bool) -> str:
    """By any of the forms in which an address is kept as a former one."""
    former = (
        " LEFT JOIN accounts_membership m ON m.id = (SELECT mf.id FROM"
        " accounts_formeraddress f JOIN accounts_membership mf ON mf.user_id = f.user_id"
        f" WHERE {in_list('f.email', 'text')} AND mf.organization_id = o.id"
        " ORDER BY f.until_at DESC, f.id DESC LIMIT 1)"
        " LEFT JOIN accounts_user u ON u.id = m.user_id"
    )
    return _one_member_sql(opener, former)


def candidate_months(now: dt.datetime) -> tuple[str, str]:
    """The first days of the earliest month that `now` can fall into in any zone, and of
    the one after the latest, which is the open one where that was closed too early; as
    ISO text.
    """
    earliest_on = first_of_month((now + WEST).date())
    latest_on = next_month(first_of_month((now + EAST).date()))
    return earliest_on.isoformat(), latest_on.isoformat()


def one_member(
    opener: str, opened_by: int | str, *, member: str, now: dt.datetime
) -> tuple[str, list[Any]]:
    """The statement for one member by e-mail address, membership id or external id, or
    by nothing the one whose personal token it is, and its parameters; `opener` is
    BY_KEY or BY_ORGANIZATION.
    """
    named, param = joined_by(member)
    return ONE[opener, named], [*param, *candidate_months(now) * 2, opened_by]


def one_former_member(
    opener: str, opened_by: int | str, *, email: str, now: dt.datetime
) -> tuple[str, list[Any]]:
    """The statement for whoever had a canonical address last, of those in the
    organization (E6a), and its parameters. For an address that nobody there has now.
    """
    forms = list_param(list(kept_forms(email)))
    text = _one_by_former(opener, is_postgresql())
    return text, [forms, *candidate_months(now) * 2, opened_by]


def one_membership(
    opener: str, opened_by: int | str, *, membership_id: int | None, now: dt.datetime
) -> tuple[str, list[Any]]:
    """The statement for one membership, and its parameters; with None it reads the
    organization alone.
    """
    text = ONE[opener, MEMBER_BY_ID]
    return text, [membership_id, *candidate_months(now) * 2, opened_by]


def many_memberships() -> str:
    """The statement for many memberships (a list of ids) of one organization."""
    among = " WHERE o.id = %s AND " + in_list("m.id", "bigint")
    return SELECT + BY_ORGANIZATION + ALL_MEMBERS + JOINS + among


def members_as_they_were(
    opener: str,
    opened_by: int | str,
    *,
    refs: Collection[str],
    since: dt.datetime,
    now: dt.datetime,
) -> tuple[str, list[Any], bool]:
    """The statement for members by e-mail address, membership id or external id (and by
    nothing, as in `one_member`), with what they held since a moment (E5), its
    parameters, and whether it is worth preparing: for a single member, as a check is.
    """
    moment = db_time(since)
    months = [*candidate_months(now) * 2, moment, opened_by]
    if len(refs) == 1:
        named, param = joined_by(next(iter(refs)))
        return ONE_AS_THEY_WERE[opener, named], [moment, *param, *months], True
    among, params = among_refs(refs)
    text = _one_as_they_were_sql(opener, ALL_MEMBERS) + among
    return text, [moment, *months, *params], False


def former_holders() -> str:
    """Whose address each of a list was in an organization: (address, membership id),
    the last to have had one last.
    """
    return (
        "SELECT f.email, m.id FROM accounts_formeraddress f JOIN accounts_membership m"
        " ON m.user_id = f.user_id WHERE m.organization_id = %s AND "
        + in_list("f.email", "text")
        + " ORDER BY f.until_at, f.id"
    )
