"""How a bill adds up (M5), what is left to credit, and when a month may close (P2).

Pure: whole nano-USD, instants in UTC, months by their first day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from config.kit.money import NANOS_PER_CENT, half_even, to_cents
from config.kit.months import Calendar, Month, next_month, previous_month

# 100 %, in the thousandths of a percent of a tax rate.
WHOLE_RATE = 100_000
# Corrections name this many of their events; the list behind the line has them all.
NAMED_EVENTS = 5


def whole_cents(nanos: int) -> int:
    """Nano-USD rounded half-even to cents, still in nano-USD: the amount of a line (M5)."""
    return to_cents(nanos) * NANOS_PER_CENT


@dataclass(frozen=True, slots=True)
class InvoiceSums:
    """What an invoice comes to, in nano-USD.

    `carried_nanos` is what the invoice before handed on, exactly, and
    `carried_in_nanos` the same in whole cents, the amount of its line; `surplus_nanos`
    is the amount of the line that lifts a bill below zero to zero.
    """

    exact_nanos: int
    carried_nanos: int
    carried_in_nanos: int
    surplus_nanos: int
    subtotal_nanos: int

    @property
    def carried_out_nanos(self) -> int:
        """What goes on to the next invoice: all that this one does not bill."""
        return self.exact_nanos + self.carried_nanos - self.subtotal_nanos


def add_up(*, exact_nanos: int, billed_nanos: int, carried_nanos: int) -> InvoiceSums:
    """The sums of an invoice (M5).

    Its lines come to `exact_nanos`, and to `billed_nanos` once rounded line by line. A
    bill never goes below zero: what corrections take beyond the month's usage is
    carried on, like the rounding, so that nothing is lost.
    """
    carried_in = whole_cents(carried_nanos)
    surplus = max(0, -(billed_nanos + carried_in))
    return InvoiceSums(
        exact_nanos=exact_nanos,
        carried_nanos=carried_nanos,
        carried_in_nanos=carried_in,
        surplus_nanos=surplus,
        subtotal_nanos=billed_nanos + carried_in + surplus,
    )


def tax_nanos(subtotal_nanos: int, *, rate: int) -> int:
    """Tax at `rate` thousandths of a percent, rounded half-even to cents."""
    cents = half_even(subtotal_nanos * rate, WHOLE_RATE * NANOS_PER_CENT)
    return cents * NANOS_PER_CENT


@dataclass(frozen=True, slots=True)
class Creditable:
    """What credit notes have left of an invoice, in nano-USD."""

    subtotal_nanos: int
    tax_nanos: int

    def tax_of(self, subtotal_nanos: int, *, rate: int) -> int:
        """The tax that goes back with an amount before tax.

        The last note takes what is left of the tax, so that all notes together are the
        invoice, to the cent.
        """
        if subtotal_nanos == self.subtotal_nanos:
            return self.tax_nanos
        return min(self.tax_nanos, tax_nanos(subtotal_nanos, rate=rate))


@dataclass(slots=True)
class Correction:
    """One correction line: the differences of one member, surface, model and reason."""

    membership_id: int
    surface: str
    model: str
    reason: str
    event_ids: list[str] = field(default_factory=list)
    exact_nanos: int = 0

    @property
    def about(self) -> str:
        """The first events by id, and how many there are beyond."""
        named = ", ".join(event_id[:80] for event_id in self.event_ids[:NAMED_EVENTS])
        more = len(self.event_ids) - NAMED_EVENTS
        return f"{named} +{more}" if more > 0 else named


def corrections(
    rows: Iterable[tuple[int, str, str, str, str, int]],
) -> list[Correction]:
    """Differences as correction lines, in the order they come.

    A row is: membership id, surface, model, reason, event id, nano-USD. Differences of
    one event stand together.
    """
    lines: dict[tuple[int, str, str, str], Correction] = {}
    for membership_id, surface, model, reason, event_id, nanos in rows:
        key = (membership_id, surface, model, reason)
        line = lines.setdefault(key, Correction(*key))
        if event_id not in line.event_ids[-1:]:
            line.event_ids.append(event_id)
        line.exact_nanos += nanos
    return list(lines.values())


def closes_at(month: Month, *, grace: dt.timedelta) -> dt.datetime:
    """The instant from which a month may be closed (P2)."""
    return month.end + grace


def latest_closable(
    calendar: Calendar, *, now: dt.datetime, grace: dt.timedelta
) -> dt.date:
    """The latest month whose grace time is over at `now`."""
    return previous_month(calendar.month_at(now - grace).first_on)


def months_to_close(first_open_on: dt.date, latest_on: dt.date) -> list[dt.date]:
    """The months from the first open one to the latest that may close, in that order."""
    months = []
    month_on = first_open_on
    while month_on <= latest_on:
        months.append(month_on)
        month_on = next_month(month_on)
    return months
