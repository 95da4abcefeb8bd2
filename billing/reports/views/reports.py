"""Settings › Reports: who, what and when, for any days; the address is the report.
Reads only.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_page
from accounts.models import Membership, Role
from billing.reports.charts import Before, report_chart
from billing.reports.csv import report_rows
from billing.reports.filters import (
    ReportFilter,
    chip_people,
    query_without_days,
    receipts_query,
    report_filter,
)
from billing.reports.queries.label_keys import label_keys
from billing.reports.queries.report import (
    DAY,
    DIMENSIONS,
    MODEL,
    PAID,
    PERSON,
    REST,
    SEAT,
    SURFACE,
    Report,
    ReportRow,
    people_called,
)
from billing.reports.rules.grouping import is_label, label_key, label_text
from billing.reports.rules.ranges import steps_of
from billing.reports.views.mailing import mailed_reports
from billing.reports.words.report import (
    comparison_text,
    dimension_text,
    paid_text,
    range_text,
    value_text,
)
from config.kit.csv_files import streamed
from config.kit.later import much_to_make
from config.kit.links import absolute
from config.kit.months import local_day

TOP = 15
PAGE_SIZE = 50
CHOSEN = {"by", "then", "paid", "start", "end", "page", "all"}


@member_page(Role.ADMIN, is_shown_to_operators=True)
@require_safe
def reports(request: MemberRequest, membership: Membership) -> HttpResponse:
    """One report: the sum, the chart and the table, all the same figures."""
    organization = membership.organization
    now = timezone.now()
    zone = organization.zone_at(now)
    chosen = report_filter(request.GET, today=local_day(now, zone))
    report = Report(organization.pk, chosen.asked)
    names = _column_names(report)
    context = {
        "organization": organization,
        "now": now,
        "zone": zone,
        "chosen": chosen,
        "report": report,
        "range_text": range_text(chosen.asked.span),
        "before_text": range_text(report.before),
        "comparison": comparison_text(report),
        "difference_nanos": report.total_nanos - report.before_nanos,
        "address": absolute(request.get_full_path()),
        "query_without_days": query_without_days(request.GET),
        "mailed": mailed_reports(organization, now=now),
        **_tools(request, chosen),
        **_table(request, report, chosen, names),
        **_chart(report, chosen, names),
    }
    return render(request, "billing/reports/reports.html", context)


def _tools(request: MemberRequest, chosen: ReportFilter) -> dict[str, Any]:
    """The choices above the report, and what of the address each form keeps."""
    kept = [(name, value) for name, value in request.GET.items() if name not in CHOSEN]
    chosen.people = chip_people(request.membership.organization_id, chosen)
    return {
        "dimensions": [
            (name, dimension_text(name)) for name in _offered(request, chosen)
        ],
        "payers": [(name, paid_text(name)) for name in PAID],
        "kept": [one for one in kept if one[0] != "range"],
        "kept_without_days": [
            (name, value)
            for name, value in request.GET.items()
            if name not in ("range", "start", "end", "page", "step")
        ],
        "chips": [
            (_address_with(request, **{name: None}), dimension, value)
            for name, dimension, value in chosen.chips
        ],
    }


def _offered(request: MemberRequest, chosen: ReportFilter) -> list[str]:
    """What rows and columns can be of; labels that requests carried lately, and those that
    the address names.
    """
    asked, now = chosen.asked, timezone.now()
    organization = request.membership.organization
    month_on = organization.calendar.month_at(now).first_on
    keys = label_keys(organization.pk, month_on=month_on, now=now)
    named = [one for one in (asked.by, asked.then) if is_label(one)]
    return list(dict.fromkeys([*DIMENSIONS, *(f"label:{key}" for key in keys), *named]))


def _address_with(request: MemberRequest, **changes: str | None) -> str:
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


def _link(request: MemberRequest, report: Report, key: Any) -> str:
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
        return _address_with(request, label=label, by=PERSON, then=None)
    if by == DAY:
        return _address_with(
            request, range=f"{key}..{key}", start=None, end=None, by=PERSON, step=None
        )
    name, by_next = LEADS_TO[by]
    value = "" if key is None else str(key)
    return _address_with(request, **{name: value}, by=by_next, then=None)


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


def _table(
    request: MemberRequest, report: Report, chosen: ReportFilter, names: list[str]
) -> dict[str, Any]:
    """The first rows and all others as one, or with `?all=1` every row by pages."""
    rows = report.rows
    shows_all = "all" in request.GET or len(rows) <= TOP + 1
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page) if shows_all else rows[:TOP]
    others = [] if shows_all else rows[TOP:]
    people = _people(report, shown)
    most = max((row.total_nanos for row in rows), default=0)
    return {
        "page": page if shows_all else None,
        "rows": [
            {
                **_cells(report, row, people, most=most),
                "link": _link(request, report, row.key),
            }
            for row in shown
        ],
        "others": _others(report, others) if others else None,
        "column_heads": [
            (name, nanos, slot)
            for slot, (name, (_key, nanos)) in enumerate(
                zip(names, report.columns, strict=True), start=1
            )
        ],
        "dimension": dimension_text(chosen.asked.by),
    }


def _people(report: Report, rows: list[ReportRow]) -> dict[int, Membership]:
    """Whom the rows shown are about."""
    if report.asked.by != PERSON:
        return {}
    return people_called(report.organization_id, [row.key for row in rows])


def _cells(
    report: Report, row: ReportRow, people: dict[int, Membership], *, most: int
) -> dict[str, Any]:
    person = people.get(row.key) if report.asked.by == PERSON else None
    return {
        "key": row.key,
        "name": value_text(report.asked.by, row.key, people),
        "person": person,
        "amounts": report.in_columns([row]),
        "total_nanos": row.total_nanos,
        "shares": _shares(report, row, most=most),
        "difference_nanos": row.difference_nanos,
        "before_nanos": row.before_nanos,
    }


SHARE_WIDTH = 112


def _shares(report: Report, row: ReportRow, *, most: int) -> list[tuple[int, int, int]]:
    """The row's bar, to the scale of the largest: each column's slot, start and width;
    without columns one. What is below nothing has no bar.
    """
    amounts = report.in_columns([row]) or [row.total_nanos]
    scale = max(most, 1)
    shares, start = [], 0
    for slot, nanos in enumerate(amounts, start=1):
        if nanos > 0 and start < SHARE_WIDTH:
            width = min(max(1, nanos * SHARE_WIDTH // scale), SHARE_WIDTH - start)
            shares.append((slot, start, width))
            start += width
    return shares


def _others(report: Report, rows: list[ReportRow]) -> dict[str, Any]:
    total = sum(row.total_nanos for row in rows)
    before = sum(row.before_nanos for row in rows)
    return {
        "count": len(rows),
        "amounts": report.in_columns(rows),
        "total_nanos": total,
        "average_nanos": total // len(rows),
        "difference_nanos": total - before,
        "before_nanos": before,
    }


def _column_names(report: Report) -> list[str]:
    """What the columns are called, in their order."""
    then = report.asked.then
    keys = [key for key, _nanos in report.columns]
    ids = [key for key in keys if key is not REST] if then == PERSON else []
    people = people_called(report.organization_id, ids) if ids else {}
    return [
        _("Other") if key is REST else value_text(then, key, people) for key in keys
    ]


def _chart(report: Report, chosen: ReportFilter, names: list[str]) -> dict[str, Any]:
    step = chosen.step or steps_of(chosen.asked.span)
    keys = [key for key, _nanos in report.columns] or [""]
    names = names or [_("Spend")]
    bars = report.by_step(step)
    chart, table = report_chart(
        chosen.asked.span,
        step,
        names=names,
        bars=[bars.get(key, {}) for key in keys],
        before=Before(
            range_text(report.before),
            report.before.start,
            report.before_by_step(step),
        ),
    )
    return {"chart": chart, "chart_rows": table, "chart_names": names, "step": step}


@member_page(Role.ADMIN)
@require_safe
@much_to_make
def reports_csv(
    request: MemberRequest, membership: Membership
) -> StreamingHttpResponse:
    """Every row of the report with all its sums, people who left included."""
    organization = membership.organization
    now = timezone.now()
    today = local_day(now, organization.zone_at(now))
    asked = report_filter(request.GET, today=today).asked
    name = f"{organization.slug}-{asked.span.start}-{asked.span.last}"
    return streamed(report_rows(organization.pk, asked), name=name)
