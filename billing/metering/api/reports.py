"""Usage by group, JSON or CSV.

Scope `read`; on the metering router, since one path is one view whatever the method.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query

from accounts.api_access import KeyAuth, organization_of
from accounts.models import Scope
from billing.metering.api.receipt_schemas import UsageList
from billing.metering.api.usage import router
from billing.reports.queries.groups import SUMS, UsageReport, usage_report
from billing.reports.rules.grouping import GROUP_PATTERN, LONGEST_TEXT
from config.kit.api import ERRORS, json_response
from config.kit.csv_files import Amount, lines
from config.kit.money import to_decimal_text


# On the router of `POST /usage`: a path has one view, whatever the method.
@router.get(
    "/usage",
    auth=KeyAuth(Scope.READ),
    tags=["Reading"],
    response={200: UsageList, **ERRORS},
    summary="Usage by group, JSON or CSV",
)
def usage(
    request: HttpRequest,
    start: Annotated[
        dt.date, Query(description="The first day, in the organization's time zone.")
    ],
    end: Annotated[
        dt.date,
        Query(
            description="The day after the last one, in the organization's time zone."
        ),
    ],
    group_by: Annotated[
        str,
        Query(
            max_length=LONGEST_TEXT,
            pattern=GROUP_PATTERN,
            description=(
                "Any of day, member, surface, model, seat_tier, label:KEY, separated by"
                " commas; up to five labels. A KEY with a comma, or one that begins with"
                " a quotation mark, is written in quotation marks, and a quotation mark"
                ' inside twice, as in CSV: label:"cost,center".'
            ),
            examples=["day,model", "member,label:project", 'label:"cost,center"'],
        ),
    ] = "day",
) -> HttpResponse:
    """Sums of events and adjustments; `Accept: text/csv` answers CSV."""
    report = usage_report(
        organization_of(request).pk, start=start, end=end, group_by=group_by
    )
    if "text/csv" in request.headers.get("Accept", ""):
        return _csv(report)
    return json_response(
        {
            "results": [_usage_json(report, row) for row in report.rows],
            "next_cursor": None,
        }
    )


def _usage_json(report: UsageReport, row: tuple[Any, ...]) -> dict[str, Any]:
    keys = dict(zip(report.keys, row[: len(report.keys)], strict=True))
    sums = dict(zip(SUMS, row[len(report.keys) :], strict=True))
    money = {
        name: to_decimal_text(value) if name.endswith("_usd") else value
        for name, value in sums.items()
    }
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in keys.items()
    } | money


def _csv(report: UsageReport) -> HttpResponse:
    rows = [[*report.keys, *SUMS], *(_csv_cells(report, row) for row in report.rows)]
    return HttpResponse("".join(lines(rows)), content_type="text/csv; charset=utf-8")


def _csv_cells(report: UsageReport, row: tuple[Any, ...]) -> list[Any]:
    groups, sums = row[: len(report.keys)], row[len(report.keys) :]
    return [
        *groups,
        *(
            Amount(value) if name.endswith("_usd") else value
            for name, value in zip(SUMS, sums, strict=True)
        ),
    ]
