"""Who and what one day's extra usage was, out of the day counters: a few rows by name and
all others as one, however many people there are. Read-only; amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import Membership
from billing.models import UsageDay
from billing.reports.queries.splits import REST, Split

MOST_NAMED = 6
# Those who were stopped are shown too, however little they spent.
MOST_STOPPED = 20


@dataclass(frozen=True, slots=True)
class Share:
    """What one person, one model or all others came to, by the surfaces of the month."""

    key: Any
    by_surface: tuple[int, ...]

    @property
    def total_nanos(self) -> int:
        """All surfaces."""
        return sum(self.by_surface)


@dataclass(frozen=True, slots=True)
class DayShares:
    """One day: whom it was (by membership) and what (by model), the largest first; the
    rest of both as a number and a sum. `unattributed_nanos` is nobody's (X2).
    """

    on: dt.date
    by_surface: tuple[int, ...]
    people: int
    requests: int
    who: list[Share]
    others: int
    others_nanos: int
    unattributed_nanos: int
    what: list[Share]
    more_models: int
    more_models_share: Share | None

    @property
    def total_nanos(self) -> int:
        """All of it."""
        return sum(self.by_surface)


def day_shares(
    organization_id: int,
    *,
    on: dt.date,
    surfaces: Sequence[Split],
    stopped: Collection[int] = (),
) -> DayShares:
    """What one day came to, in four queries. `stopped` are memberships that are named
    whatever they spent.
    """
    rows = UsageDay.objects.filter(
        membership__organization=organization_id, day_on=on
    ).order_by()
    nobody = Q(membership__status=Membership.Status.NOBODY)
    extra = rows.exclude(extra_nanos=0)
    sums = extra.exclude(nobody).aggregate(
        people=Count("membership", distinct=True), total=Sum("extra_nanos")
    )
    named = _largest_people(extra.exclude(nobody), stopped)
    who = _shares(extra.filter(membership__in=named), "membership_id", surfaces)
    what = _shares(extra, "model", surfaces)
    by_surface = _added_up(what, surfaces)
    spent_by_people = sums["total"] or 0
    more = what[MOST_NAMED:] if len(what) > MOST_NAMED + 1 else []
    return DayShares(
        on,
        by_surface,
        sums["people"],
        rows.aggregate(number=Sum("events"))["number"] or 0,
        [*who, *_without_any(named, who, surfaces)],
        sums["people"] - len(who),
        spent_by_people - sum(share.total_nanos for share in who),
        sum(by_surface) - spent_by_people,
        what[: len(what) - len(more)],
        len(more),
        Share(REST, _added_up(more, surfaces)) if more else None,
    )


def _largest_people(rows: QuerySet[Any], stopped: Collection[int]) -> list[int]:
    totals = rows.values("membership_id").annotate(total=Sum("extra_nanos"))
    largest = totals.order_by("-total", "membership_id")
    named = list(largest.values_list("membership_id", flat=True)[:MOST_NAMED])
    return [*named, *[pk for pk in sorted(stopped) if pk not in named][:MOST_STOPPED]]


def _without_any(
    named: Collection[int], who: list[Share], surfaces: Sequence[Split]
) -> list[Share]:
    """Who was stopped that day without having spent anything on it."""
    found = {share.key for share in who}
    return [Share(pk, (0,) * len(surfaces)) for pk in named if pk not in found]


def _shares(rows: QuerySet[Any], column: str, surfaces: Sequence[Split]) -> list[Share]:
    """By one column and the month's surfaces, the largest first."""
    places = {surface.name: place for place, surface in enumerate(surfaces)}
    by_key: dict[Any, list[int]] = defaultdict(lambda: [0] * len(surfaces))
    sums = rows.values_list(column, "surface").annotate(total=Sum("extra_nanos"))
    for key, surface, total in sums:
        by_key[key][places.get(surface, len(surfaces) - 1)] += total
    shares = [Share(key, tuple(parts)) for key, parts in by_key.items()]
    return sorted(shares, key=lambda one: (-one.total_nanos, str(one.key)))


def _added_up(shares: Iterable[Share], surfaces: Sequence[Split]) -> tuple[int, ...]:
    sums = [0] * len(surfaces)
    for share in shares:
        for place, nanos in enumerate(share.by_surface):
            sums[place] += nanos
    return tuple(sums)


def people_on(organization_id: int, *, on: dt.date) -> int:
    """How many people had extra usage on a day."""
    rows = UsageDay.objects.filter(
        membership__organization=organization_id, day_on=on, extra_nanos__gt=0
    ).exclude(membership__status=Membership.Status.NOBODY)
    return rows.aggregate(people=Count("membership", distinct=True))["people"] or 0
