"""The bare views that the real ones are measured against.

They pass the same middleware, since they lie below /api/.

Each does the least that its name says, with the same prepared statements and the same
tables as the product.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from config.kit.sql import pipeline, run
from config.urls import urlpatterns as product

COLUMNS = (
    "organization_id, membership_id, event_id, content_digest, surface, model,"
    " seat_tier, occurred_at, recorded_at, month_on, day_on, input_tokens,"
    " output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens,"
    " web_searches, cost_nanos, price_id, estimated, funding, funding_why,"
    " refusal_reason, windows, labels"
)
ROW = (
    "(%s, %s, %s, %s, 'claude_code', 'claude-sonnet-5', 'standard', %s, %s, %s, %s,"
    " 200, 100, 0, 0, 0, 0, 1000000, 1, false, 'extra_usage', 'checked', '', '{}',"
    " '{}')"
)
CHARGE = f"""
WITH event AS (INSERT INTO billing_usageevent ({COLUMNS}) VALUES {ROW}),
     member AS (UPDATE billing_membermonth SET extra_nanos = extra_nanos + 1000000,
         events = events + 1
                 WHERE membership_id = %s AND month_on = %s)
UPDATE billing_organizationmonth SET extra_nanos = extra_nanos + 1000000, events = events + 1
 WHERE organization_id = %s AND month_on = %s
"""
MEMBER_MONTHS = """
UPDATE billing_membermonth m SET extra_nanos = m.extra_nanos + r.nanos, events = m.events + r.events
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS r (id, nanos, events)
      WHERE m.membership_id = r.id AND m.month_on = %s
"""
USAGE_DAYS = """
INSERT INTO billing_usageday (membership_id, day_on, surface, model, seat_tier, events,
    input_tokens, output_tokens,
                              cache_write_tokens, cache_read_tokens, included_nanos,
                                  extra_nanos, unbilled_nanos)
SELECT r.id, %s, 'claude_code', 'claude-sonnet-5', 'standard', r.events, 0, 0, 0, 0, 0, r.nanos, 0
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS r (id, nanos, events)
ON CONFLICT (membership_id, day_on, surface, model, seat_tier)
DO UPDATE SET extra_nanos = billing_usageday.extra_nanos + excluded.extra_nanos,
    events = billing_usageday.events + excluded.events
"""
ORGANIZATION_MONTH = """
UPDATE billing_organizationmonth SET extra_nanos = extra_nanos + %s, events = events + %s
    WHERE organization_id = %s AND month_on = %s
"""
ORGANIZATION_DAY = """
INSERT INTO billing_organizationday (organization_id, day_on, surface, extra_nanos)
    VALUES (%s, %s, 'claude_code', %s)
ON CONFLICT (organization_id, day_on, surface) DO UPDATE
    SET extra_nanos = billing_organizationday.extra_nanos + excluded.extra_nanos
"""


def empty(request: HttpRequest) -> HttpResponse:
    """Nothing at all."""
    return HttpResponse("{}", content_type="application/json")


@csrf_exempt
def bare_select(request: HttpRequest) -> HttpResponse:
    """One indexed row."""
    [row] = run(
        "SELECT id, name, scopes FROM accounts_apikey WHERE digest = %s",
        [request.headers["X-Digest"]],
    ).rows()
    return HttpResponse(
        json.dumps({"id": row[0], "name": row[1]}), content_type="application/json"
    )


def _values(
    sent: dict[str, Any], event_id: str, member: int, now: dt.datetime
) -> list[Any]:
    day = now.date()
    return [
        sent["organization"],
        member,
        event_id,
        "0" * 32,
        now,
        now,
        day.replace(day=1),
        day,
    ]


@csrf_exempt
def bare_charge(request: HttpRequest) -> HttpResponse:
    """Insert an event and update two counters, in one statement."""
    sent, now = json.loads(request.body), dt.datetime.now(dt.UTC)
    month_on = now.date().replace(day=1)
    values = _values(sent, sent["id"], sent["member"], now)
    run(CHARGE, [*values, sent["member"], month_on, sent["organization"], month_on])
    return HttpResponse("{}", content_type="application/json")


@csrf_exempt
def bare_batch(request: HttpRequest) -> HttpResponse:
    """One multi-row INSERT and the same counters as a real batch; the events are made
    here, not read from a body.
    """
    sent, now = json.loads(request.body), dt.datetime.now(dt.UTC)
    members, count = sent["members"], sent["count"]
    values: list[Any] = []
    for number in range(count):
        values += _values(
            sent, f"{sent['id']}-{number}", members[number % len(members)], now
        )
    share = count // len(members)
    sums = [members, [share * 1_000_000] * len(members), [share] * len(members)]
    day, month_on, organization = (
        now.date(),
        now.date().replace(day=1),
        sent["organization"],
    )
    with pipeline(), transaction.atomic():
        run(
            f"INSERT INTO billing_usageevent ({COLUMNS}) VALUES"
            f" {', '.join([ROW] * count)}",
            values,
        )
        run(MEMBER_MONTHS, [*sums, month_on])
        run(USAGE_DAYS, [day, *sums])
        run(ORGANIZATION_DAY, [organization, day, count * 1_000_000])
        run(ORGANIZATION_MONTH, [count * 1_000_000, count, organization, month_on])
    return HttpResponse("{}", content_type="application/json")


class CountQueries:
    """Tells the number of queries of an answer to whoever asks by `X-Count`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "X-Count" not in request.headers:
            return self.get_response(request)
        connection.force_debug_cursor = True
        connection.queries_log.clear()
        try:
            response = self.get_response(request)
            response["X-Queries"] = str(len(connection.queries_log))
        finally:
            connection.force_debug_cursor = False
        return response


urlpatterns = [
    path("api/bench/empty", empty),
    path("api/bench/select", bare_select),
    path("api/bench/charge", bare_charge),
    path("api/bench/batch", bare_batch),
    *product,
]
handler400, handler403 = "config.errors.bad_request", "config.errors.forbidden"
handler404, handler500 = "config.errors.not_found", "config.errors.server_error"
