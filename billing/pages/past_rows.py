"""The people of a month that is over, as its table and its CSV show them: the seat, the
cap and the day of stop as they were then. Reads only.

All rows are made at once, since a cap of then is found in the audit and not in a column;
ten thousand people are a third of a second, and nothing polls a month that is over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from accounts.models import Organization, Plan, Tier
from billing.caps.queries.history import CapsThen, CapThen
from billing.notices.queries.stops import Stop
from billing.reports.filters import words_of
from billing.reports.queries.members import NO_SEAT, REMOVED
from billing.reports.queries.past_people import PastPerson, days_reached, past_people
from config.kit.dates import day_text, time_text
from config.kit.months import Month, local_day

STOPPED = "stopped"
COLUMNS = ("person", "seat", "cap", "spend", "stopped")
DEFAULT_SORT = "-spend"


@dataclass(frozen=True, slots=True)
class PastRow:
    """One person: `cap` is None where that is not recorded; `stopped_on` is the day on
    which their cap was reached, with the moment where it was noticed.
    """

    person: PastPerson
    cap: CapThen | None
    stopped_on: dt.date | None = None
    stopped_at: dt.datetime | None = None

    @property
    def seat_label(self) -> str:
        """The seat then; empty without one."""
        return Tier.label_of(self.person.seat_tier)


@dataclass(frozen=True, slots=True)
class PastFilter:
    """What the reader asked for: words, a seat, a state, and the order."""

    words: tuple[str, ...] = ()
    seat: str = ""
    state: str = ""
    sort: str = DEFAULT_SORT

    @property
    def column(self) -> str:
        """The column sorted by."""
        return self.sort.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.sort.startswith("-")

    def finds(self, row: PastRow) -> bool:
        """Whether a row has the words and the seat."""
        text = f"{row.person.name}\n{row.person.email}".lower()
        seat = row.person.seat_tier or NO_SEAT
        return (not self.seat or seat == self.seat) and all(
            word.lower() in text for word in self.words
        )

    def has_state(self, row: PastRow) -> bool:
        """Whether a row is in the state that was asked for."""
        if self.state == STOPPED:
            return row.stopped_on is not None
        return self.state != REMOVED or row.person.removed_at is not None

    def address(self, *, month_on: dt.date, page: int = 1) -> str:
        """The query string that leads back to the same rows."""
        query = QueryDict(mutable=True)
        values = {
            "month": f"{month_on:%Y-%m}",
            "q": " ".join(self.words),
            "seat": self.seat,
            "status": self.state,
            "sort": "" if self.sort == DEFAULT_SORT else self.sort,
            "page": "" if page == 1 else str(page),
        }
        query.update({name: value for name, value in values.items() if value})
        return query.urlencode()


def past_filter_of(request: HttpRequest) -> PastFilter:
    """The filter in the address; anything unknown falls back to the default."""
    asked = request.GET
    seat, state = asked.get("seat", ""), asked.get("status", "")
    sort = asked.get("order") or asked.get("sort", "")
    return PastFilter(
        words_of(asked.get("q", "")),
        seat if seat in {*Tier.values, NO_SEAT} else "",
        state if state in (STOPPED, REMOVED) else "",
        sort if sort.removeprefix("-") in COLUMNS else DEFAULT_SORT,
    )


def past_rows(
    organization: Organization, *, month: Month, caps: CapsThen, stops: list[Stop]
) -> list[PastRow]:
    """Everybody with usage in the month."""
    found = _with_caps(
        past_people(organization.pk, month=month),
        caps,
        has_seat_caps=organization.plan == Plan.ENTERPRISE_SEAT,
    )
    noticed: dict[int, dt.datetime] = {}
    for stop in stops:  # the first of several, as on the person's page
        if stop.membership_id:
            noticed.setdefault(stop.membership_id, stop.at)
    counted = days_reached(_reached(found, but=noticed), month=month)
    rows = []
    for person, cap in found:
        at = noticed.get(person.id)
        on = local_day(at, month.zone) if at else counted.get(person.id)
        rows.append(PastRow(person, cap, on, at))
    return rows


def _with_caps(
    people: list[PastPerson], caps: CapsThen, *, has_seat_caps: bool
) -> list[tuple[PastPerson, CapThen | None]]:
    """Each with the cap that held: their own, their seat's, or none at all (C2)."""
    if not caps.is_known:
        return [(person, None) for person in people]
    own = caps.own
    by_seat = {"": CapThen(is_own=False)} | {
        tier: replace(caps.of_seat(tier), is_own=False) for tier in Tier.values
    }
    return [
        (person, own.get(person.id) or by_seat[person.seat_tier * has_seat_caps])
        for person in people
    ]


def _reached(
    found: list[tuple[PastPerson, CapThen | None]], *, but: Container[int]
) -> dict[int, int]:
    """Whose spending is as much as their cap, without a notice that says when."""
    return {
        person.id: cap.amount_nanos
        for person, cap in found
        if person.id not in but
        and cap
        and cap.amount_nanos
        and person.spent_nanos >= cap.amount_nanos
    }


def sorted_rows(rows: list[PastRow], filters: PastFilter) -> list[PastRow]:
    """In the order that was asked for; of equal ones by name, what has no value last."""
    in_order = sorted(rows, key=lambda row: (row.person.name.lower(), row.person.id))
    if filters.column == "person":
        return in_order[::-1] if filters.is_descending else in_order
    with_value = [row for row in in_order if _value(row, filters.column) is not None]
    without = [row for row in in_order if _value(row, filters.column) is None]
    with_value.sort(
        key=lambda row: _value(row, filters.column), reverse=filters.is_descending
    )
    return with_value + without


def _value(row: PastRow, column: str) -> Any:
    match column:
        case "seat":
            return row.person.seat_tier or None
        case "cap":
            return row.cap.amount_nanos if row.cap else None
        case "stopped":
            return row.stopped_on
        case _:
            return row.person.spent_nanos


def stop_words_text(row: PastRow, month: Month) -> str:
    """`Wed 14 Oct, 15:02`; the day alone where the moment is not recorded."""
    if row.stopped_on is None:
        return ""
    if row.stopped_at is None:
        return day_text(row.stopped_on)
    return _("%(day)s, %(time)s") % {
        "day": day_text(row.stopped_on),
        "time": time_text(row.stopped_at, zone=month.zone),
    }
