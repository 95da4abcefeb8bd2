"""A report: usage of some days by one or two dimensions, with its days for the chart and
the same before (G4 later by groups). From the day counters; by labels from the events.

Read-only; amounts are nano-USD, days are local days.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from accounts.models import Membership
from billing.reports.queries.groups import SUMS, Narrowed, group_rows
from billing.reports.rules.grouping import is_label
from billing.reports.rules.ranges import DayRange, range_before, step_start

PERSON, MODEL, SURFACE, SEAT, DAY = "person", "model", "surface", "seat_tier", "day"
DIMENSIONS = (PERSON, MODEL, SURFACE, SEAT, DAY)
MOST_SERIES = 4
REST = object()

PAID = {
    "extra": ("extra_usage_usd",),
    "included": ("included_usd",),
    "unbilled": ("unbilled_usd",),
    "all": ("included_usd", "extra_usage_usd", "unbilled_usd"),
}
Key = Any


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about: its days, the dimension of its rows, that of its columns
    (empty: none), who paid, and what it is narrowed to.
    """

    span: DayRange
    by: str = PERSON
    then: str = ""
    paid: str = "extra"
    narrowed: Narrowed = field(default_factory=lambda: Narrowed())


@dataclass(slots=True)
class ReportRow:
    """One row: its key, what it came to by column, and what it came to before."""

    key: Key
    by_column: dict[Key, int] = field(default_factory=dict)
    before_nanos: int = 0

    @property
    def total_nanos(self) -> int:
        """All columns."""
        return sum(self.by_column.values())

    @property
    def difference_nanos(self) -> int:
        """Against the days before."""
        return self.total_nanos - self.before_nanos


class Report:
    """The figures of what was asked, each read when it is first needed: at most five
    statements however many rows there are.
    """

    def __init__(self, organization_id: int, asked: Asked) -> None:
        self.organization_id = organization_id
        self.asked = asked
        self.before = range_before(asked.span)

    @cached_property
    def rows(self) -> list[ReportRow]:
        """The largest first; of equal ones by key, days in their order. Rows that came to
        nothing now or before are left out.
        """
        asked, rows = self.asked, dict[Key, ReportRow]()
        keys = [asked.by, asked.then] if asked.then else [asked.by]
        for *found, nanos in self._sums(asked.span, keys):
            row = rows.setdefault(found[0], ReportRow(found[0]))
            column = found[1] if asked.then else ""
            row.by_column[column] = row.by_column.get(column, 0) + nanos
        if asked.by != DAY:
            for key, nanos in self._sums(self.before, [asked.by]):
                rows.setdefault(key, ReportRow(key)).before_nanos += nanos
        found_rows = [
            row for row in rows.values() if row.total_nanos or row.before_nanos
        ]
        if asked.by == DAY:
            return sorted(found_rows, key=lambda row: row.key)
        return sorted(found_rows, key=lambda row: (-row.total_nanos, str(row.key)))

    @cached_property
    def total_nanos(self) -> int:
        """What all rows came to."""
        return sum(row.total_nanos for row in self.rows)

    @cached_property
    def before_nanos(self) -> int:
        """What the days before came to."""
        if self.asked.by != DAY:
            return sum(row.before_nanos for row in self.rows)
        return sum(nanos for *_keys, nanos in self._sums(self.before, []))

    @cached_property
    def columns(self) -> list[tuple[Key, int]]:
        """The columns with their sums: the largest four, then all others as REST, also
        where corrections bring those to nothing; without a second dimension none.
        """
        if not self.asked.then:
            return []
        sums: dict[Key, int] = defaultdict(int)
        for row in self.rows:
            for key, nanos in row.by_column.items():
                sums[key] += nanos
        largest = sorted(sums.items(), key=lambda one: (-one[1], str(one[0])))
        named = [one for one in largest[:MOST_SERIES] if one[1]]
        keys = {key for key, _nanos in named}
        others = [
            nanos
            for row in self.rows
            for key, nanos in row.by_column.items()
            if nanos and key not in keys
        ]
        return [*named, (REST, sum(others))] if others else named

    def in_columns(self, rows: Iterable[ReportRow]) -> list[int]:
        """What rows came to together, in the order of `columns`."""
        named = [key for key, _nanos in self.columns if key is not REST]
        places = {key: place for place, key in enumerate(named)}
        sums = [0] * len(self.columns)
        if not sums:
            return sums
        for row in rows:
            for key, nanos in row.by_column.items():
                if nanos:
                    sums[places.get(key, len(self.columns) - 1)] += nanos
        return sums

    def by_step(self, step: str) -> dict[Key, dict[dt.date, int]]:
        """By column, or without one under an empty key, what each bar of the chart came
        to.
        """
        asked = self.asked
        keys = [DAY, asked.then] if asked.then and asked.then != DAY else [DAY]
        named = {key for key, _nanos in self.columns if key is not REST}
        bars: dict[Key, dict[dt.date, int]] = defaultdict(lambda: defaultdict(int))
        for day, *column, nanos in self._sums(asked.span, keys):
            if asked.then:
                key = column[0] if column else day
                key = key if key in named else REST
            else:
                key = ""
            bars[key][step_start(day, step, span=asked.span)] += nanos
        return bars

    def before_by_step(self, step: str) -> dict[dt.date, int]:
        """What the days before came to, each day at the bar of the one it is compared
        with; a last day of a longer month has none.
        """
        span, bars = self.asked.span, dict[dt.date, int]()
        for day, nanos in self._sums(self.before, [DAY]):
            beside = span.start + (day - self.before.start)
            if beside < span.end:
                start = step_start(beside, step, span=span)
                bars[start] = bars.get(start, 0) + nanos
        return bars

    def _sums(self, span: DayRange, keys: list[str]) -> Iterable[tuple[Any, ...]]:
        """The keys' values and what was paid as asked."""
        paid = [SUMS.index(name) for name in PAID[self.asked.paid]]
        inner = ["membership" if key == PERSON else key for key in keys]
        rows = group_rows(
            self.organization_id,
            start=span.start,
            end=span.end,
            keys=inner,
            narrowed=self.asked.narrowed,
        )
        for row in rows:
            sums = row[len(keys) :]
            yield (*row[: len(keys)], sum(sums[place] for place in paid))


def people_called(organization_id: int, ids: Iterable[int]) -> dict[int, Membership]:
    """The people of rows, and the line of unattributed usage, by id."""
    memberships = Membership.with_nobody.filter(
        organization_id=organization_id, pk__in=list(ids)
    )
    return {one.pk: one for one in memberships.select_related("user")}


def is_known_dimension(text: str) -> bool:
    """Whether rows or columns can be made of it: a dimension, or `label:` with a key."""
    if is_label(text):
        return 0 < len(text.removeprefix("label:")) <= 60 and "\0" not in text
    return text in DIMENSIONS
