"""How a bill adds up (M5), and when a month may close (P2).

Pure: whole nano-USD, instants in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from config.kit.money import NANOS_PER_CENT, half_even, to_cents
from config.kit.months import Calendar, Month, next_month, previous_month

# A tax rate is kept in thousandths of a percent.
WHOLE = 100_000
# Corrections name this many of their events; the list behind the line has them all.
NAMED = 5


def whole_cents(nanos: int) -> int:
    """Nano-USD rounded half-even to cents, still in nano-USD: the amount of a line (M5)."""
    return to_cents(nanos) * NANOS_PER_CENT


@dataclass(frozen=True, slots=True)
class Sums:
    """What an invoice comes to.

    `carried_in_nanos` and `surplus_nanos` are the amounts of those two lines, if any.
    """

    carried_in_nanos: int
    surplus_nanos: int
    subtotal_nanos: int
    carried_out_nanos: int


def add_up(*, exact_nanos: int, billed_nanos: int, carried_nanos: int) -> Sums:
    """The sums of an invoice whose lines come to `exact_nanos`, `billed_nanos` once
    rounded line by line (M5).

    `carried_nanos` was carried here by the invoice before. A bill never goes below
    zero: what corrections take beyond the month's usage is carried on, like the
    rounding, so that nothing is lost.
    """
    carried_in = whole_cents(carried_nanos)
    surplus = max(0, -(billed_nanos + carried_in))
    subtotal = billed_nanos + carried_in + surplus
    return Sums(carried_in, surplus, subtotal, exact_nanos + carried_nanos - subtotal)


def tax_nanos(subtotal_nanos: int, *, rate: int) -> int:
    """Tax at `rate` thousandths of a percent, rounded half-even to cents."""
    return half_even(subtotal_nanos * rate, WHOLE * NANOS_PER_CENT) * NANOS_PER_CENT


@dataclass(slots=True)
class Correction:
    """One correction line: differences of one member, surface, model and reason, with
    the events they are about.
    """

    membership_id: int
    surface: str
    model: str
    reason: str
    event_ids: list[str] = field(default_factory=list)
    exact_nanos: int = 0

    @property
    def about(self) -> str:
        """The first events by id, and how many there are beyond."""
        named = ", ".join(one[:80] for one in self.event_ids[:NAMED])
        more = len(self.event_ids) - NAMED
        return f"{named} +{more}" if more > 0 else named


def corrections(
    rows: Iterable[tuple[int, str, str, str, str, int]],
) -> list[Correction]:
    """Differences (member, surface, model, reason, event id, nano-USD) as lines, in the
    order they come.
    """
    found: dict[tuple[int, str, str, str], Correction] = {}
    for membership_id, surface, model, reason, event_id, nanos in rows:
        key = (membership_id, surface, model, reason)
        line = found.setdefault(key, Correction(membership_id, surface, model, reason))
        if event_id not in line.event_ids[-1:]:
            line.event_ids.append(event_id)
        line.exact_nanos += nanos
    return list(found.values())


def closes_at(month: Month, *, grace: dt.timedelta) -> dt.datetime:
    """The instant from which a month may be closed (P2)."""
    return month.end + grace


def latest_closable(
    calendar: Calendar, *, now: dt.datetime, grace: dt.timedelta
) -> dt.date:
    """The latest month whose grace time is over."""
    return previous_month(calendar.month_at(now - grace).first_on)


def months_to_close(first_open_on: dt.date, latest_on: dt.date) -> list[dt.date]:
    """Every month from the first open one to the latest that may close, in the order in
    which they close.
    """
    found, month_on = [], first_open_on
    while month_on <= latest_on:
        found.append(month_on)
        month_on = next_month(month_on)
    return found
