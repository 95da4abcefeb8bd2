"""The names that nobody has, with what is open under each (X2): written only for batches
that have such events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from billing.metering.actions.rows.events import EventRow
from billing.metering.rules.tally import Spend
from billing.models import UnattributedName
from config.kit.sql import (
    db_time,
    in_list,
    is_postgresql,
    list_param,
    rows_json,
    rowset,
    run,
)

TABLE = UnattributedName._meta.db_table
COLUMNS = dict.fromkeys(
    ("id", "events", "extra_nanos", "unbilled_nanos"), "bigint"
) | dict.fromkeys(("first_at", "last_at"), "timestamptz")


@dataclass(slots=True)
class NameCount:
    """What is added to one name: nano-USD by who pays, and when events ran, if any."""

    events: int = 0
    extra: int = 0
    unbilled: int = 0
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None

    def add(self, spend: Spend) -> None:
        """Money alone."""
        self.extra += spend.extra
        self.unbilled += spend.unbilled

    def add_event(self, spend: Spend, occurred_at: dt.datetime) -> None:
        """One event."""
        self.add(spend)
        self.events += 1
        self.first_at = min(self.first_at or occurred_at, occurred_at)
        self.last_at = max(self.last_at or occurred_at, occurred_at)


def write_names(rows: list[EventRow], *, organization_id: int) -> dict[str, int]:
    """Count the events of nobody to their names; the ids of those names. Nothing is asked
    of the database where there are none.
    """
    counts: dict[str, NameCount] = {}
    for row in rows:
        priced = row.priced
        if priced.sent_as:
            spend = Spend.of(priced.funded.funding, priced.charge.cost_nanos)
            count = counts.setdefault(priced.sent_as, NameCount())
            count.add_event(spend, priced.event.occurred_at)
    if not counts:
        return {}
    ids = _known_ids(counts, organization_id=organization_id)
    add_to_names({ids[name]: count for name, count in counts.items() if name in ids})
    new = UnattributedName.objects.bulk_create(
        _new_names(counts, ids, organization_id=organization_id)
    )
    return ids | {row.sent_as: row.pk for row in new}


def _known_ids(names: Iterable[str], *, organization_id: int) -> dict[str, int]:
    rows = run(
        f"SELECT sent_as, id FROM {TABLE} WHERE organization_id = %s AND"
        f" {in_list('sent_as', 'text')} ORDER BY id DESC",
        [organization_id, list_param(list(names))],
        prepared=False,
    ).rows()
    return dict(rows)


def _new_names(
    counts: dict[str, NameCount], ids: dict[str, int], *, organization_id: int
) -> Iterator[UnattributedName]:
    for name, count in counts.items():
        if name not in ids:
            yield UnattributedName(
                organization_id=organization_id,
                sent_as=name,
                events=count.events,
                extra_nanos=count.extra,
                unbilled_nanos=count.unbilled,
                first_seen_at=count.first_at,
                last_seen_at=count.last_at,
            )


def add_to_names(counts: dict[int, NameCount]) -> None:
    """Add to names by their ids, under the organization's lock."""
    values = [
        {
            "id": pk,
            "events": count.events,
            "extra_nanos": count.extra,
            "unbilled_nanos": count.unbilled,
            "first_at": count.first_at and db_time(count.first_at),
            "last_at": count.last_at and db_time(count.last_at),
        }
        for pk, count in counts.items()
    ]
    if values:
        run(_add_sql(is_postgresql()), [rows_json(values)])


@lru_cache(maxsize=2)
def _add_sql(postgresql: bool) -> str:
    sums = ", ".join(
        f"{name} = n.{name} + r.{name}"
        for name in ("events", "extra_nanos", "unbilled_nanos")
    )
    return (
        f"UPDATE {TABLE} AS n SET {sums},"
        " first_seen_at = CASE WHEN r.first_at < n.first_seen_at THEN r.first_at"
        " ELSE n.first_seen_at END,"
        " last_seen_at = CASE WHEN r.last_at > n.last_seen_at THEN r.last_at"
        " ELSE n.last_seen_at END"
        f" FROM {rowset(COLUMNS)} WHERE n.id = r.id"
    )
