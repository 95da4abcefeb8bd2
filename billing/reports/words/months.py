"""The switch between months, in words: what leads where, with what each month came to,
and why another month is shown than was asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from billing.reports.rules.chosen_month import ChosenMonth, NotShown
from config.kit.dates import month_text
from config.kit.money import format_usd
from config.kit.months import next_month


@dataclass(frozen=True, slots=True)
class MonthLink:
    """One month of the list: its name, what it came to, and where it is shown."""

    name: str
    amount: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class MonthStep:
    """The month before or after: its full name for who can't see the arrow; no address
    where there is none, and the name then says why.
    """

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class MonthSwitch:
    """What the switch of a page shows; `back` leads to the running month from another
    one, and `said` is why another month is shown than was asked for.
    """

    chosen: ChosenMonth
    name: str
    previous: MonthStep
    next: MonthStep
    months: list[MonthLink]
    back: str
    said: str


def month_switch(
    chosen: ChosenMonth,
    sums: dict[dt.date, int],
    *,
    path: str,
    query: QueryDict,
) -> MonthSwitch:
    """The switch of the page at `path`: its links keep what else the address asks for,
    but for the page of a list and the day. `sums` are nano-USD by month.
    """

    def address(first_on: dt.date) -> str:
        return _address(
            path, query, None if first_on == chosen.current_on else first_on
        )

    return MonthSwitch(
        chosen,
        month_text(chosen.first_on),
        _previous(chosen, address),
        _next(chosen, address),
        [
            MonthLink(
                month_text(first_on),
                format_usd(sums.get(first_on, 0)),
                address(first_on),
                first_on == chosen.first_on,
            )
            for first_on in chosen.listed
        ],
        "" if chosen.is_current else address(chosen.current_on),
        not_shown_text(chosen),
    )


def _previous(chosen: ChosenMonth, address: Callable[[dt.date], str]) -> MonthStep:
    if chosen.previous_on is None:
        return MonthStep(
            _("No month before: %(month)s is the first")
            % {"month": month_text(chosen.first_on)}
        )
    return MonthStep(
        _("Previous month: %(month)s") % {"month": month_text(chosen.previous_on)},
        address(chosen.previous_on),
    )


def _next(chosen: ChosenMonth, address: Callable[[dt.date], str]) -> MonthStep:
    if chosen.next_on is None:
        return MonthStep(
            _("Next month: %(month)s has not begun")
            % {"month": month_text(next_month(chosen.first_on))}
        )
    return MonthStep(
        _("Next month: %(month)s") % {"month": month_text(chosen.next_on)},
        address(chosen.next_on),
    )


def _address(path: str, query: QueryDict, first_on: dt.date | None) -> str:
    kept = query.copy()
    for name in ("month", "day", "page", "seen"):
        kept.pop(name, None)
    if first_on is not None:
        kept["month"] = f"{first_on:%Y-%m}"
    return f"{path}?{kept.urlencode()}" if kept else path


def not_shown_text(chosen: ChosenMonth) -> str:
    """Why the running month is shown instead of the one that was asked for; empty where
    it was not.
    """
    shown = month_text(chosen.current_on)
    match chosen.not_shown:
        case NotShown.UNREADABLE:
            sentence = _(
                "“%(asked)s” is not a month; write one as 2026-10. This is %(shown)s."
            )
            return sentence % {"asked": chosen.asked[:40], "shown": shown}
        case NotShown.FUTURE:
            sentence = _("%(asked)s has not begun. This is %(shown)s.")
        case NotShown.BEFORE:
            sentence = _("Nothing was used before %(began)s. This is %(shown)s.")
            return sentence % {"began": month_text(chosen.began_on), "shown": shown}
        case _:
            return ""
    asked = dt.date.fromisoformat(f"{chosen.asked}-01")
    return sentence % {"asked": month_text(asked), "shown": shown}
