"""Usage by group, JSON or CSV.

Scope `read`; on the metering router, since one path is one view whatever the method.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from itertools import chain
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query

from accounts.api_access import KeyAuth, organization_of, own_membership_id
from accounts.models import Scope
from billing.metering.api.receipt_schemas import UsageList
from billing.metering.api.usage import router
from billing.reports.queries.groups import SUMS, UsageReport, usage_report
from billing.reports.rules.grouping import GROUP_PATTERN, LONGEST_TEXT
from config.kit.api import ERRORS, json_response
from config.kit.csv_files import Amount, lines
from config.kit.cursors import cursor_of
from config.kit.limits import REPORTS
from config.kit.money import to_decimal_text

MOST_ROWS = 10_000
# Eight keys of the longest texts there are, in base64.
LONGEST_CURSOR = 20_000
FirstDay = Annotated[
    dt.date, Query(description="The first day, in the organization's time zone.")
]
DayAfter = Annotated[
    dt.date,
    Query(description="The day after the last one, in the organization's time zone."),
]
GroupBy = Annotated[
    str,
    Query(
        max_length=LONGEST_TEXT,
        pattern=GROUP_PATTERN,
        description=(
            "Any of day, member, surface, model, seat_tier, label:KEY, separated by"
            " commas; up to five labels. A surface is the free name that was reported. A"
            " KEY with a comma, or one that begins with a quotation mark, is written in"
            " quotation marks, and a quotation mark inside"
            ' twice, as in CSV: label:"cost,center".'
        ),
        examples=["day,model", "member,label:project", 'label:"cost,center"'],
    ),
]
Cursor = Annotated[
    str | None,
    Query(
        max_length=LONGEST_CURSOR,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next_cursor` of the page before.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows a page, at most.")]


# On the router of `POST /usage`: a path has one view, whatever the method.
@router.get(
    "/usage",
    auth=KeyAuth(Scope.READ, Scope.SELF, limit=REPORTS),
    tags=["Reading"],
    response={200: UsageList, **ERRORS},
    summary="Usage by group, JSON or CSV",
)
def usage(
    request: HttpRequest,
    start: FirstDay,
    end: DayAfter,
    group_by: GroupBy = "day",
    cursor: Cursor = None,
    limit: Limit = MOST_ROWS,
) -> HttpResponse | StreamingHttpResponse:
    """Sums of events and adjustments, in the order of the grouped keys; for a personal
    token, of its own member.

    `next_cursor` of one call is the `cursor` of the next. `Accept: text/csv` answers
    all rows as CSV, without pages.
    """
    ask = partial(
        usage_report,
        organization_of(request).pk,
        start=start,
        end=end,
        group_by=group_by,
        membership_id=own_membership_id(request),
    )
    if "text/csv" in request.headers.get("Accept", ""):
        return _csv(ask())
    # One more than the page, to know whether there is another.
    report = ask(cursor=cursor, limit=limit + 1)
    ahead = list(report.rows)
    page = ahead[:limit]
    return json_response(
        {
            "results": [_usage_json(report, row) for row in page],
            "next_cursor": _cursor_of(report, page[-1]) if len(ahead) > limit else None,
        }
    )


def _cursor_of(report: UsageReport, row: tuple[Any, ...]) -> str:
    return cursor_of([key or "" for key in row[: len(report.keys)]])


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


def _csv(report: UsageReport) -> StreamingHttpResponse:
    rows = (_csv_cells(report, row) for row in report.rows)
    return StreamingHttpResponse(
        lines(chain([[*report.keys, *SUMS]], rows)),
        content_type="text/csv; charset=utf-8",
    )


def _csv_cells(report: UsageReport, row: tuple[Any, ...]) -> list[Any]:
    groups, sums = row[: len(report.keys)], row[len(report.keys) :]
    return [
        *groups,
        *(
            Amount(value) if name.endswith("_usd") else value
            for name, value in zip(SUMS, sums, strict=True)
        ),
    ]
