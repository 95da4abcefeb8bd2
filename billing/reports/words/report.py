"""A report in words, in the active language: its days, its rows and columns, how it
stands against the days before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Membership, Tier
from billing.models import model_label, surface_label
from billing.reports.queries.report import Asked, Report, ReportRow
from billing.reports.rules.grouping import label_key
from billing.reports.rules.ranges import DayRange
from config.kit.dates import (
    dated_day_text,
    day_text,
    month_name_text,
    month_text,
    short_day_text,
    short_span_text,
    span_text,
)
from config.kit.money import format_usd


def dimension_text(dimension: str) -> str:
    """What the rows of a report are: a dimension, or a label's key."""
    names = {
        "person": _("Person"),
        "model": _("Model"),
        "surface": _("Surface"),
        "seat_tier": _("Seat"),
        "day": _("Day"),
    }
    if dimension in names:
        return names[dimension]
    return _("Label %(key)s") % {"key": label_key(dimension)}


def value_text(dimension: str, value: Any, people: dict[int, Membership]) -> str:
    """One value of a dimension, as a row or a column is called."""
    if dimension == "person":
        person = people.get(value)
        if person is None:
            return _("Nobody here")
        return _("Unattributed") if person.is_nobody else str(person.user)
    if dimension == "surface":
        return str(surface_label(value))
    if dimension == "seat_tier":
        return Tier.label_of(value) or _("No seat")
    if dimension == "day":
        return day_text(value)
    if dimension == "model":
        return model_label(value) or _("none")
    return str(value) or _("none")


def range_text(span: DayRange) -> str:
    """The days of a report: `1–23 Nov 2026`, a month by its name."""
    if span.is_whole_month:
        return month_text(span.start)
    if span.days == 1:
        return dated_day_text(span.start)
    return span_text(span.start, span.last)


def comparison_text(report: Report) -> str:
    """How the sum stands against the days before."""
    difference = report.total_nanos - report.before_nanos
    values = {
        "amount": format_usd(abs(difference)),
        "before": format_usd(report.before_nanos),
        "days": range_text(report.before),
    }
    if difference > 0:
        return _("%(amount)s more than %(before)s in %(days)s") % values
    if difference < 0:
        return _("%(amount)s less than %(before)s in %(days)s") % values
    return _("the same as in %(days)s") % values


def report_text(asked: Asked, chips: Sequence[tuple[str, str, str]]) -> str:
    """What a report is about but for its days: `By person and model, paid by extra usage`,
    and the `chips` of what it is narrowed to.
    """
    values = {
        "by": dimension_text(asked.by),
        "then": dimension_text(asked.then) if asked.then else "",
        "paid": paid_text(asked.paid),
    }
    if asked.then:
        text = _("By %(by)s, then %(then)s; paid by: %(paid)s") % values
    else:
        text = _("By %(by)s; paid by: %(paid)s") % values
    only = [f"{dimension} {value}" for _name, dimension, value in chips]
    return "; ".join([text, *only])


def paid_text(paid: str) -> str:
    """Who paid, as a report may be asked."""
    return {
        "extra": _("Extra usage"),
        "included": _("Included usage"),
        "unbilled": _("Unbilled"),
        "all": _("All together"),
    }[paid]


def change_text(row: ReportRow) -> str:
    """How a row stands against the days before, in short."""
    difference = row.difference_nanos
    sign = "+" if difference > 0 else "−" if difference < 0 else "±"
    return _("%(change)s from %(before)s") % {
        "change": f"{sign}{format_usd(abs(difference))}",
        "before": format_usd(row.before_nanos),
    }


def step_label(start: dt.date, step: str) -> str:
    """Under a bar: the day of the month, of a week its first day, or the month."""
    if step == "day":
        return str(start.day)
    return short_day_text(start) if step == "week" else month_name_text(start)


def step_text(start: dt.date, step: str, *, span: DayRange) -> str:
    """What a bar is, in full."""
    if step == "day":
        return day_text(start)
    if step == "month":
        return month_text(start)
    last = min(start + dt.timedelta(days=6 - start.weekday()), span.last)
    return short_span_text(start, last)
