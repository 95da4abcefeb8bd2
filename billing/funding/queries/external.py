"""Members whom a check or a batch names by their external ids (X2). Read-only."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from billing.funding.queries.folding import Standings
from billing.funding.queries.naming import external_names
from billing.funding.queries.statement import OPENED_BY
from config.kit.sql import Result, Row, in_list, list_param, run


def external_members(
    opener: str, opened_by: int | str, *, refs: Collection[str]
) -> Result | None:
    """What `name_by_external` takes: sent, not waited for; None where no reference is an
    external id, and then nothing is sent.
    """
    names = external_names(refs)
    if not names:
        return None
    params = [opened_by, list_param(names)]
    return run(_holders_sql(opener), params, prepared=False)


def name_by_external(
    standings: Standings | None, holders: Iterable[Row | tuple[str, int]]
) -> None:
    """Let the standings be found by external ids: (external id, membership id)."""
    if standings is None:
        return
    for name, membership_id in holders:
        if membership_id in standings.by_id:
            standings.by_external[name] = standings.by_id[membership_id]


def _holders_sql(opener: str) -> str:
    """Whose each of a list of external ids is: (external id, membership id)."""
    return (
        "SELECT x.name, x.membership_id FROM accounts_externalid x WHERE"
        f" x.organization_id = (SELECT o.id{opener} WHERE {OPENED_BY[opener]}) AND "
        + in_list("x.name", "text")
    )
