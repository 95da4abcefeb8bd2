"""One person's month by day: the chart and the same numbers as rows, of their own page and
of the one that admins have.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from billing.reports.charts import day_sums, split_label
from billing.reports.queries.splits import Split
from config.kit.dates import day_text
from config.kit.money import to_decimal_text
from config.kit.months import Month


def days_context(parts: list[Split], *, month: Month) -> dict[str, Any]:
    """The chart of the month and the same numbers as rows."""
    days = [month.first_on.replace(day=number) for number in range(1, month.days + 1)]
    return {
        "chart": _chart(parts, days),
        "totals": [(split_label(part), part) for part in parts],
        "rows": [
            (day, [part.by_day.get(day, 0) for part in parts])
            for day in days
            if any(part.by_day.get(day) for part in parts)
        ],
    }


def _chart(parts: list[Split], days: list[dt.date]) -> dict[str, Any]:
    return {
        "kind": "money",
        "labels": [day.day for day in days],
        "titles": [day_text(day) for day in days],
        "series": [
            {
                "label": split_label(part),
                "slot": part.slot,
                "values": [to_decimal_text(part.by_day.get(day, 0)) for day in days],
            }
            for part in parts
        ],
        "sums": day_sums(
            sum(part.by_day.get(day, 0) for part in parts) for day in days
        ),
        "projected": None,
        "pace": None,
        "mark": None,
    }
