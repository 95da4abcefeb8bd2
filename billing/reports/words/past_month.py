"""A month that is over, in sentences, in the active language: how it ended, which caps
held, and when somebody was stopped.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from billing.reports.queries.month import MonthSummary
from billing.reports.rules.verdict import State
from billing.reports.words import MonthAnswer
from config.kit.dates import day_text, month_name_text, time_text
from config.kit.money import format_usd
from config.kit.months import Month, local_day


def past_answer(
    summary: MonthSummary, *, cap_is_known: bool, detail: str
) -> MonthAnswer:
    """How the month ended against its cap; where that is not recorded, what it came to.
    `detail` is what `closing_text` says.
    """
    verdict = summary.verdict
    values = {
        "month": month_name_text(summary.month.first_on),
        "spent": format_usd(verdict.spent_nanos),
    }
    if verdict.spent_nanos <= 0:
        headline = _("Nothing was spent in %(month)s.") % values
        return MonthAnswer("fine", "circle-check", headline, detail)
    if not cap_is_known:
        headline = _("%(month)s came to %(spent)s.") % values
        return MonthAnswer("fine", "circle-check", headline, detail)
    if verdict.state is State.UNLIMITED:
        sentence = _("%(month)s came to %(spent)s. No organization cap was set.")
        return MonthAnswer("unlimited", "infinity", sentence % values, detail)
    if verdict.state is State.STOPPED:
        return MonthAnswer("stopped", "player-pause", _reached(summary), detail)
    headline = _("%(month)s ended %(left)s under the cap.") % {
        **values,
        "left": format_usd(verdict.left_nanos),
    }
    return MonthAnswer("fine", "circle-check", headline, detail)


def _reached(summary: MonthSummary) -> str:
    reached_on = summary.reached_on(summary.verdict.cap_nanos or 0)
    values = {"month": month_name_text(summary.month.first_on)}
    if reached_on is None:
        return _("%(month)s reached the organization cap.") % values
    sentence = _("%(month)s reached the organization cap on %(day)s.")
    return sentence % {**values, "day": day_text(reached_on)}


def closing_text(
    month: Month, *, is_closed: bool, frozen_at: dt.datetime | None
) -> str:
    """Whether the figures can still move: frozen since when, or not closed yet."""
    values = {
        "month": month_name_text(month.first_on),
    }
    if not is_closed:
        sentence = _(
            "Not closed yet: usage of %(month)s that still arrives counts to it."
        )
        return sentence % values
    if frozen_at is None:
        sentence = _("Closed; what came later counts to later months.")
        return sentence % values
    sentence = _(
        "Closed on %(day)s at %(time)s and frozen since; what came later counts to later "
        "months."
    )
    zone = month.zone
    return sentence % {
        **values,
        "day": day_text(local_day(frozen_at, zone)),
        "time": time_text(frozen_at, zone=zone),
    }


def against_before_text(summary: MonthSummary) -> str:
    """`October: $412.44 more`: the month against the one before it."""
    difference = summary.spent_nanos - summary.last_month_nanos
    values = {
        "month": month_name_text(summary.month.first_on),
        "amount": format_usd(abs(difference)),
    }
    if difference > 0:
        return _("%(month)s: %(amount)s more") % values
    if difference < 0:
        return _("%(month)s: %(amount)s less") % values
    return _("%(month)s: the same") % values
