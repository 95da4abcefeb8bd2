"""One person's month in one sentence, in the active language."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from billing.reports.rules.verdict import State, Verdict
from billing.reports.words import MonthAnswer
from config.kit.dates import day_text, month_name_text, time_text
from config.kit.money import format_usd
from config.kit.months import Month


def running_answer(verdict: Verdict, *, name: str, stopped: str) -> MonthAnswer:
    """How the running month goes; `stopped` says what stops them, if anything does."""
    values = {"name": name, "spent": format_usd(verdict.spent_nanos)}
    if stopped:
        return MonthAnswer("stopped", "player-pause", stopped)
    if verdict.state is State.SOON and verdict.stops_on is not None:
        headline = _("At this pace, %(name)s stops on %(day)s.") % {
            **values,
            "day": day_text(verdict.stops_on),
        }
        return MonthAnswer("soon", "alert-triangle", headline, _lasting(verdict))
    if verdict.state is State.UNLIMITED:
        sentence = _("No cap of their own or of a seat stops %(name)s.")
        return MonthAnswer("unlimited", "infinity", sentence % values)
    if verdict.projected_nanos is None:
        sentence = _("%(name)s has spent %(spent)s so far.")
        return MonthAnswer("fine", "circle-check", sentence % values)
    headline = _("At this pace, %(name)s stays %(under)s under the cap.") % {
        **values,
        "under": format_usd(verdict.under_nanos),
    }
    return MonthAnswer("fine", "circle-check", headline)


def _lasting(verdict: Verdict) -> str:
    if verdict.lasting_nanos is None:
        return ""
    return _("A cap of about %(amount)s would last the month.") % {
        "amount": format_usd(verdict.lasting_nanos)
    }


def past_answer(
    month: Month,
    *,
    name: str,
    spent_nanos: int,
    stopped_on: dt.date | None,
    stopped_at: dt.datetime | None,
) -> MonthAnswer:
    """How a month that is over went for somebody; their cap was reached on a day, at a moment
    where that was noticed.
    """
    values = _values(month, spent_nanos, stopped_on, stopped_at) | {"name": name}
    if stopped_on is not None:
        sentence = _("%(name)s reached the cap on %(day)s.")
        if stopped_at is not None:
            sentence = _("%(name)s reached the cap on %(day)s at %(time)s.")
        return MonthAnswer("stopped", "player-pause", sentence % values)
    sentence = _("%(name)s spent %(spent)s in %(month)s.")
    if not spent_nanos:
        sentence = _("%(name)s used no extra usage in %(month)s.")
    return MonthAnswer("fine", "circle-check", sentence % values)


def own_past_answer(
    month: Month,
    *,
    spent_nanos: int,
    stopped_on: dt.date | None,
    stopped_at: dt.datetime | None,
) -> MonthAnswer:
    """How a month that is over went for the reader."""
    values = _values(month, spent_nanos, stopped_on, stopped_at)
    if stopped_on is not None:
        sentence = _("You reached your cap on %(day)s.")
        if stopped_at is not None:
            sentence = _("You reached your cap on %(day)s at %(time)s.")
        return MonthAnswer("stopped", "player-pause", sentence % values)
    sentence = _("You spent %(spent)s in %(month)s.")
    if not spent_nanos:
        sentence = _("You used no extra usage in %(month)s.")
    return MonthAnswer("fine", "circle-check", sentence % values)


def _values(
    month: Month,
    spent_nanos: int,
    stopped_on: dt.date | None,
    stopped_at: dt.datetime | None,
) -> dict[str, str]:
    values = {
        "month": month_name_text(month.first_on),
        "spent": format_usd(spent_nanos),
    }
    if stopped_on is not None:
        values["day"] = day_text(stopped_on)
    if stopped_at is not None:
        values["time"] = time_text(stopped_at, zone=month.zone)
    return values
