"""What was used last month of some models, from the days' counters: what operators see
before they change a price. Read-only; amounts are nano-USD.

The counters know reported names and tokens. They don't know which provider served, how
long a cache was written for, web searches, factors or the size of a context.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet, Sum

from billing.models import UsageDay
from billing.prices.queries.book import ORGANIZATION
from billing.prices.rules.estimates import TokenSums
from config.kit.months import first_of_month, next_month, previous_month

COST = ("included_nanos", "extra_nanos", "unbilled_nanos")
TOKENS = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens")


@dataclass(frozen=True, slots=True)
class MonthUsage:
    """A month of some models: under which reported names, by how many, at what cost."""

    month_on: dt.date
    names: tuple[str, ...] = ()
    events: int = 0
    people: int = 0
    organizations: int = 0
    cost_nanos: int = 0
    tokens: TokenSums = field(default_factory=TokenSums)


def last_month_on(now: dt.datetime) -> dt.date:
    """The first day of the last month that is over by UTC."""
    return previous_month(first_of_month(now.astimezone(dt.UTC).date()))


def usage_of_names(is_meant: Callable[[str], bool], *, now: dt.datetime) -> MonthUsage:
    """Last month's usage under the reported names that are meant; days are those of each
    organization's own zone.

    Two statements over one month of counters, however many events are behind them.
    """
    month_on = last_month_on(now)
    days = UsageDay.objects.filter(
        day_on__gte=month_on, day_on__lt=next_month(month_on)
    ).order_by()
    called = days.values_list("model", flat=True).distinct()
    names = tuple(sorted(name for name in called if is_meant(name)))
    return _summed(days, month_on, names) if names else MonthUsage(month_on)


def _summed(
    days: QuerySet[UsageDay], month_on: dt.date, names: tuple[str, ...]
) -> MonthUsage:
    sums = days.filter(model__in=names).aggregate(
        **{name: Sum(name) for name in ("events", *COST, *TOKENS)},
        people=Count("membership", distinct=True),
        organizations=Count(ORGANIZATION, distinct=True),
    )
    return MonthUsage(
        month_on,
        names,
        sums["events"],
        sums["people"],
        sums["organizations"],
        sum(sums[name] for name in COST),
        TokenSums(*(sums[name] for name in TOKENS)),
    )
