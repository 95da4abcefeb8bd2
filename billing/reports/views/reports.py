"""Settings › Reports: who, what and when, for any days; the address is the report.
Reads only.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
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
    report_filter,
)
from billing.reports.queries.label_keys import label_keys
from billing.reports.queries.report import (
    DIMENSIONS,
    PAID,
    PERSON,
    REST,
    Report,
    ReportRow,
    people_called,
)
from billing.reports.rules.grouping import is_label
from billing.reports.rules.ranges import steps_of
from billing.reports.views.leading import address_with, row_link
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
            (address_with(request, **{name: None}), dimension, value)
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
                "link": row_link(request, report, row.key),
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
