"""Writing a recorded batch: one statement a table, each with all its rows in one JSON
parameter.

Acts of metering call this, inside their transaction and lock. Amounts are nano-USD.
"""

from __future__ import annotations

import datetime as dt

from django.db import DatabaseError

from billing.metering.actions.rows.countable import (
    Uncountable,
    uncountable_sentence,
    within_bounds,
)
from billing.metering.actions.rows.counters import counter_statements
from billing.metering.actions.rows.events import EventRow, event_statement
from billing.metering.actions.rows.names import NameCount, add_to_names, write_names
from billing.metering.actions.rows.parts import write_parts
from billing.metering.actions.rows.windows import write_windows
from billing.metering.rules.tally import Tally
from billing.metering.rules.windows import Windows
from config.kit.sql import hear_the_rest, run_together


def write(
    rows: list[EventRow],
    *,
    tally: Tally,
    windows: Windows,
    organization_id: int,
    key_id: int | None,
    now: dt.datetime,
) -> None:
    """Insert the events, as the key reported them `now`, and add to every counter and
    window they touch.
    """
    if not rows:
        return
    try:
        names = write_names(rows, organization_id=organization_id)
        run_together(
            [
                event_statement(
                    rows,
                    names=names,
                    organization_id=organization_id,
                    key_id=key_id,
                    recorded_at=now,
                ),
                *counter_statements(tally, organization_id=organization_id),
            ]
        )
        write_parts(rows, organization_id=organization_id)
        write_windows(windows)
    except DatabaseError:
        hear_the_rest()
        raise


def add_counts(tally: Tally, *, organization_id: int) -> None:
    """Add a tally to the counters and to what is pending of a balance.

    Raises Uncountable where a sum would leave its bounds.
    """
    with within_bounds():
        run_together(counter_statements(tally, organization_id=organization_id))


__all__ = [
    "EventRow",
    "NameCount",
    "Uncountable",
    "add_counts",
    "add_to_names",
    "uncountable_sentence",
    "within_bounds",
    "write",
]
