"""A batch of reported events, funded, priced and counted in memory, one after the other
in the order sent, against what was read under the lock (E3-E6).

Reads and writes nothing but prices; `recording` does both around it. Amounts are
nano-USD.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import NamedTuple

from billing.funding.promises import Promise
from billing.funding.queries import Standings
from billing.funding.rules.seats import sit_as_of
from billing.funding.rules.standing import EXTRA_USAGE, INCLUDED, Standing
from billing.metering.actions.repeated import answer_again
from billing.metering.actions.replacing import Replacement
from billing.metering.actions.results import (
    EventResult,
    no_member,
    not_its_own,
    somebody_elses,
    too_dear,
    too_far_ahead,
    unattributed_notes,
    used_notes,
)
from billing.metering.actions.rows import EventRow
from billing.metering.actions.unattributed import sent_name
from billing.metering.rules.again import KnownEvent, KnownEvents
from billing.metering.rules.events import (
    TELEMETRY,
    ReportedEvent,
    content_digest,
)
from billing.metering.rules.funded import (
    NONE_PRESENTED,
    Presented,
    PricedEvent,
    PromiseKey,
    funding_of_event,
)
from billing.metering.rules.placement import place
from billing.metering.rules.pricing import EventCharge, charge_of_event
from billing.metering.rules.tally import DayKey, Spend, Tally
from billing.metering.rules.windows import Windows
from billing.models.limits import MOST_AN_EVENT_NANOS, MOST_OF_OWN_WORD_NANOS
from billing.prices.queries import price_book
from config.kit.addresses import is_erased
from config.kit.masking import ADDRESS

FUTURE_TOLERANCE = dt.timedelta(minutes=5)


class Token(NamedTuple):
    """The personal token that sent a batch (X3): whose it is."""

    membership_id: int
    email: str


class Batch:
    """Moves the standings it was given forward, and keeps what is to be written: `rows`,
    `tally`, `windows` and `replacements`.
    """

    def __init__(
        self,
        standings: Standings | None,
        known: KnownEvents,
        *,
        promises: dict[str, Promise],
        kept: dict[PromiseKey, str],
        organization_id: int,
        price_version: int,
        now: dt.datetime,
        token: Token | None = None,
    ) -> None:
        """`standings` is None where none of the events names a member there is, and none
        was sent for somebody unknown. `promises` are the genuine ones by their token,
        `kept` the events that some have paid for. With a `token`, only its own member's
        events are recorded.
        """
        self.standings = standings
        self.known = known
        self.promises = promises
        self.kept = kept
        self.organization_id = organization_id
        self.now = now
        self.token = token
        self.book = price_book(price_version)
        self.windows = Windows(standings.closed if standings else {}, now=now)
        self.tally = Tally()
        self.rows: list[EventRow] = []
        self.replacements: list[Replacement] = []
        if standings:
            organization = standings.organization
            self.closed_through = standings.closed_through_on()
            self.opening_nanos = organization.balance_nanos
            # What was spent before any of these events, to see what they reach (N1).
            self.spent_nanos = organization.spent_nanos
            self.spent_by_member = {
                pk: standing.spent_nanos for pk, standing in standings.by_id.items()
            }

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
        standing = self._named(event)
        if self.token and (
            standing is None or standing.membership_id != self.token.membership_id
        ):
            return not_its_own(event, email=self.token.email)
        if self.token and event.source != TELEMETRY:
            # Its word is a person's own: it holds against no gateway's.
            event = replace(event, source=TELEMETRY)
        if standing is None and not event.member:
            return no_member(event)
        standing = standing or self._nobody()
        if event.occurred_at > self.now + FUTURE_TOLERANCE:
            return too_far_ahead(event, now=self.now)
        sent_as = sent_name(event.member) if standing.is_nobody else ""
        digest = content_digest(event, membership_id=sent_as or standing.membership_id)
        known = self.known.find(event)
        if known is not None:
            return self._again(event, standing, known, digest)
        if is_erased(standing.email):
            event = _without_addresses(event, standing)
        return self._record_new(event, standing, digest, sent_as)

    def _named(self, event: ReportedEvent) -> Standing | None:
        """The member it names."""
        return self.standings.member(event.member) if self.standings else None

    def _nobody(self) -> Standing:
        """The organization's line for nobody's usage (X2), made before if need be."""
        assert self.standings is not None and self.standings.nobody is not None
        return self.standings.nobody

    def _again(
        self, event: ReportedEvent, standing: Standing, known: KnownEvent, digest: str
    ) -> EventResult:
        if self.token and known.membership_id != standing.membership_id:
            return somebody_elses(event)
        result, replacement = answer_again(
            event, standing, known, digest=digest, book=self.book
        )
        if replacement is not None:
            self.replacements.append(replacement)
            spend = Spend.of(known.funding, known.replaced_nanos)
            month_on = standing.organization.month.first_on
            _move_forward(standing, spend, month_on=month_on)
        return result

    def _record_new(
        self, event: ReportedEvent, standing: Standing, digest: str, sent_as: str
    ) -> EventResult:
        charge = charge_of_event(self.book, event)
        most = MOST_OF_OWN_WORD_NANOS if self.token else MOST_AN_EVENT_NANOS
        if charge.cost_nanos > most:
            return too_dear(event, charge, most_nanos=most)
        priced, presented = self._priced(event, standing, digest, charge)
        self._count(priced._replace(sent_as=sent_as))
        funding = priced.funded.funding
        # The same once more in this batch is a duplicate already.
        self.known.add(
            KnownEvent.of(
                event,
                membership_id=standing.membership_id,
                digest=digest,
                funding=funding,
                cost_nanos=charge.cost_nanos,
                estimated=charge.estimated,
                sent_as=sent_as,
            )
        )
        return EventResult(
            event.id,
            "recorded",
            funding,
            charge.cost_nanos,
            charge.estimated,
            notes=(
                *event.notes,
                *unattributed_notes(sent_as),
                *used_notes(presented),
                *self._free_notes(event, charge),
            ),
        )

    def _priced(
        self, event: ReportedEvent, standing: Standing, digest: str, charge: EventCharge
    ) -> tuple[PricedEvent, Presented]:
        """Who pays it, and what of its windows it uses up."""
        assert self.standings is not None
        history = self.standings.histories.get(standing.membership_id)
        sit_as_of(standing, history, event.occurred_at)
        windows = self.windows.for_event(standing, event.occurred_at)
        presented = self._presented(event, standing)
        funded = funding_of_event(
            standing,
            promised=presented.funding,
            windows=windows,
            own_word=self.token is not None,
        )
        used: dict[str, str] = {}
        if funded.funding == INCLUDED:
            used = self.windows.use(
                standing,
                windows,
                occurred_at=event.occurred_at,
                cost=charge.cost_nanos,
            )
        number = presented.number
        priced = PricedEvent(event, standing, digest, charge, funded, used, number)
        return priced, presented

    def _presented(self, event: ReportedEvent, standing: Standing) -> Presented:
        """What the authorization of an event is worth: the first event has it (E4)."""
        promise = self.promises.get(event.authorization or "")
        if promise is None or not promise.holds_for(
            organization_id=self.organization_id,
            membership_id=standing.membership_id,
            now=self.now,
        ):
            return NONE_PRESENTED
        if promise.number is None:
            return Presented(None, promise.funding)
        key = (promise.membership_id, promise.number)
        used_by = self.kept.setdefault(key, event.id)
        if used_by != event.id:
            return Presented(promise.number, None, used_by)
        return Presented(promise.number, promise.funding)

    def _free_notes(self, event: ReportedEvent, charge: EventCharge) -> list[str]:
        """Which models of an event that cost nothing are free of charge."""
        if charge.cost_nanos:
            return []
        models = [part.model for part in event.parts] or [event.model]
        return [
            f"“{model}” is free of charge by its list."
            for model in dict.fromkeys(models)
            if self.book.is_free(
                model, provider=event.provider, occurred_at=event.occurred_at
            )
        ]

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
        self.rows.append(EventRow(priced, key, month_on, prepaid))
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


def _without_addresses(event: ReportedEvent, standing: Standing) -> ReportedEvent:
    """Late usage of somebody who was erased does not bring their address back."""
    labels = {
        ADDRESS.sub(standing.email, key): ADDRESS.sub(standing.email, text)
        for key, text in event.labels.items()
    }
    return replace(event, labels=labels)
