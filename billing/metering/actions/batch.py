"""A batch of reported events, funded, priced and counted in memory, one after the other
in the order sent, against what was read under the lock (E3-E6).

Reads and writes nothing but prices; `recording` does both around it. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from billing.funding.promises import promised_funding
from billing.funding.queries import Standings
from billing.funding.rules.seats import sit_as_of
from billing.funding.rules.standing import EXTRA_USAGE, INCLUDED, Standing
from billing.metering.actions.rows import EventRow
from billing.metering.rules.events import ReportedEvent, content_digest
from billing.metering.rules.funded import PricedEvent, funding_of_event
from billing.metering.rules.placement import place
from billing.metering.rules.pricing import (
    MOST_COST_NANOS,
    EventCharge,
    charge_of_event,
)
from billing.metering.rules.tally import DayKey, Spend, Tally
from billing.metering.rules.windows import Windows
from billing.prices.queries import price_book
from config.kit.money import format_usd

FUTURE_TOLERANCE = dt.timedelta(minutes=5)
# Where in the event, and what is wrong there.
Errors = tuple[tuple[tuple[str | int, ...], str], ...]


@dataclass(slots=True, frozen=True)
class EventResult:
    """What became of one event: `recorded`, `duplicate`, `conflict` or `invalid` (then
    `errors` say at which field, and why).
    """

    id: str | None
    status: str
    funding: str | None = None
    cost_nanos: int | None = None
    estimated: bool = False
    errors: Errors = ()
    notes: tuple[str, ...] = ()


class KnownEvent(NamedTuple):
    """What is kept of an event recorded before: the same id is answered from it."""

    digest: str
    funding: str
    cost_nanos: int
    estimated: bool


class Batch:
    """Moves the standings it was given forward, and keeps what is to be written: `rows`,
    `tally` and `windows`.
    """

    def __init__(
        self,
        standings: Standings | None,
        known_events: dict[str, KnownEvent],
        *,
        organization_id: int,
        price_version: int,
        now: dt.datetime,
    ) -> None:
        """`standings` is None where none of the events names a member there is."""
        self.standings = standings
        self.known_events = known_events
        self.organization_id = organization_id
        self.now = now
        self.book = price_book(price_version)
        self.windows = Windows(standings.closed if standings else {}, now=now)
        self.tally = Tally()
        self.rows: list[EventRow] = []
        if standings:
            self.closed_through = standings.closed_through_on()
            self.opening_nanos = standings.organization.balance_nanos

    @property
    def balance_crossed(self) -> bool:
        """Whether the balance fell to its threshold, or to nothing, with this batch."""
        if self.standings is None:
            return False
        organization = self.standings.organization
        if self.opening_nanos is None or organization.balance_nanos is None:
            return False
        return any(
            organization.balance_nanos <= edge < self.opening_nanos
            for edge in (organization.threshold_nanos, 0)
        )

    def record(self, event: ReportedEvent) -> EventResult:
        """Fund, price and count one event, unless its id is known or it is invalid."""
        standing = self.standings.member(event.member) if self.standings else None
        if standing is None:
            return _unknown_member(event)
        if event.occurred_at > self.now + FUTURE_TOLERANCE:
            return _too_far_ahead(event, now=self.now)
        digest = content_digest(event, membership_id=standing.membership_id)
        known = self.known_events.get(event.id)
        if known is not None:
            status = "duplicate" if known.digest == digest else "conflict"
            return EventResult(
                event.id, status, known.funding, known.cost_nanos, known.estimated
            )
        return self._record_new(event, standing, digest)

    def _record_new(
        self, event: ReportedEvent, standing: Standing, digest: str
    ) -> EventResult:
        charge = charge_of_event(self.book, event)
        if charge.cost_nanos > MOST_COST_NANOS:
            return _too_dear(event, charge)
        assert self.standings is not None
        history = self.standings.histories.get(standing.membership_id)
        sit_as_of(standing, history, event.occurred_at)
        windows = self.windows.for_event(standing, event.occurred_at)
        promised = promised_funding(
            event.authorization,
            organization_id=self.organization_id,
            membership_id=standing.membership_id,
            now=self.now,
        )
        funded = funding_of_event(standing, promised=promised, windows=windows)
        used: dict[str, str] = {}
        if funded.funding == INCLUDED:
            used = self.windows.use(
                standing,
                windows,
                occurred_at=event.occurred_at,
                cost=charge.cost_nanos,
            )
        self._count(PricedEvent(event, standing, digest, charge, funded, used))
        # The same id once more in this batch is a duplicate already.
        self.known_events[event.id] = KnownEvent(
            digest, funded.funding, charge.cost_nanos, charge.estimated
        )
        return EventResult(
            event.id,
            "recorded",
            funded.funding,
            charge.cost_nanos,
            charge.estimated,
            notes=event.notes,
        )

    def _count(self, priced: PricedEvent) -> None:
        """Add the event to the counters and rows to be written."""
        assert self.standings is not None
        event, standing = priced.event, priced.standing
        organization = standing.organization
        month_on, day_on = place(
            event.occurred_at,
            now=self.now,
            month=organization.month,
            calendar=self.standings.calendar,
            closed_through=self.closed_through,
        )
        funding = priced.funded.funding
        spend = Spend.of(funding, priced.charge.cost_nanos)
        _move_forward(standing, spend, month_on=month_on)
        is_extra = funding == EXTRA_USAGE
        prepaid = is_extra and organization.is_prepaid
        key = DayKey(
            standing.membership_id,
            day_on,
            event.surface,
            event.model,
            standing.seat_tier or "",
        )
        self.rows.append(EventRow(priced, key, month_on, self.now, prepaid))
        if event.parts:
            self._count_parts(priced, key, month_on=month_on, prepaid=prepaid)
            return
        self.tally.add(
            key,
            month_on=month_on,
            usage=event.usage,
            spend=spend,
            is_extra=is_extra,
            prepaid=prepaid,
        )

    def _count_parts(
        self, priced: PricedEvent, key: DayKey, *, month_on: dt.date, prepaid: bool
    ) -> None:
        """Each part to the model that ran it."""
        funding = priced.funded.funding
        parts = zip(priced.event.parts, priced.charge.parts, strict=True)
        for number, (part, charge) in enumerate(parts):
            self.tally.add(
                key._replace(model=part.model),
                month_on=month_on,
                usage=part.usage,
                spend=Spend.of(funding, charge.cost_nanos),
                is_extra=funding == EXTRA_USAGE,
                prepaid=prepaid,
                events=int(number == 0),
            )


def _move_forward(standing: Standing, spend: Spend, *, month_on: dt.date) -> None:
    """Add extra usage to what the next event of the batch is judged by. That of an
    earlier month, still open, uses up none of this month's caps.
    """
    organization = standing.organization
    if month_on == organization.month.first_on:
        standing.spent_nanos += spend.extra
        organization.spent_nanos += spend.extra
    if organization.balance_nanos is not None:
        organization.balance_nanos -= spend.extra


def _unknown_member(event: ReportedEvent) -> EventResult:
    message = _("No member “%(member)s” in this organization.")
    return _invalid(event, "member", message % {"member": event.member})


def _too_far_ahead(event: ReportedEvent, *, now: dt.datetime) -> EventResult:
    message = _(
        "%(moment)s is more than 5 minutes ahead of the server's %(now)s."
        " Check the gateway's clock."
    ) % {"moment": event.occurred_at.isoformat(), "now": now.isoformat()}
    return _invalid(event, "occurred_at", message)


def _too_dear(event: ReportedEvent, charge: EventCharge) -> EventResult:
    message = _(
        "This usage would cost %(cost)s; one request can cost %(most)s at most. Check"
        " the counts."
    ) % {
        "cost": format_usd(charge.cost_nanos),
        "most": format_usd(MOST_COST_NANOS),
    }
    return _invalid(event, "usage", message)


def _invalid(event: ReportedEvent, field: str, message: str) -> EventResult:
    return EventResult(event.id, "invalid", errors=(((field,), message),))
