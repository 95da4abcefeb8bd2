"""Recording usage (E3-E8): a whole batch in one transaction under the organization's
lock, with constant statements.

On PostgreSQL the statements travel in a pipeline: one exchange to lock and read, one to
write and commit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypedDict, Unpack

from django.db import DatabaseError, transaction

from billing.funding.queries import (
    BY_KEY,
    BY_ORGANIZATION,
    OPENED_BY,
    Standings,
    external_members,
    fold,
    members_as_they_were,
    with_external_members,
    with_former_members,
)
from billing.metering.actions.batch import Batch, Token
from billing.metering.actions.crossed import edges_read, read_edges, write_crossings
from billing.metering.actions.known import known_of, promises_of, read_before
from billing.metering.actions.replacing import book_replacements
from billing.metering.actions.results import EventResult
from billing.metering.actions.rows import (
    Uncountable,
    uncountable_sentence,
    within_bounds,
    write,
)
from billing.metering.actions.unattributed import (
    SomebodyUnknown,
    make_ready,
    unknown_refs,
    with_nobody,
)
from billing.metering.rules.events import ReportedEvent
from config.kit.clock import DATABASE_CLOCK, HostClock
from config.kit.sql import (
    Result,
    as_time,
    hear_refusals,
    hear_the_rest,
    is_postgresql,
    pipeline,
    run,
)


@dataclass(slots=True, frozen=True)
class Recorded:
    """The results in the order sent, and whose key it was."""

    results: list[EventResult]
    organization_id: int
    key_id: int | None
    # Whose personal token it is (X3); None for a key of the organization itself.
    key_membership_id: int | None = None
    # A prepaid balance passed its threshold or zero with this batch, so somebody should
    # look after it (T4).
    balance_crossed: bool = False
    # Something was reached that somebody should be told of (N1).
    notices_written: bool = False


class UnknownKey(LookupError):
    """No such API key, or it was revoked, or its time is over."""


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
    events: Sequence[ReportedEvent],
    *,
    key_digest: str,
    now: dt.datetime,
    clock: HostClock | None = None,
) -> Recorded:
    """Record a batch for the organization of an API key.

    With `clock`, that of `now`, the batch is placed by the database's own clock. Raises
    UnknownKey, KeyLacksScope, and ClockIsOff where the two are more than a minute apart:
    nothing is recorded then.
    """
    return _record(events, opener=BY_KEY, opened_by=key_digest, now=now, clock=clock)


class _Opened(TypedDict):
    """Whose events, how that was found, and the moment of recording."""

    opener: str
    opened_by: int | str
    now: dt.datetime
    clock: HostClock | None
    # Whether those whom nobody knows were made members before, as far as they may be.
    tried: bool


class _Locked(NamedTuple):
    """The row that was locked: the organization, by its own id or its key; and what the
    database's clock showed meanwhile.
    """

    key_id: int | None
    scopes: str | None
    organization_id: int
    price_version: int | None
    key_expires_at: Any
    key_membership_id: int | None
    token_email: str | None
    database_time: dt.datetime | None

    def check(self, opener: str, *, now: dt.datetime) -> None:
        """Raises UnknownKey for a key whose time is over, KeyLacksScope."""
        expires_at = as_time(self.key_expires_at)
        if expires_at is not None and expires_at <= now:
            raise UnknownKey
        scopes = (self.scopes or "").split()
        if opener == BY_KEY and "meter" not in scopes and "self" not in scopes:
            raise KeyLacksScope

    def recorded(
        self, results: list[EventResult], batch: Batch, *, is_noticed: bool
    ) -> Recorded:
        """What became of the batch."""
        return Recorded(
            results,
            self.organization_id,
            self.key_id,
            self.key_membership_id,
            balance_crossed=batch.balance_crossed,
            notices_written=is_noticed,
        )

    def token(self) -> Token | None:
        """Whose personal token sent the batch, if one did."""
        if self.key_membership_id is None:
            return None
        return Token(self.key_membership_id, self.token_email or "")


def _record(
    events: Sequence[ReportedEvent],
    *,
    opener: str,
    opened_by: int | str,
    now: dt.datetime,
    clock: HostClock | None = None,
    tried: bool = False,
) -> Recorded:
    opened: _Opened = {
        "opener": opener,
        "opened_by": opened_by,
        "now": now,
        "clock": clock,
        "tried": tried,
    }
    try:
        with within_bounds():
            return _record_together(events, **opened)
    except Uncountable:
        return _record_apart(events, **opened)
    except SomebodyUnknown as unknown:
        if tried:
            raise
        digest = str(opened_by) if opener == BY_KEY else None
        make_ready(unknown, key_digest=digest, now=now)
    opened["tried"] = True
    return _record(events, **opened)


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
        notices_written=first.notices_written or second.notices_written,
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
    clock: HostClock | None,
    tried: bool,
) -> Recorded:
    promises = promises_of(events)
    refs = {event.member for event in events}
    since = min((event.occurred_at for event in events), default=now)
    with pipeline(), transaction.atomic():
        # Sent together, read afterwards; the lock first, so that what the others read is
        # what no other recorder, act or close can change until the commit.
        lock = run(_lock_sql(opener), [opened_by])
        members = _read_members(opener, opened_by, refs=refs, since=since, now=now)
        external = external_members(opener, opened_by, refs=refs)
        recorded_before = read_before(events, promises.values(), opener, opened_by)
        edges = read_edges(opener, opened_by)
        locked = _locked(lock, opener=opener, opened_by=opened_by)
        now = clock.agree(locked.database_time) if clock else now
        locked.check(opener, now=now)
        owner = locked.organization_id
        standings = _standings(
            with_external_members(fold(members.rows(), now=now), external),
            refs,
            takes_strangers=locked.key_membership_id is None,
            organization_id=owner,
            since=since,
            now=now,
            tried=tried,
        )
        known, kept = known_of(recorded_before)
        batch = Batch(
            standings,
            known,
            promises=promises,
            kept=kept,
            organization_id=owner,
            price_version=locked.price_version or 0,
            now=now,
            token=locked.token(),
        )
        results = [batch.record(event) for event in events]
        is_noticed = _write(batch, locked, edges, now=now)
    return locked.recorded(results, batch, is_noticed=is_noticed)


def _write(batch: Batch, locked: _Locked, edges: Result, *, now: dt.datetime) -> bool:
    """All that the batch counted; whether it reached something that is to be told."""
    write(
        batch.rows,
        tally=batch.tally,
        windows=batch.windows,
        organization_id=batch.organization_id,
        key_id=locked.key_id,
        now=now,
    )
    try:
        is_noticed = write_crossings(batch, edges_read(edges), now=now)
        is_noticed |= book_replacements(
            batch.replacements,
            organization_id=batch.organization_id,
            book=batch.book,
            now=now,
        )
    except DatabaseError:
        hear_the_rest()
        raise
    hear_refusals()
    return is_noticed


# To say of whom a personal token is, where it reports somebody else.
WHOSE = (
    "(SELECT u.email FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id"
    " WHERE m.id = k.membership_id)"
)


def _standings(
    standings: Standings | None,
    refs: set[str],
    *,
    takes_strangers: bool,
    organization_id: int,
    since: dt.datetime,
    now: dt.datetime,
    tried: bool,
) -> Standings | None:
    """With those named by a former address (E6a), and where somebody is nobody's, with
    the line for that (X2). A personal token takes no strangers, and who names nobody at
    all is told so. Raises SomebodyUnknown.
    """
    standings = with_former_members(
        standings, refs, organization_id=organization_id, since=since, now=now
    )
    unknown = unknown_refs(standings, refs - {""})
    if not (unknown and takes_strangers):
        return standings
    return with_nobody(
        standings,
        unknown,
        organization_id=organization_id,
        since=since,
        now=now,
        tried=tried,
    )


def _lock_sql(opener: str) -> str:
    # SQLite's transaction holds the write lock already
    lock = " FOR NO KEY UPDATE OF o" if is_postgresql() else ""
    version = "(SELECT version FROM billing_pricelist WHERE id = 1)"
    return (
        f"SELECT k.id, k.scopes, o.id, {version}, k.expires_at, k.membership_id,"
        f" {WHOSE}, {DATABASE_CLOCK}{opener} WHERE {OPENED_BY[opener]}{lock}"
    )


def _locked(lock: Result, *, opener: str, opened_by: int | str) -> _Locked:
    rows = lock.rows()
    if not rows and opener == BY_KEY:
        raise UnknownKey
    if not rows:
        raise LookupError(f"no organization {opened_by}")
    return _Locked(*rows[0])


def _read_members(
    opener: str,
    opened_by: int | str,
    *,
    refs: set[str],
    since: dt.datetime,
    now: dt.datetime,
) -> Result:
    """What `fold` makes standings of: sent, not waited for."""
    text, params, prepared = members_as_they_were(
        opener, opened_by, refs=refs, since=since, now=now
    )
    return run(text, params, prepared=prepared)
