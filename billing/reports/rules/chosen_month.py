"""Which month a page shows: what its address asks for, kept within the organization's
months. Pure: first days of months, in the organization's time zone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from config.kit.months import month_from_text, next_month, previous_month

LISTED = 13  # a year and the same month before it


class NotShown(StrEnum):
    """Why another month is shown than the one asked for."""

    UNREADABLE = "unreadable"
    FUTURE = "future"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class ChosenMonth:
    """The month shown, the running one and the organization's first; `not_shown` says
    why it is not the one that was `asked`.
    """

    first_on: dt.date
    current_on: dt.date
    began_on: dt.date
    asked: str = ""
    not_shown: NotShown | None = None

    @property
    def is_current(self) -> bool:
        """Whether it is the running month."""
        return self.first_on == self.current_on

    @property
    def previous_on(self) -> dt.date | None:
        """The month before; None where the organization had not begun."""
        return previous_month(self.first_on) if self.first_on > self.began_on else None

    @property
    def next_on(self) -> dt.date | None:
        """The month after; None where that is still to come."""
        return None if self.is_current else next_month(self.first_on)

    @property
    def listed(self) -> list[dt.date]:
        """The months to choose from, the latest first: the running one and a year
        before it, or a year from an older one on.
        """
        latest = self.first_on
        for _step in range(LISTED - 1):
            latest = next_month(latest)
        months = [min(latest, self.current_on)]
        while len(months) < LISTED and months[-1] > self.began_on:
            months.append(previous_month(months[-1]))
        return months


def chosen_month(text: str, *, current_on: dt.date, began_on: dt.date) -> ChosenMonth:
    """The month written `2026-10`; the running one for an empty text, and for what is no
    month, still to come, or before the organization began.
    """
    began_on = min(began_on, current_on)
    if not text:
        return ChosenMonth(current_on, current_on, began_on)
    first_on = month_from_text(text)
    if first_on is None:
        reason = NotShown.UNREADABLE
    elif first_on > current_on:
        reason = NotShown.FUTURE
    elif first_on < began_on:
        reason = NotShown.BEFORE
    else:
        return ChosenMonth(first_on, current_on, began_on, text)
    return ChosenMonth(current_on, current_on, began_on, text, reason)
