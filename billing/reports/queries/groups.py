"""Usage by group over a range of local days: from the day counters, or from the events
where a label is asked for.

Added up in the database and read in pieces, so that no report is ever whole in memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Count,
    F,
    Func,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from billing.models import Funding, UsageAdjustment, UsageDay, UsageEvent, UsagePart
from billing.reports.rules.grouping import (
    GROUPS,
    BadGroup,
    grouped_keys,
    is_label,
    label_key,
)
from config.kit.cursors import bad_cursor, keys_of
from config.kit.errors import BusinessError
from config.kit.sql import as_date

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
COUNTS, MONEY = SUMS[:5], SUMS[5:]
PIECE = 1_000  # rows read at once
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
class Narrowed:
    """What is counted of an organization: of one person, model, surface, seat (empty:
    none) or text of a label, or of several of these at once; None is all.
    """

    membership_id: int | None = None
    model: str | None = None
    surface: str | None = None
    seat_tier: str | None = None
    label: tuple[str, str] | None = None

    def of(self, rows: QuerySet[Any], *, prefix: str, own: str = "", model: str) -> Any:
        """Those of the rows it leaves, whose event's columns are at `prefix`, whose
        person's and day's at `own`, and whose model is in `model`.
        """
        wanted = {
            f"{own}membership_id": self.membership_id,
            model: self.model,
            f"{prefix}surface": self.surface,
            f"{prefix}seat_tier": self.seat_tier,
        }
        rows = rows.filter(**{k: v for k, v in wanted.items() if v is not None})
        if self.label is None:
            return rows
        key, text = self.label
        found = Coalesce(
            LabelText(f"{prefix}labels", key), Value(""), output_field=TextField()
        )
        return rows.alias(narrowed_label=found).filter(narrowed_label=text)


ALL = Narrowed()
MODEL_ADJUSTED = Coalesce(F("part__model"), F("event__model"))


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Rows of the grouped keys followed by SUMS, in the order of the keys; amounts are
    nano-USD. The rows can be gone through once.
    """

    keys: list[str]
    rows: Iterator[tuple[Any, ...]]


