"""Usage by group over a range of local days: from the day counters, or from the events
where a label is asked for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils.translation import gettext as _

from billing.models import Funding, UsageAdjustment, UsageDay, UsageEvent, UsagePart
from billing.reports.rules.grouping import (
    GROUPS,
    BadGroup,
    grouped_keys,
    is_label,
    label_key,
)
from config.kit.errors import BusinessError

SUMS = (
    "events",
    "input_tokens",
    "output_tokens",
    "cache_write_tokens",
    "cache_read_tokens",
    "included_usd",
    "extra_usage_usd",
    "unbilled_usd",
)
FUNDINGS = (Funding.INCLUDED, Funding.EXTRA_USAGE, Funding.UNBILLED)
LONGEST = dt.timedelta(days=3660)


class LabelText(Func):
    """A label's text by its key, whatever the key looks like; NULL without it.

    Django's own transform takes digits for a position in a list, and on SQLite writes
    the key into a path, where quotation marks and other letters mean something else.
    """

    output_field = TextField()
    template = "(%(expressions)s)"
    arg_joiner = " ->> "

    def __init__(self, labels: str, key: str) -> None:
        super().__init__(F(labels), Cast(Value(key), TextField()))

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite's `->>` reads a path; each label is a row of `json_each`."""
        return self.as_sql(
            compiler,
            connection,
            template="(SELECT value FROM json_each(%(expressions)s)",
            arg_joiner=") WHERE key = ",
            **extra,
        )


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Rows of the grouped keys followed by SUMS; amounts are nano-USD."""

    keys: list[str]
    rows: list[tuple[Any, ...]]


def usage_report(
    organization_id: int, *, start: dt.date, end: dt.date, group_by: str
) -> UsageReport:
    """Sums from `start` to before `end` (local days).

    Raises BusinessError (422) for a bad range or group.
    """
    keys = _keys(group_by)
    if end < start or end - start > LONGEST:
        raise BusinessError(
            _("The end must be after the start, by at most ten years."),
            code="bad_range",
            status=422,
            field="end",
        )
    if any(map(is_label, keys)):
        return UsageReport(keys, _from_events(organization_id, start, end, keys))
    return UsageReport(keys, _from_counters(organization_id, start, end, keys))


def _keys(group_by: str) -> list[str]:
    try:
        return grouped_keys(group_by)
    except BadGroup as error:
        raise BusinessError(
            _("Can't group by “%(key)s”; use %(all)s or label:KEY.")
            % {"key": error.part.replace("\0", "")[:60], "all": ", ".join(GROUPS)},
            code="bad_group",
            status=422,
            field="group_by",
        ) from error


def _from_counters(
    organization_id: int, start: dt.date, end: dt.date, keys: list[str]
) -> list[tuple[Any, ...]]:
    columns = {
        "day": F("day_on"),
        "member": F("membership__user__email"),
        "surface": F("surface"),
        "model": F("model"),
        "seat_tier": NullIf(F("seat_tier"), Value("")),
    }
    days = UsageDay.objects.filter(
        membership__organization_id=organization_id, day_on__gte=start, day_on__lt=end
    )
    names = [f"by_{key}" for key in keys]
    sums = {
        "s_events": Sum("events"),
        "s_in": Sum("input_tokens"),
        "s_out": Sum("output_tokens"),
        "s_write": Sum("cache_write_tokens"),
        "s_read": Sum("cache_read_tokens"),
        "s_included": Sum("included_nanos"),
        "s_extra": Sum("extra_nanos"),
        "s_unbilled": Sum("unbilled_nanos"),
    }
    if not keys:
        totals = days.aggregate(**sums)
        row = tuple(value or 0 for value in totals.values())
        return [row] if any(row) else []
    grouped = days.values(
        **{name: columns[key] for name, key in zip(names, keys, strict=True)}
    )
    return list(grouped.annotate(**sums).order_by(*names).values_list(*names, *sums))


def _from_events(
    organization_id: int, start: dt.date, end: dt.date, keys: list[str]
) -> list[tuple[Any, ...]]:
    """Labels are on the events alone, so their groups are summed from them, adjustments
    added to their event's group.
    """
    totals: dict[tuple[Any, ...], list[int]] = {}
    span = {"organization_id": organization_id, "day_on__gte": start, "day_on__lt": end}
    by_model = "model" in keys
    events = UsageEvent.objects.filter(**span)
    if by_model:
        # An event in parts counts to each part's model; once, with its first.
        parts = UsagePart.objects.filter(
            **{f"event__{key}": value for key, value in span.items()}
        )
        _add_rows(totals, parts, keys, prefix="event__", first=Q(position=0))
        events = events.filter(is_split=False)
    _add_rows(totals, events, keys, prefix="", first=Q())
    _add_adjustments(totals, UsageAdjustment.objects.filter(**span), keys)
    return [
        (*group, *sums)
        for group, sums in sorted(
            totals.items(), key=lambda total: tuple(map(str, total[0]))
        )
    ]


def _add_rows(
    totals: dict[tuple[Any, ...], list[int]],
    rows: QuerySet[Any],
    keys: list[str],
    *,
    prefix: str,
    first: Q,
) -> None:
    """Events, or parts of events, whose event's columns are at `prefix`."""
    names = [f"by_{number}" for number in range(len(keys))]
    grouped = rows.values(
        **_columns(names, keys, prefix=prefix, own=prefix, model=F("model")),
        f=F(f"{prefix}funding"),
    ).annotate(
        n=Count("pk", filter=first),
        t0=Sum("input_tokens"),
        t1=Sum("output_tokens"),
        t2=Sum(F("cache_write_5m_tokens") + F("cache_write_1h_tokens")),
        t3=Sum("cache_read_tokens"),
        c=Sum("cost_nanos"),
    )
    for *group, funding, number, t0, t1, t2, t3, cost in grouped.order_by().values_list(
        *names, "f", "n", "t0", "t1", "t2", "t3", "c"
    ):
        _add(totals, tuple(group), [number, t0, t1, t2, t3], funding, cost)


