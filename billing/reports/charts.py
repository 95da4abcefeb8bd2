"""Data of the page's charts: plain lists for the script that draws them, and the same
rows for the table beside.

Amounts go to the script as decimal texts of USD; nothing here is a float.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Tier
from billing.models import model_label, surface_label
from billing.reports.queries.month import MonthSummary
from billing.reports.queries.splits import Split
from billing.reports.queries.waits import Waits
from billing.reports.rules.ranges import DayRange, step_starts
from billing.reports.words.report import step_label, step_text
from config.kit.dates import day_text
from config.kit.money import format_usd, to_decimal_text
from config.kit.months import Month


def days_chart(
    summary: MonthSummary, *, opens: bool = False, chosen_on: dt.date | None = None
) -> dict[str, Any]:
    """Extra usage by day and surface, expected days, the pace the cap allows and the
    day it is reached. Where it `opens` days, a bar that is not to come presses the link
    of its day; the one of `chosen_on` is open.
    """
    verdict = summary.verdict
    pace = verdict.cap_nanos // summary.month.days if verdict.cap_nanos else None
    expected = (
        [_usd(day.expected_nanos) for day in summary.days]
        if verdict.projected_nanos is not None
        else None
    )
    return _chart([day.on for day in summary.days], kind="money") | {
        "series": [
            {
                "label": split_label(surface),
                "slot": surface.slot,
                **_amounts(day.by_surface[place] for day in summary.days),
            }
            for place, surface in enumerate(summary.surfaces)
        ],
        "opens": [
            f"month-day-{day.on.day}" if day.on <= summary.today else ""
            for day in summary.days
            if opens
        ],
        "help": keys_text(opens=opens),
        "chosen": chosen_on.day - 1 if chosen_on else None,
        "sums": day_sums(day.total_nanos for day in summary.days),
        "projected": {
            "label": _("Projected"),
            "values": expected,
            "texts": [
                _about(day.expected_nanos) if day.expected_nanos > 0 else ""
                for day in summary.days
            ],
        }
        if expected
        else None,
        "pace": None if pace is None else {"label": _("Cap pace"), "value": _usd(pace)},
        "mark": {"index": verdict.stops_on.day - 1, "label": _("Cap reached")}
        if verdict.stops_on
        else None,
    }


def split_label(split: Split) -> str:
    """What a part of the bars is called: known surfaces and models by their label, all
    others by their name, and those without one of their own together.
    """
    return model_label(surface_label(split.name)) if split.name else _("Other")


def day_sums(nanos: Iterable[int]) -> dict[str, Any]:
    """What each day adds up to, rounded once: its parts are rounded each by themselves."""
    return {"label": _("Spent"), **_amounts(nanos)}


def _amounts(nanos: Iterable[int]) -> dict[str, list[str]]:
    """What is drawn, and the same as it is read: with cents, also below half of one."""
    amounts = list(nanos)
    return {
        "values": [_usd(one) for one in amounts],
        "texts": [format_usd(one) for one in amounts],
    }


def _about(nanos: int) -> str:
    return _("about %(amount)s") % {"amount": format_usd(nanos, cents=False)}


def waits_chart(waits: Waits, *, month: Month) -> dict[str, Any]:
    """People who ran out of included usage by day and seat."""
    days = [month.first_on.replace(day=number) for number in range(1, month.days + 1)]
    by_tier = {
        tier: [waits.by_day[day][tier] if day in waits.by_day else 0 for day in days]
        for tier in (Tier.PREMIUM, Tier.STANDARD)
    }
    return _chart(days, kind="count") | {
        "series": [
            {"label": str(tier.label), "values": values}
            for tier, values in by_tier.items()
        ],
    }


@dataclass(frozen=True, slots=True)
class Before:
    """The period that a report is compared with: its name, its first day, and what it
    came to (nano-USD) by the bars it stands beside.
    """

    name: str
    start: dt.date
    by_bar: dict[dt.date, int]


def report_chart(
    span: DayRange,
    step: str,
    *,
    names: list[str],
    bars: list[dict[dt.date, int]],
    before: Before | None = None,
) -> tuple[dict[str, Any], list[tuple[str, list[int]]]]:
    """A report's bars of days, weeks or months, a series a name, with the period before
    (its name and bars) beside them; and the same as rows with their sums in nano-USD.
    """
    starts = step_starts(span, step)
    titles = [step_text(start, step, span=span) for start in starts]
    chart = {
        "kind": "money",
        "labels": [step_label(start, step) for start in starts],
        "titles": titles,
        "series": [
            {
                "label": name,
                "slot": slot,
                **_amounts(one.get(start, 0) for start in starts),
            }
            for slot, (name, one) in enumerate(zip(names, bars, strict=True), start=1)
        ],
        "sums": day_sums(sum(one.get(start, 0) for one in bars) for start in starts),
        "before": None if before is None else _beside(before, starts, step, span=span),
        "help": keys_text(opens=False),
        "projected": None,
        "pace": None,
        "mark": None,
    }
    rows = [
        (title, [one.get(start, 0) for one in bars])
        for title, start in zip(titles, starts, strict=True)
        if any(one.get(start) for one in bars)
    ]
    return chart, rows


def _beside(
    before: Before, starts: list[dt.date], step: str, *, span: DayRange
) -> dict[str, Any]:
    """The thin bars, and what each is: its own day, or of weeks and months the time
    before.
    """
    by_day = [day_text(before.start + (start - span.start)) for start in starts]
    return {
        "label": before.name,
        "labels": by_day if step == "day" else [_("Before")] * len(starts),
        **_amounts(before.by_bar.get(start, 0) for start in starts),
    }


def keys_text(*, opens: bool) -> str:
    """How a chart is read by keyboard."""
    if opens:
        return _("Left and right arrow keys go from bar to bar; Enter opens a day.")
    return _("Left and right arrow keys go from bar to bar.")


def _chart(days: list[dt.date], *, kind: str) -> dict[str, Any]:
    return {
        "labels": [day.day for day in days],
        "titles": [day_text(day) for day in days],
        "projected": None,
        "pace": None,
        "mark": None,
        "kind": kind,
        "help": keys_text(opens=False),
    }


def _usd(nanos: int) -> str:
    return to_decimal_text(max(0, nanos), places=2)
