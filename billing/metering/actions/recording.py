"""Recording usage (E3-E8): a whole batch in one transaction under the organization's
lock, with constant statements.

On PostgreSQL the statements travel in a pipeline: one exchange to lock and read, one to
write and commit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.queries import is_membership_id
from billing.funding.promises import promised_funding
from billing.funding.queries import (
    BY_KEY,
    BY_ORGANIZATION,
    OPENED_BY,
    Found,
    candidate_months,
    fold,
    many_by,
    one_by,
)
from billing.funding.rules.standing import EXTRA_USAGE, INCLUDED, Standing
from billing.metering.actions.rows import EventRow, write
from billing.metering.rules.recording import (
    DayKey,
    ReportedEvent,
    Spend,
    Tally,
    Windows,
    content_digest,
    fund,
    place,
)
from billing.prices.queries import price_book
from billing.prices.rules import PriceBook, cost_nanos
from config.kit.sql import in_list, is_postgresql, list_param, pipeline, run

FUTURE_TOLERANCE = dt.timedelta(minutes=5)


@dataclass(slots=True, frozen=True)
class EventResult:
    """What became of one event: `recorded`, `duplicate`, `conflict` or `invalid` (then
    `errors` say why).
    """

    id: str | None
    status: str
    funding: str | None = None
    cost_nanos: int | None = None
    estimated: bool = False
    errors: tuple[tuple[tuple[str | int, ...], str], ...] = ()


@dataclass(slots=True, frozen=True)
class Recorded:
    """The results in the order sent, and whose key it was."""

    results: list[EventResult]
    organization_id: int
    key_id: int | None
    scopes: tuple[str, ...]
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


@dataclass(slots=True)
class _Read:
    """What the first exchange with the database answered."""

    key_id: int | None
    scopes: tuple[str, ...]
    organization_id: int
    price_version: int
    found: Found | None
    known: dict[str, tuple[str, str, int, bool]]


def _record(
    events: Sequence[ReportedEvent],
    *,
    opener: str,
    opened_by: int | str,
    now: dt.datetime,
) -> Recorded:
    with pipeline(), transaction.atomic():
        read = _lock_and_read(events, opener=opener, opened_by=opened_by, now=now)
        batch = _Batch(read, now=now)
        results = [batch.record(event) for event in events]
        write(
            batch.rows,
            tally=batch.tally,
            windows=batch.windows,
            organization_id=read.organization_id,
        )
    return Recorded(
        results, read.organization_id, read.key_id, read.scopes, batch.balance_crossed
    )


def _lock_and_read(
    events: Sequence[ReportedEvent],
    *,
    opener: str,
    opened_by: int | str,
    now: dt.datetime,
) -> _Read:
    refs = {event.member for event in events}
    lock = run(_lock_sql(opener), [opened_by])
    if len(refs) == 1:
        members = run(*one_by(opener, opened_by, member=next(iter(refs)), now=now))
    else:
        ids = [int(ref) for ref in refs if is_membership_id(ref)]
        emails = list(
            {ref.strip().lower() for ref in refs if not is_membership_id(ref)}
        )
        asked = [
            *candidate_months(now) * 2,
            opened_by,
            list_param(ids),
            list_param(emails),
        ]
        members = run(many_by(opener), asked, prepared=False)
    known = run(
        _known_sql(opener), [opened_by, list_param([event.id for event in events])]
    )
    locked = lock.rows()
    if not locked:
        raise (
            UnknownKey
            if opener == BY_KEY
            else LookupError(f"no organization {opened_by}")
        )
    key_id, scopes, organization_id, price_version = locked[0]
    if opener == BY_KEY and "meter" not in scopes.split():
        raise KeyLacksScope
    found = fold(members.rows(), now=now)
    rows = {row[0]: (row[1], row[2], row[3], bool(row[4])) for row in known.rows()}
    return _Read(
        key_id,
        tuple((scopes or "").split()),
        organization_id,
        price_version or 0,
        found,
        rows,
    )


def _lock_sql(opener: str) -> str:
    # SQLite's transaction holds the write lock already
    lock = " FOR NO KEY UPDATE OF o" if is_postgresql() else ""
    version = "(SELECT version FROM billing_pricelist WHERE id = 1)"
    return (
        f"SELECT k.id, k.scopes, o.id, {version}{opener} WHERE"
        f" {OPENED_BY[opener]}{lock}"
    )


def _known_sql(opener: str) -> str:
    return (
        "SELECT e.event_id, e.content_digest, e.funding, e.cost_nanos, e.estimated"
        f" FROM billing_usageevent e WHERE e.organization_id = (SELECT o.id{opener}"
        f" WHERE {OPENED_BY[opener]}) AND " + in_list("e.event_id", "text")
    )


class _Batch:
    """Records one event after the other, in the order sent, against what was read under
    the lock.
    """

    def __init__(self, read: _Read, *, now: dt.datetime) -> None:
        self.read = read
        self.now = now
        self.book: PriceBook = price_book(read.price_version)
        self.windows = Windows(read.found.closed if read.found else {}, now=now)
        self.tally = Tally()
        self.rows: list[EventRow] = []
        self.organization = read.found.organization if read.found else None
        self.closed_through = read.found.closed_through_on() if read.found else None
        self.opening_nanos = (
            self.organization.balance_nanos if self.organization else None
        )

    @property
    def balance_crossed(self) -> bool:
        """Whether the balance fell to its threshold, or to nothing, with this batch."""
        if (
            self.organization is None
            or self.opening_nanos is None
            or self.organization.balance_nanos is None
        ):
            return False
        before, after = self.opening_nanos, self.organization.balance_nanos
        return any(
            after <= edge < before for edge in (self.organization.threshold_nanos, 0)
        )

    def record(self, event: ReportedEvent) -> EventResult:
        """Fund, price and count one event, unless its id is known or it is invalid."""
        standing = self.read.found.member(event.member) if self.read.found else None
        if standing is None:
            return _invalid(
                event,
                "member",
                _("No member “%(member)s” in this organization.")
                % {"member": event.member},
            )
        if event.occurred_at > self.now + FUTURE_TOLERANCE:
            return _invalid(
                event,
                "occurred_at",
                _(
                    "%(moment)s is more than 5 minutes ahead of the server's %(now)s."
                    " Check the gateway's clock."
                )
                % {
                    "moment": event.occurred_at.isoformat(),
                    "now": self.now.isoformat(),
                },
            )
        digest = content_digest(event, membership_id=standing.membership_id)
        known = self.read.known.get(event.id)
        if known is not None:
            status = "duplicate" if known[0] == digest else "conflict"
            return EventResult(event.id, status, known[1], known[2], known[3])
        return self._record_new(event, standing, digest)

    def _record_new(
        self, event: ReportedEvent, standing: Standing, digest: str
    ) -> EventResult:
        rates, estimated = self.book.rates_for(
            event.model,
            occurred_at=event.occurred_at,
            total_input=event.usage.total_input,
        )
        cost = cost_nanos(event.usage, rates)
        promised = promised_funding(
            event.authorization,
            organization_id=self.read.organization_id,
            membership_id=standing.membership_id,
            now=self.now,
        )
        chosen = (
            self.windows.for_event(standing, event.occurred_at)
            if standing.organization.has_windows
            else []
        )
        funding, why, refusal = fund(standing, promised, chosen)
        used = (
            self.windows.use(standing, chosen, occurred_at=event.occurred_at, cost=cost)
            if funding == INCLUDED
            else {}
        )
        self._count(
            event,
            standing,
            Spend.of(funding, cost),
            digest,
            rates.price_id,
            estimated,
            (funding, why, refusal),
            used,
        )
        self.read.known[event.id] = (digest, funding, cost, estimated)
        return EventResult(event.id, "recorded", funding, cost, estimated)

    def _count(
        self,
        event: ReportedEvent,
        standing: Standing,
        spend: Spend,
        digest: str,
        price_id: int,
        estimated: bool,
        funded: tuple[str, str, str],
        used: dict[str, str],
    ) -> None:
        assert self.read.found is not None and self.closed_through is not None
        month = standing.organization.month
        month_on, day_on = place(
            event.occurred_at,
            now=self.now,
            month=month,
            calendar=self.read.found.calendar,
            closed_through=self.closed_through,
        )
        if month_on == month.first_on:
            standing.spent_nanos += spend.extra
            standing.organization.spent_nanos += spend.extra
        is_extra = funded[0] == EXTRA_USAGE
        prepaid = standing.organization.is_prepaid and is_extra
        if standing.organization.balance_nanos is not None:
            standing.organization.balance_nanos -= spend.extra
        key = DayKey(
            standing.membership_id,
            day_on,
            event.surface,
            event.model,
            standing.seat_tier or "",
        )
        self.tally.add(
            key,
            month_on=month_on,
            usage=event.usage,
            spend=spend,
            is_extra=is_extra,
            prepaid=prepaid,
        )
        self.rows.append(
            EventRow(
                event,
                digest,
                key,
                month_on,
                self.now,
                sum(spend),
                price_id,
                estimated,
                funded,
                used,
                prepaid,
            )
        )


def _invalid(event: ReportedEvent, field: str, message: str) -> EventResult:
    return EventResult(event.id, "invalid", errors=(((field,), message),))
