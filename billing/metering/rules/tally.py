"""What events add to the counters (E8): spend by who pays, tokens, and the pending
charges of a prepaid balance.

Pure: `metering.actions.rows` writes a tally. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from billing.funding.rules.standing import EXTRA_USAGE, INCLUDED
from billing.prices.rules import Usage


class Spend(NamedTuple):
    """Cost by who pays."""

    included: int = 0
    extra: int = 0
    unbilled: int = 0

    @classmethod
    def of(cls, funding: str, cost: int) -> Spend:
        """All of `cost` on one side."""
        if funding == INCLUDED:
            return cls(included=cost)
        if funding == EXTRA_USAGE:
            return cls(extra=cost)
        return cls(unbilled=cost)


@dataclass(slots=True)
class SpendCount:
    """Events and their cost by who pays, added up."""

    included: int = 0
    extra: int = 0
    unbilled: int = 0
    events: int = 0

    def add(self, spend: Spend, *, events: int) -> None:
        """Count one event, or (with no `events`) one more part of it or a difference."""
        self.included += spend.included
        self.extra += spend.extra
        self.unbilled += spend.unbilled
        self.events += events


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
class DayCount(SpendCount):
    """Tokens, events and spend of one `UsageDay`."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0

    def add_tokens(self, usage: Usage) -> None:
        """Count what one event, or one part of it, used."""
        self.input_tokens += usage.input_tokens
        self.output_tokens += usage.output_tokens
        self.cache_write_tokens += (
            usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        )
        self.cache_read_tokens += usage.cache_read_tokens


@dataclass(slots=True)
class Tally:
    """The counters a batch changes: spend with events by month, extra usage by day and
    surface, and what days, invoices and balances count.
    """

    member_months: dict[tuple[int, dt.date], SpendCount] = field(
        default_factory=lambda: defaultdict(SpendCount)
    )
    organization_months: dict[dt.date, SpendCount] = field(
        default_factory=lambda: defaultdict(SpendCount)
    )
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
        events: int = 1,
    ) -> None:
        """Count one event everywhere, or (with no `events`) one more part of it: an event
        counts once, with its first part's model; money and tokens with each part's own.
        """
        if prepaid and spend.extra:
            self.pending[key.membership_id, key.day_on] += spend.extra
        if is_extra:
            month_key = MonthKey(
                key.membership_id, month_on, key.surface, key.model, prepaid
            )
            counted, nanos = self.usage_months.get(month_key, (0, 0))
            self.usage_months[month_key] = (counted + events, nanos + spend.extra)
        self._add_spend(key, month_on, spend, events=events).add_tokens(usage)

    def correct(self, key: DayKey, *, month_on: dt.date, spend: Spend) -> None:
        """Count a difference booked later: money moves, the count of events does not."""
        self._add_spend(key, month_on, spend, events=0)

    def _add_spend(
        self, key: DayKey, month_on: dt.date, spend: Spend, *, events: int
    ) -> DayCount:
        """Add to the months and the day; the day."""
        day = self.usage_days[key]
        day.add(spend, events=events)
        self.member_months[key.membership_id, month_on].add(spend, events=events)
        self.organization_months[month_on].add(spend, events=events)
        if spend.extra:
            self.organization_days[key.day_on, key.surface] += spend.extra
        return day
