"""Extra usage by day, split by what reporters may name freely (surfaces, models): however
many names there are, the largest few and all others together. Never writes.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, F, QuerySet, Sum, Value, When

from billing.models import Surface

# As many colours there are; what comes after has that of the rest.
MOST_NAMED = 4
REST = ""
FIRST_SURFACES: tuple[str, ...] = tuple(Surface.values)
Days = dict[dt.date, int]


@dataclass(frozen=True, slots=True)
class Split:
    """What one name came to by local day (nano-USD), or with an empty name all that have
    none of their own. `slot` is its colour, from 1; the rest has the last.
    """

    name: str
    slot: int
    by_day: Days = field(default_factory=dict)

    @property
    def total_nanos(self) -> int:
        """All days together."""
        return sum(self.by_day.values())


def days_by(
    rows: QuerySet[Any],
    column: str,
    *,
    largest_of: QuerySet[Any] | None = None,
    first: Sequence[str] = (),
) -> dict[str, Days]:
    """Extra usage of counters by the names in a column and by day, in one query: of the
    names that are the largest in `largest_of` (all rows without), those in `first` before
    any other, and of the others under REST.

    Never more than a handful of rows a day, whatever was reported.
    """
    largest = _largest(rows if largest_of is None else largest_of, column, first=first)
    split = Case(
        When(**{f"{column}__in": largest}, then=F(column)), default=Value(REST)
    )
    sums = rows.order_by().values("day_on", split=split)
    by_name: dict[str, Days] = defaultdict(dict)
    found = sums.annotate(extra=Sum("extra_nanos")).exclude(extra=0).order_by("day_on")
    for day, name, nanos in found.values_list("day_on", "split", "extra"):
        by_name[name][day] = nanos
    return dict(by_name)


def _largest(
    rows: QuerySet[Any], column: str, *, first: Sequence[str]
) -> QuerySet[Any, Any]:
    totals = rows.order_by().values(column).annotate(total=Sum("extra_nanos"))
    order: list[Any] = ["-total", column]
    if first:
        order.insert(0, Case(When(**{f"{column}__in": first}, then=0), default=1))
    in_order = totals.exclude(total=0).order_by(*order)
    return in_order.values_list(column, flat=True)[:MOST_NAMED]


def splits(by_name: dict[str, Days], *, first: Sequence[str] = ()) -> list[Split]:
    """The parts of a chart from its lowest: those in `first` with the same colours in
    every chart, the others by size with the colours that are left, then the rest. Where
    nothing was used, those in `first` without any.
    """
    slots = {name: place for place, name in enumerate(first, start=1)}
    named = [
        Split(name, slots[name], by_name[name]) for name in first if name in by_name
    ]
    others = [name for name in by_name if name not in slots and name != REST]
    others.sort(key=lambda name: (-sum(by_name[name].values()), name))
    taken = {one.slot for one in named}
    free = (slot for slot in range(1, MOST_NAMED + 1) if slot not in taken)
    named += [
        Split(name, slot, by_name[name])
        for name, slot in zip(others, free, strict=False)
    ]
    if REST in by_name:
        named.append(Split(REST, MOST_NAMED + 1, by_name[REST]))
    return named or [Split(name, slots[name]) for name in first]
