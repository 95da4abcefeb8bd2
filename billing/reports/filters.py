"""What a reader of the table asked for, out of the address; anything unknown falls back
to the default.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from accounts.models import Membership, Tier
from billing.reports.queries.groups import Narrowed
from billing.reports.queries.members import (
    ACTIVE,
    DEFAULT_SORT,
    NO_SEAT,
    OFF,
    PAUSED,
    REMOVED,
    SORTS,
    MemberFilter,
)
from billing.reports.queries.receipts import ReceiptsAsked
from billing.reports.queries.report import (
    MODEL,
    PAID,
    PERSON,
    SEAT,
    SURFACE,
    Asked,
    is_known_dimension,
    people_called,
)
from billing.reports.rules.grouping import label_of, label_text
from billing.reports.rules.ranges import BadRange, range_of
from billing.reports.words.report import dimension_text, value_text
from config.kit.ids import is_row_id

MOST_WORDS = 6


def filter_of(request: HttpRequest) -> MemberFilter:
    """The filter in the address: `q`, `seat`, `status`, and `order` (a pressed head) or
    `sort`.
    """
    asked = request.GET
    return MemberFilter(
        words=words_of(asked.get("q", "")),
        seat=_known(asked.get("seat", ""), {*Tier.values, NO_SEAT}),
        state=_known(asked.get("status", ""), {ACTIVE, PAUSED, OFF, REMOVED}),
        sort=_sort(asked.get("order") or asked.get("sort", "")),
    )


def words_of(text: str) -> tuple[str, ...]:
    """The words to search for; all must be in the name or address."""
    return tuple(text.replace("\0", " ")[:200].split()[:MOST_WORDS])


def page_of(request: HttpRequest, *, pages: int) -> int:
    """The page number in the address, kept within what there is."""
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    return min(max(1, number), max(1, pages))


def address_of(filters: MemberFilter, *, page: int = 1) -> str:
    """The query string that leads back to the same rows, defaults left out."""
    query = QueryDict(mutable=True)
    values = {
        "q": " ".join(filters.words),
        "seat": filters.seat,
        "status": filters.state,
        "sort": "" if filters.sort == DEFAULT_SORT else filters.sort,
        "page": "" if page == 1 else str(page),
    }
    query.update({name: value for name, value in values.items() if value})
    return query.urlencode()


def _known(value: str, allowed: set[str]) -> str:
    return value if value in allowed else ""


def _sort(value: str) -> str:
    return value if value.removeprefix("-") in SORTS else DEFAULT_SORT


@dataclass
class ReportFilter:
    """What the address of a report says. `error` is what it says that can't be, and
    `people` whoever its rows and chips name, once they are read.
    """

    asked: Asked
    step: str = ""
    error: str = ""
    query: dict[str, str] = field(default_factory=dict)
    people: dict[int, Membership] = field(default_factory=dict)

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """What it is narrowed to: the parameter, its dimension and its value."""
        narrowed = self.asked.narrowed
        values: list[tuple[str, str, Any]] = [
            ("person", PERSON, narrowed.membership_id),
            ("model", MODEL, narrowed.model),
            ("surface", SURFACE, narrowed.surface),
            ("seat", SEAT, narrowed.seat_tier),
        ]
        chips = [
            (name, dimension_text(dimension), value_text(dimension, value, self.people))
            for name, dimension, value in values
            if value is not None
        ]
        if narrowed.label is not None:
            key, text = narrowed.label
            chips.append(("label", key, text or _("none")))
        return chips


def report_filter(asked: QueryDict, *, today: dt.date) -> ReportFilter:
    """The report an address asks for: `range`, `by`, `then`, `paid`, `step`, and what it
    is narrowed to by `person`, `model`, `surface`, `seat` and `label` (`KEY=TEXT`).
    Anything unknown falls back to the default; a range that is none is told.
    """
    error = ""
    try:
        span = range_of(_range_text(asked), today=today)
    except BadRange as bad:
        span = range_of("", today=today)
        error = bad_range_text(bad)
    by = asked.get("by", PERSON)
    by = by if is_known_dimension(by) else PERSON
    then = asked.get("then", "")
    then = then if then and then != by and is_known_dimension(then) else ""
    paid = asked.get("paid", "extra")
    step = asked.get("step", "")
    return ReportFilter(
        Asked(
            span,
            by,
            then,
            paid if paid in PAID else "extra",
            _narrowed(asked),
        ),
        step=step if step in ("day", "week", "month") else "",
        error=error,
    )


@dataclass(frozen=True, slots=True)
class ReceiptsFilter:
    """What the address of a person's receipts says; `error` is what it says that can't
    be, `query` the part of it that leads back to the same rows.
    """

    asked: ReceiptsAsked
    query: str
    error: str = ""


RECEIPTS_KEPT = ("range", "start", "end", "paid", "model", "surface", "seat", "label")


def receipts_filter(
    asked: QueryDict, *, membership_id: int, today: dt.date
) -> ReceiptsFilter:
    """The receipts an address asks for, in the words of a report's: `range`, `paid`,
    `model`, `surface`, `seat` and `label`. Without a range all days, without a payer all.
    """
    text, span, error = _range_text(asked), None, ""
    try:
        span = range_of(text, today=today) if text else None
    except BadRange as bad:
        error = bad_range_text(bad)
    paid = asked.get("paid", "all")
    query = QueryDict(mutable=True)
    for name in RECEIPTS_KEPT:
        value = asked.get(name)
        if value or (value is not None and name == "seat"):
            query[name] = value.replace("\0", "")[:300]
    narrowed = replace(_narrowed(query), membership_id=membership_id)
    return ReceiptsFilter(
        ReceiptsAsked(narrowed, span, paid if paid in PAID else "all"),
        query.urlencode(),
        error,
    )


def receipts_query(asked: Asked, **narrowed: str) -> str:
    """The part of an address that shows the receipts behind a report of one person, or
    behind one of its rows: `narrowed` is what that is more.
    """
    query = QueryDict(mutable=True)
    query["range"] = f"{asked.span.start}..{asked.span.last}"
    query["paid"] = asked.paid
    known = {
        "model": asked.narrowed.model,
        "surface": asked.narrowed.surface,
        "seat": asked.narrowed.seat_tier,
        "label": asked.narrowed.label and label_text(*asked.narrowed.label),
    }
    query.update({name: value for name, value in known.items() if value is not None})
    for name, value in narrowed.items():
        query[name] = value
    return query.urlencode()


def bad_range_text(bad: BadRange) -> str:
    """Why a range in an address is none."""
    return _(
        "“%(range)s” is not a range of days. Use a month (2026-10) or two days, the "
        "first before the last, at most ten years apart (2026-10-12..2026-11-08)."
    ) % {"range": str(bad)[:60]}


def _range_text(asked: QueryDict) -> str:
    """`range`, or the two fields of the form without scripts."""
    if asked.get("start") and asked.get("end"):
        return f"{asked['start']}..{asked['end']}"
    return asked.get("range", "")


def _narrowed(asked: QueryDict) -> Narrowed:
    person = asked.get("person", "")
    label = asked.get("label")
    key, text = label_of((label or "").replace("\0", ""))
    return Narrowed(
        membership_id=int(person) if is_row_id(person) else None,
        model=_text(asked, "model"),
        surface=_text(asked, "surface"),
        seat_tier=_seat(asked.get("seat")),
        label=(key[:60], text[:200]) if label and key else None,
    )


def _seat(text: str | None) -> str | None:
    """A tier, or empty for those without a seat."""
    return text if text in {"", *Tier.values} else None


def _text(asked: QueryDict, name: str) -> str | None:
    text = asked.get(name)
    return None if text is None else text.replace("\0", "")[:300]


# What of an address makes the report, its days and the width of its bars aside.
KEPT = ("by", "then", "paid", "person", "model", "surface", "seat", "label")


def query_without_days(asked: QueryDict) -> str:
    """The address of a report for any days, in one order; empty for the usual one."""
    query = QueryDict(mutable=True)
    for name in KEPT:
        value = asked.get(name)
        if value is not None and (value or name in ("model", "seat", "surface")):
            query[name] = value.replace("\0", "")[:300]
    return query.urlencode()


def chip_people(organization_id: int, chosen: ReportFilter) -> dict[int, Membership]:
    """Whom a report's chips name."""
    person = chosen.asked.narrowed.membership_id
    return {} if person is None else people_called(organization_id, [person])
