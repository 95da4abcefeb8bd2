"""Recording usage (E3-E8): a whole batch in one transaction under the organization's
lock, with constant statements.

On PostgreSQL the statements travel in a pipeline: one exchange to lock and read, one to
write and commit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypedDict, Unpack

from django.db import transaction

from billing.funding.queries import (
    BY_KEY,
    BY_ORGANIZATION,
    OPENED_BY,
    fold,
    members_as_they_were,
    with_former_members,
)
from billing.metering.actions.batch import Batch, EventResult, KnownEvent
from billing.metering.actions.rows import (
    Uncountable,
    uncountable_sentence,
    within_bounds,
    write,
)
from billing.metering.rules.events import ReportedEvent
from config.kit.sql import (
    Result,
    hear_refusals,
    in_list,
    is_postgresql,
    list_param,
    pipeline,
    run,
)


@dataclass(slots=True, frozen=True)
class Recorded:
    """The results in the order sent, and whose key it was."""

    results: list[EventResult]
    organization_id: int
    key_id: int | None
    # A prepaid balance passed its threshold or zero with this batch, so somebody should
    # look after it (T4).
    balance_crossed: bool = False


class UnknownKey(LookupError):
    """No such API key, or it was revoked."""


class KeyLacksScope(PermissionError):
    """The key may not meter."""


def record_usage(
    events: Sequence[ReportedEvent], *, organization_id: int, now: dt.datetime
) -> Recorded:
    """Record a batch for an organization; what is answered `recorded` is committed when
    this returns.

    Raises LookupError for an organization that does not exist. `now` is an aware UTC
    instant.
    """
    return _record(events, opener=BY_ORGANIZATION, opened_by=organization_id, now=now)


def record_usage_by_key(
    events: Sequence[ReportedEvent], *, key_digest: str, now: dt.datetime
) -> Recorded:
    """Record a batch for the organization of an API key. Raises UnknownKey, KeyLacksScope."""
    return _record(events, opener=BY_KEY, opened_by=key_digest, now=now)


class _Opened(TypedDict):
    """Whose events, how that was found, and the moment of recording."""

    opener: str
    opened_by: int | str
    now: dt.datetime


class _Locked(NamedTuple):
    """The row that was locked: the organization, by its own id or its key."""

    key_id: int | None
    scopes: str | None
    organization_id: int
    price_version: int | None


def _record(
    events: Sequence[ReportedEvent],
    *,
    opener: str,
    opened_by: int | str,
    now: dt.datetime,
) -> Recorded:
    opened: _Opened = {"opener": opener, "opened_by": opened_by, "now": now}
    try:
        with within_bounds():
            return _record_together(events, **opened)
    except Uncountable:
        return _record_apart(events, **opened)


def _record_apart(
    events: Sequence[ReportedEvent], **opened: Unpack[_Opened]
) -> Recorded:
    """The halves of a batch that would bring a sum out of its bounds (E5a), down to the
    events that would: those are invalid, all others are recorded, in the order sent.
    """
    if len(events) < 2:
        nothing = _record_together([], **opened)
        return replace(nothing, results=[_uncountable(event) for event in events])
    middle = len(events) // 2
    first = _record(events[:middle], **opened)
    second = _record(events[middle:], **opened)
    return replace(
        first,
        results=first.results + second.results,
        balance_crossed=first.balance_crossed or second.balance_crossed,
    )


def _uncountable(event: ReportedEvent) -> EventResult:
    errors = ((("usage",), uncountable_sentence()),)
    return EventResult(event.id, "invalid", errors=errors)


def _record_together(
    events: Sequence[ReportedEvent],
    *,
    opener: str,
    opened_by: int | str,
    now: dt.datetime,
) -> Recorded:
    with pipeline(), transaction.atomic():
        # Sent together, read afterwards; the lock first, so that what the others read is
        # what no other recorder, act or close can change until the commit.
        lock = run(_lock_sql(opener), [opened_by])
        refs = {event.member for event in events}
        since = min((event.occurred_at for event in events), default=now)
        text, params, prepared = members_as_they_were(
            opener, opened_by, refs=refs, since=since, now=now
        )
        members = run(text, params, prepared=prepared)
        ids = list_param([event.id for event in events])
        recorded_before = run(_known_sql(opener), [opened_by, ids])
        locked = _locked(lock, opener=opener, opened_by=opened_by)
        standings = with_former_members(
            fold(members.rows(), now=now),
            refs,
            organization_id=locked.organization_id,
            since=since,
            now=now,
        )
        batch = Batch(
            standings,
            _known_events(recorded_before),
            organization_id=locked.organization_id,
            price_version=locked.price_version or 0,
            now=now,
        )
        results = [batch.record(event) for event in events]
        write(
            batch.rows,
            tally=batch.tally,
            windows=batch.windows,
            organization_id=locked.organization_id,
        )
        hear_refusals()
    return Recorded(
        results, locked.organization_id, locked.key_id, batch.balance_crossed
    )


def _lock_sql(opener: str) -> str:
    # SQLite's transaction holds the write lock already
    lock = " FOR NO KEY UPDATE OF o" if is_postgresql() else ""
    version = "(SELECT version FROM billing_pricelist WHERE id = 1)"
    return (
        f"SELECT k.id, k.scopes, o.id, {version}{opener} WHERE"
        f" {OPENED_BY[opener]}{lock}"
    )


def _locked(lock: Result, *, opener: str, opened_by: int | str) -> _Locked:
    rows = lock.rows()
    if not rows and opener == BY_KEY:
        raise UnknownKey
    if not rows:
        raise LookupError(f"no organization {opened_by}")
    locked = _Locked(*rows[0])
    if opener == BY_KEY and "meter" not in (locked.scopes or "").split():
        raise KeyLacksScope
    return locked


def _known_sql(opener: str) -> str:
    return (
        "SELECT e.event_id, e.content_digest, e.funding, e.cost_nanos, e.estimated"
        f" FROM billing_usageevent e WHERE e.organization_id = (SELECT o.id{opener}"
        f" WHERE {OPENED_BY[opener]}) AND " + in_list("e.event_id", "text")
    )


def _known_events(recorded_before: Result) -> dict[str, KnownEvent]:
    return {
        event_id: KnownEvent(digest, funding, cost_nanos, bool(estimated))
        for event_id, digest, funding, cost_nanos, estimated in recorded_before.rows()
    }