def _add_adjustments(
    totals: dict[tuple[Any, ...], list[int]],
    adjustments: QuerySet[UsageAdjustment],
    keys: list[str],
) -> None:
    names = [f"by_{number}" for number in range(len(keys))]
    model = Coalesce(F("part__model"), F("event__model"))
    grouped = adjustments.values(
        **_columns(names, keys, prefix="event__", own="", model=model),
        f=F("event__funding"),
    ).annotate(c=Sum("amount_nanos"))
    for *group, funding, amount in grouped.order_by().values_list(*names, "f", "c"):
        _add(totals, tuple(group), [0] * 5, funding, amount)


def _columns(
    names: list[str], keys: list[str], *, prefix: str, own: str, model: Any
) -> dict[str, Any]:
    # An adjustment's day is its own: that is when it was booked.
    plain = {
        "day": F(f"{own}day_on"),
        "member": F(f"{own}membership__user__email"),
        "surface": F(f"{prefix}surface"),
        "model": model,
        "seat_tier": NullIf(F(f"{prefix}seat_tier"), Value("")),
    }
    return {
        name: plain[key]
        if key in plain
        else Coalesce(
            LabelText(f"{prefix}labels", label_key(key)),
            Value(""),
            output_field=TextField(),
        )
        for name, key in zip(names, keys, strict=True)
    }


def _add(
    totals: dict[tuple[Any, ...], list[int]],
    group: tuple[Any, ...],
    counts: list[int],
    funding: str,
    nanos: int,
) -> None:
    sums = totals.setdefault(group, [0] * len(SUMS))
    for index, value in enumerate(counts):
        sums[index] += value
    sums[len(counts) + FUNDINGS.index(Funding(funding))] += nanos
