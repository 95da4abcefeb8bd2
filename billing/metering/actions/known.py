"""What was recorded before, as a batch asks it: events under one of its ids (E6) or of one
of its requests (X4), and those that one of its authorizations has paid for (E4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from billing.funding.promises import Promise, read_promise
from billing.funding.queries import OPENED_BY
from billing.metering.queries.unattributed import payers_of
from billing.metering.rules.again import ONE_REQUEST, KnownEvent, KnownEvents
from billing.metering.rules.events import GATEWAY, ReportedEvent
from billing.metering.rules.funded import PromiseKey
from billing.models import AdjustmentSource, UsageAdjustment, UsageEvent
from billing.prices.rules import TOKEN_CLASSES
from config.kit.sql import (
    Result,
    as_time,
    db_time,
    in_list,
    is_postgresql,
    list_param,
    rows_json,
    rowset,
    run,
)

REPORT_KEY = "report:"
COLUMNS = (
    "event_id",
    "request_id",
    "membership_id",
    "content_digest",
    "source",
    "occurred_at",
    "labels",
    *(token_class.field for token_class in TOKEN_CLASSES),
    "funding",
    "cost_nanos",
    "estimated",
    "unattributed_id",
    "id",
)
COUNTS = slice(7, 7 + len(TOKEN_CLASSES))


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
    requests = [event for event in events if event.request_id]
    ids = [event.id for event in events] + [event.request_id for event in requests]
    numbers = list_param([one.number for one in promises if one.number])
    params = [opened_by, list_param(ids), numbers]
    if requests:
        moments = rows_json([_moments(event) for event in requests])
        named = list_param([event.request_id for event in requests])
        params += [moments, opened_by, named]
    return run(_known_sql(opener, bool(requests), is_postgresql()), params)


def _moments(event: ReportedEvent) -> dict[str, str]:
    """A request, and when another report of it can say that it was."""
    return {
        "request_id": event.request_id,
        "since": db_time(event.occurred_at - ONE_REQUEST),
        "until": db_time(event.occurred_at + ONE_REQUEST),
    }


@lru_cache(maxsize=8)
def _known_sql(opener: str, by_request: bool, postgresql: bool) -> str:
    """The events recorded before under one of the ids, those of one of the requests, and
    those that one of the promises has paid for; only the latter have the promise's
    number.
    """
    columns = ", ".join(f"e.{name}" for name in COLUMNS)
    owner = f"(SELECT o.id{opener} WHERE {OPENED_BY[opener]})"
    no_promise = f"SELECT {columns}, CAST(NULL AS bigint)"
    sql = (
        f"{no_promise} FROM billing_usageevent e WHERE e.organization_id = {owner}"
        f" AND {in_list('e.event_id', 'text')}"
        f" UNION ALL SELECT {columns}, e.promise"
        " FROM billing_usageevent e WHERE e.funding_why = 'promised' AND e.promise IS"
        f" NOT NULL AND {in_list('e.promise', 'bigint')}"
    )
    if not by_request:
        return sql
    moments = {"request_id": "text", "since": "timestamptz", "until": "timestamptz"}
    # By the list, and as the index says which rows are in it: else it is not used.
    return (
        f"{sql} UNION ALL {no_promise} FROM {rowset(moments)} JOIN billing_usageevent e"
        " ON e.request_id = r.request_id AND e.occurred_at BETWEEN r.since AND r.until"
        f" WHERE e.organization_id = {owner} AND {in_list('e.request_id', 'text')} AND"
        " NOT (e.request_id = '')"
    )


def known_of(
    recorded_before: Result,
) -> tuple[KnownEvents, dict[PromiseKey, str]]:
    """The events by id and request, and the ids of those that have a promise, by it."""
    known = KnownEvents()
    kept: dict[PromiseKey, str] = {}
    others: dict[int, KnownEvent] = {}
    unnamed: dict[int, KnownEvent] = {}
    for *columns, promise in recorded_before.rows():
        if promise is not None:
            kept[columns[2], promise] = columns[0]
        elif columns[0] not in known.by_id:
            event = _known(columns)
            known.add(event)
            if event.source != GATEWAY:
                others[columns[-1]] = event
            if columns[-2] is not None:
                unnamed[columns[-1]] = event
    if others:
        _read_replaced(others)
    if unnamed:
        _read_names(unnamed)
    return known, kept


def _known(columns: list[Any]) -> KnownEvent:
    id, request_id, membership_id, digest, source, at, labels, *_counts = columns
    funding, cost_nanos, estimated, *_keys = columns[-5:]
    occurred_at = as_time(at)
    assert occurred_at is not None
    return KnownEvent(
        id,
        request_id,
        membership_id,
        digest,
        source,
        occurred_at,
        json.loads(labels) if isinstance(labels, str) else labels,
        tuple(columns[COUNTS]),
        funding,
        cost_nanos,
        bool(estimated),
    )


def _read_replaced(others: dict[int, KnownEvent]) -> None:
    """Which gateway's count holds instead of what others reported; `others` by their row."""
    booked = UsageAdjustment.objects.filter(
        source=AdjustmentSource.REPORT, event_id__in=list(others)
    )
    for row, key, nanos in booked.values_list("event_id", "key", "amount_nanos"):
        others[row].replaced_by = content_of_key(key or "")
        others[row].replaced_nanos = nanos


def _read_names(unnamed: dict[int, KnownEvent]) -> None:
    """Under which names they came, and whose they are by now (X2); by their row."""
    rows = UsageEvent.objects.filter(pk__in=list(unnamed)).select_related(
        "unattributed"
    )
    events = list(rows)
    payers = payers_of(events)
    for event in events:
        known = unnamed[event.pk]
        known.sent_as = event.unattributed.sent_as if event.unattributed else ""
        payer = payers[event.pk]
        known.assigned_to = None if payer == event.membership_id else payer


def key_of_report(content: str, event_pk: int) -> str:
    """By what an adjustment is known as that of a report with this content (X4)."""
    return f"{REPORT_KEY}{content}:{event_pk}"


def content_of_key(key: str) -> str:
    """The content in such a key."""
    return key.removeprefix(REPORT_KEY).partition(":")[0]
