"""Folding reported events, one after the other, into what is to be written (E3, E5, E6,
I2, P1).

Pure: it moves the standings it was given forward in memory; `actions.usage` reads them
before and writes the result. All amounts are nano-USD, all times UTC instants.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from billing.funding.rules.decision import funding_or_reason
from billing.funding.rules.standing import (
    EXTRA_USAGE,
    INCLUDED,
    UNBILLED,
    Reason,
    Standing,
    WindowState,
)
from billing.prices.rules import Usage
from config.kit.months import Calendar, Month


@dataclass(slots=True, frozen=True)
class ReportedEvent:
    """One event as a gateway sends it. `member` is an e-mail address or membership id."""

    id: str
    member: str
    surface: str
    model: str
    occurred_at: dt.datetime
    usage: Usage
    authorization: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


def content_digest(event: ReportedEvent, *, membership_id: int) -> str:
    """What makes two events with one id the same (E6).

    The authorization is not content: a retry may carry a newer one.
    """
    content = [
        membership_id,
        event.surface,
        event.model,
        event.occurred_at.timestamp(),
        event.occurred_at.microsecond,
        *event.usage.as_tuple(),
        sorted(event.labels.items()),
    ]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).hexdigest()


class Spend(NamedTuple):
    """Cost by who pays."""

    included: int = 0
    extra: int = 0
    unbilled: int = 0

    @classmethod
    def of(cls, funding: str, cost: int) -> Spend:
        """All of `cost` on one side."""
        return cls(
            *(
                cost if funding == one else 0
                for one in (INCLUDED, EXTRA_USAGE, UNBILLED)
            )
        )

    def plus(self, other: Spend) -> Spend:
        """The sums."""
        return Spend(
            self.included + other.included,
            self.extra + other.extra,
            self.unbilled + other.unbilled,
        )


class DayKey(NamedTuple):
    """What a `UsageDay` counts."""

    membership_id: int
    day_on: dt.date
    surface: str
    model: str
    seat_tier: str


class MonthKey(NamedTuple):
    """What a `UsageMonth` counts: extra usage as an invoice has a line for it."""

    membership_id: int
    month_on: dt.date
    surface: str
    model: str
    prepaid: bool


@dataclass(slots=True)
class DayCount:
    """Tokens, events and spend of one `UsageDay`."""

    events: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    spend: Spend = field(default_factory=lambda: Spend())

    def add(self, usage: Usage, spend: Spend) -> None:
        """Count one event."""
        self.events += 1
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.cache_write_tokens += (
            usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        )
        self.cache_read_tokens += usage.cache_read_tokens
        self.spend = self.spend.plus(spend)


@dataclass(slots=True)
class WindowUse:
    """What included events add to one window; `is_new` when the first of them opened it."""

    membership_id: int
    window: WindowState
    is_new: bool
    is_latest: bool = True
    added_nanos: int = 0
    exhausted_at: dt.datetime | None = None


@dataclass(slots=True)
class Tally:
    """The counters a batch changes."""

    member_months: dict[tuple[int, dt.date], tuple[Spend, int]] = field(
        default_factory=dict
    )
    organization_months: dict[dt.date, tuple[Spend, int]] = field(default_factory=dict)
    organization_days: dict[tuple[dt.date, str], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    usage_days: dict[DayKey, DayCount] = field(
        default_factory=lambda: defaultdict(DayCount)
    )
    # Extra usage that draws on a prepaid balance, by member and day (T2).
    pending: dict[tuple[int, dt.date], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    # Extra usage by what an invoice has a line for: events and nano-USD.
    usage_months: dict[MonthKey, tuple[int, int]] = field(default_factory=dict)

    def add(
        self,
        key: DayKey,
        *,
        month_on: dt.date,
        usage: Usage,
        spend: Spend,
        is_extra: bool,
        prepaid: bool = False,
    ) -> None:
        """Count one event everywhere."""
        if prepaid and spend.extra:
            self.pending[key.membership_id, key.day_on] += spend.extra
        if is_extra:
            month_key = MonthKey(
                key.membership_id, month_on, key.surface, key.model, prepaid
            )
            events, nanos = self.usage_months.get(month_key, (0, 0))
            self.usage_months[month_key] = (events + 1, nanos + spend.extra)
        self._spend(key, month_on, spend, events=1)
        self.usage_days[key].add(usage, spend)

    def correct(self, key: DayKey, *, month_on: dt.date, spend: Spend) -> None:
        """Count a difference booked later: money moves, the count of events does not."""
        self._spend(key, month_on, spend, events=0)
        day = self.usage_days[key]
        day.spend = day.spend.plus(spend)

    def _spend(
        self, key: DayKey, month_on: dt.date, spend: Spend, *, events: int
    ) -> None:
        _count(self.member_months, (key.membership_id, month_on), spend, events)
        _count(self.organization_months, month_on, spend, events)
        if spend.extra:
            self.organization_days[key.day_on, key.surface] += spend.extra


def _count(
    counters: dict[Any, tuple[Spend, int]], key: Any, spend: Spend, events: int
) -> None:
    before, known = counters.get(key, (Spend(), 0))
    counters[key] = (before.plus(spend), known + events)


class Placement(NamedTuple):
    """The billing month and local day an event counts to."""

    month_on: dt.date
    day_on: dt.date


def place(
    occurred_at: dt.datetime,
    *,
    now: dt.datetime,
    month: Month,
    calendar: Calendar,
    closed_through: dt.date,
) -> Placement:
    """Its own month while that is open, else the current one and the day of recording
    (P1). `month` is that of `now`.

    Months up to `closed_through` are closed.
    """
    if month.start <= occurred_at < month.end:
        return Placement(month.first_on, month.day_of(occurred_at))
    own = calendar.month_at(occurred_at)
    # also one that begins within the five minutes an event may be ahead
    if own.first_on > closed_through:
        return Placement(own.first_on, own.day_of(occurred_at))
    return Placement(month.first_on, month.day_of(now))


class Windows:
    """Each member's included windows while a batch is folded.

    `closed` are the latest windows that are no longer open at `now`; a late event that
    fell into one counts there.
    """

    def __init__(
        self, closed: dict[tuple[int, str], WindowState], *, now: dt.datetime
    ) -> None:
        self.closed = closed
        self.now = now
        self.uses: dict[tuple[int, str, dt.datetime], WindowUse] = {}
        self.replaced: list[tuple[int, str]] = []

    def for_event(
        self, standing: Standing, occurred_at: dt.datetime
    ) -> list[WindowState]:
        """The windows that decide about an event: those open now, else the closed one
        it fell into, else fresh ones.
        """
        return [
            self._choose(standing.membership_id, window, occurred_at)
            for window in standing.windows
        ]

    def _choose(
        self, membership_id: int, window: WindowState, occurred_at: dt.datetime
    ) -> WindowState:
        if window.opened_at is not None:
            return window
        closed = self.closed.get((membership_id, window.name))
        if (
            closed
            and closed.opened_at
            and closed.resets_at
            and closed.opened_at <= occurred_at < closed.resets_at
        ):
            return closed
        return window

    def use(
        self,
        standing: Standing,
        chosen: list[WindowState],
        *,
        occurred_at: dt.datetime,
        cost: int,
    ) -> dict[str, str]:
        """Count an included event in its windows, opening those that are not open;
        which ones, for the event's row.
        """
        for window in chosen:
            if window.opened_at is None:
                self._open(standing.membership_id, window, occurred_at)
            self._add(
                standing.membership_id, window, occurred_at=occurred_at, cost=cost
            )
        return {
            window.name: window.opened_at.isoformat()
            for window in chosen
            if window.opened_at
        }

    def _open(
        self, membership_id: int, window: WindowState, occurred_at: dt.datetime
    ) -> None:
        """Open at the event's own time where the window would still be open now, else
        at the time of recording.
        """
        closed = self.closed.get((membership_id, window.name))
        free = (
            closed is None
            or closed.resets_at is None
            or occurred_at >= closed.resets_at
        )
        window.opened_at = (
            occurred_at if free and occurred_at + window.length > self.now else self.now
        )
        window.resets_at = window.opened_at + window.length
        if closed is not None:
            self.replaced.append((membership_id, window.name))
        self.uses[membership_id, window.name, window.opened_at] = WindowUse(
            membership_id, window, is_new=True
        )

    def _add(
        self,
        membership_id: int,
        window: WindowState,
        *,
        occurred_at: dt.datetime,
        cost: int,
    ) -> None:
        assert window.opened_at is not None and window.resets_at is not None
        key = (membership_id, window.name, window.opened_at)
        use = self.uses.get(key)
        if use is None:
            use = self.uses[key] = WindowUse(membership_id, window, is_new=False)
        was_exhausted = window.is_exhausted
        window.used_nanos += cost
        use.added_nanos += cost
        if window.is_exhausted and not was_exhausted:
            use.exhausted_at = min(max(occurred_at, window.opened_at), window.resets_at)


def fund(
    standing: Standing, promised: str | None, chosen: list[WindowState]
) -> tuple[str, str, str]:
    """Funding of an event, why, and the reason a check would have refused (E4, E5):
    promise, check, or recorded anyway.
    """
    if promised:
        return promised, "promised", ""
    funding, reason = _check(standing, chosen)
    if funding:
        return funding, "checked", ""
    return (EXTRA_USAGE if standing.is_enabled else UNBILLED), "refused", str(reason)


def _check(
    standing: Standing, chosen: list[WindowState]
) -> tuple[str | None, Reason | None]:
    """The check at the event's moment: with the windows it fell into."""
    current = standing.windows
    standing.windows = chosen
    try:
        return funding_or_reason(standing)
    finally:
        standing.windows = current
