"""Members whom a batch names by an address they had before (E6a). Read-only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from accounts.queries import is_membership_id
from billing.funding.queries.folding import Standings, add_members, fold
from billing.funding.queries.statement import (
    BY_ORGANIZATION,
    former_holders,
    members_as_they_were,
)
from config.kit.addresses import canonical_address, kept_forms
from config.kit.external_names import is_external_name
from config.kit.sql import list_param, run


def with_former_members(
    standings: Standings | None,
    refs: Collection[str],
    *,
    organization_id: int,
    since: dt.datetime,
    now: dt.datetime,
) -> Standings | None:
    """The standings with those whom `refs` name by a former address; nothing is read
    where all are known. A current address always wins.
    """
    unknown = {
        canonical_address(ref)
        for ref in refs
        if ref
        and not is_membership_id(ref)
        and not is_external_name(ref)
        and not (standings and standings.member(ref))
    }
    holders = _holders(unknown, organization_id=organization_id) if unknown else {}
    known = standings.by_id if standings else {}
    further = {str(one) for one in holders.values() if one not in known}
    if further:
        text, params, prepared = members_as_they_were(
            BY_ORGANIZATION, organization_id, refs=further, since=since, now=now
        )
        rows = run(text, params, prepared=prepared).rows()
        if standings is None:
            standings = fold(rows, now=now)
        else:
            add_members(standings, rows, now=now)
    if standings is not None:
        for email, membership_id in holders.items():
            standings.by_email[email] = standings.by_id[membership_id]
    return standings


def _holders(emails: set[str], *, organization_id: int) -> dict[str, int]:
    """The membership id of the last who had each address, of those in the organization."""
    forms = {form: email for one in emails for form, email in kept_forms(one).items()}
    params = [organization_id, list_param(list(forms))]
    rows = run(former_holders(), params, prepared=False).rows()
    return {forms[form]: membership_id for form, membership_id in rows}
