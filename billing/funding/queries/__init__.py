"""Members' standings: one statement behind the check, the recorder and the pages.

It joins key, organization, switch, caps, counters and windows, so that a check costs
one round trip. Read-only; amounts are nano-USD, times UTC instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from accounts.queries import is_membership_id
from billing.funding.queries.external import external_members, name_by_external
from billing.funding.queries.folding import Standings, add_members, fold, month_at
from billing.funding.queries.former import with_former_members
from billing.funding.queries.statement import (
    BY_KEY,
    BY_ORGANIZATION,
    OPENED_BY,
    candidate_months,
    many_memberships,
    members_as_they_were,
    one_former_member,
    one_member,
    one_membership,
)
from billing.funding.rules.standing import OrganizationStanding, Standing
from config.kit.addresses import canonical_address
from config.kit.external_names import is_external_name
from config.kit.sql import list_param, read


def standing_by_key(digest: str, *, member: str, now: dt.datetime) -> Standings | None:
    """What the API key with `digest` opens, with one member's standing in it, in one
    round trip; None for an unknown or revoked key, and whether its time is over is for
    the caller to ask (`is_open`). A former address (E6a) takes a second.

    The empty text as `member` is whoever's personal token it is (X3).
    """
    statement = one_member(BY_KEY, digest, member=member, now=now)
    standings = fold(read(*statement).rows(), now=now)
    if standings is None:
        return None
    if is_external_name(member):
        name_by_external(standings, [(member, one) for one in standings.by_id])
        return standings
    if not member or is_membership_id(member) or standings.member(member):
        return standings
    email = canonical_address(member)
    former = one_former_member(BY_KEY, digest, email=email, now=now)
    add_members(standings, read(*former).rows(), now=now)
    for standing in standings.by_id.values():
        standings.by_email[email] = standing
    return standings


def standing_of(
    membership_id: int, *, organization_id: int, now: dt.datetime
) -> Standing:
    """The standing of one member of one organization.

    Raises LookupError for a membership that is not there.
    """
    standings = _read(organization_id, membership_id=membership_id, now=now)
    if standings is None or membership_id not in standings.by_id:
        raise LookupError(
            f"no membership {membership_id} in organization {organization_id}"
        )
    return standings.by_id[membership_id]


def organization_standing(
    organization_id: int, *, now: dt.datetime
) -> OrganizationStanding:
    """What all members of an organization share. Raises LookupError when there is none."""
    standings = _read(organization_id, membership_id=None, now=now)
    if standings is None:
        raise LookupError(f"no organization {organization_id}")
    return standings.organization


def standings_for(
    organization_id: int, membership_ids: Sequence[int], *, now: dt.datetime
) -> dict[int, Standing]:
    """The standings of many members in one query, by membership id."""
    params = [
        *candidate_months(now) * 2,
        organization_id,
        list_param(membership_ids),
    ]
    rows = read(many_memberships(), params, prepared=False).rows()
    standings = fold(rows, now=now)
    return standings.by_id if standings else {}


def _read(
    organization_id: int, *, membership_id: int | None, now: dt.datetime
) -> Standings | None:
    statement = one_membership(
        BY_ORGANIZATION, organization_id, membership_id=membership_id, now=now
    )
    return fold(read(*statement).rows(), now=now)


__all__ = [
    "BY_KEY",
    "BY_ORGANIZATION",
    "OPENED_BY",
    "Standings",
    "add_members",
    "candidate_months",
    "external_members",
    "fold",
    "members_as_they_were",
    "month_at",
    "name_by_external",
    "organization_standing",
    "standing_by_key",
    "standing_of",
    "standings_for",
    "with_former_members",
]
