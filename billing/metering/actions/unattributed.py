"""Usage of somebody unknown (X2): it is recorded on the organization's unattributed line,
or for somebody who is made a member by the organization's policy.

Ordinary batches never come here. What has to be made first is made in a transaction of
its own, and the batch is recorded anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from accounts.actions.audit import Actor
from accounts.actions.unknown import add_unknown, make_nobody
from accounts.models import ApiKey
from accounts.queries import is_membership_id, unknown_policy
from billing.funding.queries import Standings, add_members, fold, members_as_they_were
from billing.funding.queries.statement import BY_ORGANIZATION
from config.kit.addresses import canonical_address
from config.kit.external_names import MOST_TEXT, is_external_name
from config.kit.sql import run

# As long as an external id can be.
LONGEST_NAME = MOST_TEXT


def sent_name(member: str) -> str:
    """The name under which usage of somebody unknown is kept: an address in its one
    spelling, everything else as it came.
    """
    name = member.strip() or member
    is_address = "@" in name and not is_external_name(name)
    return (canonical_address(name) if is_address else name)[:LONGEST_NAME]


class SomebodyUnknown(Exception):
    """Before a batch can be recorded, its organization needs a line for nobody's usage,
    or somebody may be made a member: `addresses`.
    """

    def __init__(self, organization_id: int, addresses: list[str]) -> None:
        super().__init__(organization_id)
        self.organization_id = organization_id
        self.addresses = addresses


def unknown_refs(standings: Standings | None, refs: Collection[str]) -> set[str]:
    """Those of the names that are nobody's."""
    if standings is None:
        return set(refs)
    return {ref for ref in refs if standings.member(ref) is None}


def with_nobody(
    standings: Standings | None,
    unknown: Collection[str],
    *,
    organization_id: int,
    since: dt.datetime,
    now: dt.datetime,
    tried: bool,
) -> Standings:
    """The standings with the organization's unattributed line, under its lock.

    Raises SomebodyUnknown where that has to be made first, or (unless it was `tried`)
    where one of the `unknown` may be made a member.
    """
    policy = unknown_policy(organization_id)
    addresses = {canonical_address(ref) for ref in unknown if not is_membership_id(ref)}
    may_join = [] if tried else sorted(filter(policy.adds, addresses))
    if policy.nobody_id is None or may_join:
        raise SomebodyUnknown(organization_id, may_join)
    text, params, prepared = members_as_they_were(
        BY_ORGANIZATION,
        organization_id,
        refs={str(policy.nobody_id)},
        since=since,
        now=now,
    )
    rows = run(text, params, prepared=prepared).rows()
    if standings is None:
        standings = fold(rows, now=now)
    else:
        add_members(standings, rows, now=now)
    assert standings is not None
    return standings


@transaction.atomic
def make_ready(
    unknown: SomebodyUnknown, *, key_digest: str | None, now: dt.datetime
) -> None:
    """Make what `with_nobody` missed: doing it twice, or at once with others, makes it
    once.
    """
    key = ApiKey.objects.filter(digest=key_digest).first() if key_digest else None
    actor = Actor(label=f"API key {key.name}" if key else "usage")
    for address in unknown.addresses:
        add_unknown(unknown.organization_id, address=address, actor=actor, now=now)
    make_nobody(unknown.organization_id, now=now)