def usage_report(
    organization_id: int,
    *,
    start: dt.date,
    end: dt.date,
    group_by: str,
    membership_id: int | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> UsageReport:
    """Sums from `start` to before `end` (local days), of everybody or of one member: all,
    or `limit` rows behind the `cursor`.

    Raises BusinessError (422) for a bad range, group or cursor.
    """
    keys = _keys(group_by)
    if end < start or end - start > LONGEST:
        raise BusinessError(
            _("The end must be after the start, by at most ten years."),
            code="bad_range",
            status=422,
            field="end",
        )
    after = [] if cursor is None else _after(cursor, keys)
    span = {"day_on__gte": start, "day_on__lt": end}
    narrowed = Narrowed(membership_id=membership_id)
    sums_of = _from_events if any(map(is_label, keys)) else _from_counters
    sums = sums_of(organization_id, span, keys, narrowed)
    if after:
        # What stands before the first key was on earlier pages; the rest is told apart
        # below.
        sums = [rows.filter(by_0__gte=after[0]) for rows in sums]
    return UsageReport(keys, _added_up(sums, keys, after=after, limit=limit))


def group_rows(
    organization_id: int,
    *,
    start: dt.date,
    end: dt.date,
    keys: list[str],
    narrowed: Narrowed = ALL,
) -> Iterator[tuple[Any, ...]]:
    """The same for our own pages: by `membership` ids too, and narrowed down. The rows
    can be gone through once.
    """
    span = {"day_on__gte": start, "day_on__lt": end}
    has_labels = narrowed.label is not None or any(map(is_label, keys))
    sums_of = _from_events if has_labels else _from_counters
    sums = sums_of(organization_id, span, keys, narrowed)
    return _added_up(sums, keys, after=[], limit=None)


def _after(cursor: str, keys: list[str]) -> list[str]:
    after = keys_of(cursor, count=len(keys))
    for key, value in zip(keys, after, strict=True):
        if key == "day" and not _is_day(value):
            raise bad_cursor()
    return after


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


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


def _added_up(
    sums: list[QuerySet[Any]], keys: list[str], *, after: list[str], limit: int | None
) -> Iterator[tuple[Any, ...]]:
    """The groups of all `sums` together, in the order of their keys.

    The statement runs at once, so that whatever stops it is heard before the first row
    is sent.
    """
    parts = [rows.query.sql_with_params() for rows in sums]
    union = " UNION ALL ".join(
        f"SELECT * FROM ({sql}) AS part" for sql, _params in parts
    )
    params = [param for _sql, given in parts for param in given]
    names = ", ".join(f"by_{number}" for number in range(len(keys)))
    totals = ", ".join(f"SUM(sum_{name})" for name in SUMS)
    if not keys:
        sql = f"SELECT {totals} FROM ({union}) AS parts"
    else:
        sql = f"SELECT {names}, {totals} FROM ({union}) AS parts"
        if after:
            sql += f" WHERE ({names}) > ({', '.join(['%s'] * len(after))})"
            params += after
        sql += f" GROUP BY {names} ORDER BY {names}"
    if limit is not None:
        sql += f" LIMIT {limit:d}"
    cursor = connection.chunked_cursor()
    cursor.execute(sql, params)
    return _rows(cursor, keys)


def _rows(cursor: Any, keys: list[str]) -> Iterator[tuple[Any, ...]]:
    with cursor:
        while piece := cursor.fetchmany(PIECE):
            for row in piece:
                groups = row[: len(keys)]
                sums = [int(sum or 0) for sum in row[len(keys) :]]
                if keys or any(sums):
                    yield (*map(_shown, keys, groups), *sums)


def _shown(key: str, value: Any) -> Any:
    if key == "day":
        return as_date(value)
    return value or None if key == "seat_tier" else value


def _from_counters(
    organization_id: int, span: dict[str, Any], keys: list[str], narrowed: Narrowed
) -> list[QuerySet[Any]]:
    days = UsageDay.objects.filter(membership__organization_id=organization_id, **span)
    days = narrowed.of(days, prefix="", model="model")
    columns = _columns(keys, prefix="", own="", model=F("model"))
    sums = {name: Sum(name) for name in COUNTS}
    for name, column in zip(
        MONEY, ("included_nanos", "extra_nanos", "unbilled_nanos"), strict=True
    ):
        sums[name] = Sum(column)
    return [_grouped(days, columns, sums)]


def _from_events(
    organization_id: int, span: dict[str, Any], keys: list[str], narrowed: Narrowed
) -> list[QuerySet[Any]]:
    """Labels are on the events alone, so their groups are summed from them, adjustments
    added to their event's group.
    """
    within = {"organization_id": organization_id, **span}
    events, first, parts = UsageEvent.objects.filter(**within), Q(), []
    if "model" in keys or narrowed.model is not None:
        # An event in parts counts to each part's model; once, with its first.
        of_events = UsagePart.objects.filter(
            **{f"event__{key}": value for key, value in within.items()}
        )
        of_events = narrowed.of(
            of_events, prefix="event__", own="event__", model="model"
        )
        parts = [_used(of_events, keys, prefix="event__", first=Q(position=0))]
        events = events.filter(is_split=False)
    events = narrowed.of(events, prefix="", model="model")
    adjustments = narrowed.of(
        UsageAdjustment.objects.annotate(of_model=MODEL_ADJUSTED).filter(**within),
        prefix="event__",
        model="of_model",
    )
    return [
        _used(events, keys, prefix="", first=first),
        *parts,
        _booked(adjustments, keys),
    ]


def _used(
    rows: QuerySet[Any], keys: list[str], *, prefix: str, first: Q
) -> QuerySet[Any]:
    """Events, or parts of events, whose event's columns are at `prefix`."""
    columns = _columns(keys, prefix=prefix, own=prefix, model=F("model"))
    written = F("cache_write_5m_tokens") + F("cache_write_1h_tokens")
    sums = {
        "events": Count("pk", filter=first),
        "input_tokens": Sum("input_tokens"),
        "output_tokens": Sum("output_tokens"),
        "cache_write_tokens": Sum(written),
        "cache_read_tokens": Sum("cache_read_tokens"),
        **_money("cost_nanos", funding=f"{prefix}funding"),
    }
    return _grouped(rows, columns, sums)


def _booked(
    adjustments: QuerySet[UsageAdjustment], keys: list[str]
) -> QuerySet[UsageAdjustment]:
    # An adjustment's day is its own: that is when it was booked.
    columns = _columns(keys, prefix="event__", own="", model=MODEL_ADJUSTED)
    nothing = {name: Sum(Value(0, BigIntegerField())) for name in COUNTS}
    sums = {**nothing, **_money("amount_nanos", funding="event__funding")}
    return _grouped(adjustments, columns, sums)


def _money(column: str, *, funding: str) -> dict[str, Any]:
    return {
        name: Sum(column, filter=Q(**{funding: value}))
        for name, value in zip(MONEY, FUNDINGS, strict=True)
    }


def _grouped(
    rows: QuerySet[Any], columns: dict[str, Any], sums: dict[str, Any]
) -> QuerySet[Any]:
    """Columns `by_0`… and SUMS; without a column one row of everything."""
    together = {} if columns else {"by_all": Value(1)}
    totals = {f"sum_{name}": total for name, total in sums.items()}
    grouped = rows.order_by().values(**columns, **together).annotate(**totals)
    return grouped.values_list(*columns, *totals)


def _columns(keys: list[str], *, prefix: str, own: str, model: Any) -> dict[str, Any]:
    """The expression of each key, as `by_` and its place; whose it is stands at `own`."""
    plain = {
        "day": F(f"{own}day_on"),
        "member": F(f"{own}membership__user__email"),
        "membership": F(f"{own}membership_id"),
        "surface": F(f"{prefix}surface"),
        "model": model,
        "seat_tier": F(f"{prefix}seat_tier"),
    }
    return {
        f"by_{number}": plain[key]
        if key in plain
        else Coalesce(
            LabelText(f"{prefix}labels", label_key(key)),
            Value(""),
            output_field=TextField(),
        )
        for number, key in enumerate(keys)
    }
