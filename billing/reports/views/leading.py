"""Where a report's rows and chips lead: the same report of something else, or receipts."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from accounts.access import MemberRequest
from billing.reports.filters import receipts_query
from billing.reports.queries.report import DAY, MODEL, PERSON, SEAT, SURFACE, Report
from billing.reports.rules.grouping import is_label, label_key, label_text


def address_with(request: MemberRequest, **changes: str | None) -> str:
    """This report's address with some of its parts changed, or left out."""
    query = request.GET.copy()
    for name, value in {**changes, "page": None, "all": None}.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


# By which parameter a report is narrowed to a row of a dimension, and by what the rows
# are told apart then.
LEADS_TO = {
    PERSON: ("person", MODEL),
    MODEL: ("model", PERSON),
    SURFACE: ("surface", PERSON),
    SEAT: ("seat", PERSON),
}


def row_link(request: MemberRequest, report: Report, key: Any) -> str:
    """Where a row leads: the same days, of it alone. Empty where the address would have
    to name two labels.
    """
    by = report.asked.by
    if report.asked.narrowed.membership_id is not None:
        return _receipts(request, report, key)
    if is_label(by):
        if report.asked.narrowed.label is not None:
            return ""
        label = label_text(label_key(by), key)
        return address_with(request, label=label, by=PERSON, then=None)
    if by == DAY:
        return address_with(
            request, range=f"{key}..{key}", start=None, end=None, by=PERSON, step=None
        )
    name, by_next = LEADS_TO[by]
    value = "" if key is None else str(key)
    return address_with(request, **{name: value}, by=by_next, then=None)


def _receipts(request: MemberRequest, report: Report, key: Any) -> str:
    """The receipts that make a row of one person's report."""
    asked, text = report.asked, "" if key is None else str(key)
    more = {}
    if is_label(asked.by):
        if asked.narrowed.label is not None:
            return ""
        more = {"label": label_text(label_key(asked.by), text)}
    elif asked.by == DAY:
        more = {"range": f"{key}..{key}"}
    elif asked.by != PERSON:
        more = {LEADS_TO[asked.by][0]: text}
    page = reverse(
        "member_receipts",
        args=[request.membership.organization.slug, asked.narrowed.membership_id],
    )
    return f"{page}?{receipts_query(asked, **more)}"
