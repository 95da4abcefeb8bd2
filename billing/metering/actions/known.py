"""What was recorded before, as a batch asks it: events under one of its ids (E6), and those
that one of its authorizations has paid for (E4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from billing.funding.promises import Promise, read_promise
from billing.funding.queries import OPENED_BY
from billing.metering.actions.batch import KnownEvent, PromiseKey
from billing.metering.rules.events import ReportedEvent
from config.kit.sql import Result, in_list, list_param, run


def promises_of(events: Sequence[ReportedEvent]) -> dict[str, Promise]:
    """The genuine promises that the events present, by their tokens."""
    tokens = {event.authorization for event in events if event.authorization}
    read = {token: read_promise(token) for token in tokens}
    return {token: promise for token, promise in read.items() if promise}


def read_before(
    events: Sequence[ReportedEvent],
    promises: Iterable[Promise],
    opener: str,
    opened_by: int | str,
) -> Result:
    """What `known_of` reads: sent, not waited for."""
    ids = list_param([event.id for event in events])
    numbers = list_param([one.number for one in promises if one.number])
    return run(_known_sql(opener), [opened_by, ids, numbers])


def _known_sql(opener: str) -> str:
    """The events recorded before under one of the ids, and those that one of the
    promises has paid for; only the latter have the promise's member and number.
    """
    columns = "e.event_id, e.content_digest, e.funding, e.cost_nanos, e.estimated"
    return (
        f"SELECT {columns}, CAST(NULL AS bigint), CAST(NULL AS bigint)"
        f" FROM billing_usageevent e WHERE e.organization_id = (SELECT o.id{opener}"
        f" WHERE {OPENED_BY[opener]}) AND {in_list('e.event_id', 'text')}"
        f" UNION ALL SELECT {columns}, e.membership_id, e.promise"
        " FROM billing_usageevent e WHERE e.funding_why = 'promised' AND e.promise IS"
        f" NOT NULL AND {in_list('e.promise', 'bigint')}"
    )


def known_of(
    recorded_before: Result,
) -> tuple[dict[str, KnownEvent], dict[PromiseKey, str]]:
    """The events by their ids, and the ids of those that have a promise, by it."""
    known_events: dict[str, KnownEvent] = {}
    kept: dict[PromiseKey, str] = {}
    for (
        event_id,
        digest,
        funding,
        cost_nanos,
        estimated,
        *key,
    ) in recorded_before.rows():
        if key[1] is None:
            known_events[event_id] = KnownEvent(
                digest, funding, cost_nanos, bool(estimated)
            )
        else:
            kept[key[0], key[1]] = event_id
    return known_events, kept
