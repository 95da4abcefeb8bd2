"""`GET /usage` in pages and as a stream (fault 4): nothing twice, nothing left out, and
no report whole in memory.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import tracemalloc

import pytest

from accounts.models import Membership
from billing.metering.actions.recording import record_usage
from billing.models import UsageDay
from billing.reports.queries.groups import usage_report
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event

SPAN = {"start": dt.date(2026, 11, 1), "end": dt.date(2026, 12, 1)}
GROUPS = [
    "day",
    "member,day",
    "seat_tier,member",
    "model,surface,day,member",
    "label:team",
    "label:team,member,model",
    "seat_tier,label:team,day",
    "",
]


@pytest.fixture
def used(acme, now):
    """Everybody on several days, on both surfaces, with labels and without."""
    enable_extra_usage(acme)
    events = [
        event(
            member,
            id=f"{member.pk}-{day}-{surface}",
            usd="0.50",
            at=now - dt.timedelta(days=day),
            surface=surface,
            labels={"team": f"t{day % 2}"} if day else {},
        )
        for member in Membership.objects.filter(organization=acme)
        for day in range(4)
        for surface in ("claude", "claude_code")
    ]
    record_usage(events, organization_id=acme.pk, now=now)


@pytest.fixture
def read(client, acme, now, time_machine):
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, now=now)

    def send(accept="application/json", **params):
        query = {"start": "2026-11-01", "end": "2026-12-01", **params}
        headers = {"Authorization": f"Bearer {key}", "Accept": accept}
        return client.get("/api/v1/usage", query, headers=headers)

    return send


@pytest.mark.parametrize("group_by", GROUPS)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_fault_4_pages_together_are_the_whole(used, read, group_by, limit):
    whole = read(group_by=group_by).json()
    assert whole["next_cursor"] is None and whole["results"]
    gathered, params = [], {}
    while True:
        page = read(group_by=group_by, limit=limit, **params).json()
        gathered += page["results"]
        assert len(page["results"]) <= limit
        if page["next_cursor"] is None:
            break
        params = {"cursor": page["next_cursor"]}
    assert gathered == whole["results"]


@pytest.mark.parametrize("group_by", GROUPS)
def test_fault_4_the_csv_has_the_same_rows_in_the_same_order(used, read, group_by):
    rows = read(group_by=group_by).json()["results"]
    answer = read(accept="text/csv", group_by=group_by, limit=1)
    assert answer.streaming
    told = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    as_cells = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in rows
    ]
    assert told == as_cells


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WyJhIl0", "WyIyMDI2LTAyLTMxIl0", "bnVsbA", "WzFd", "_-_-"]
)
def test_fault_4_a_cursor_of_no_page_is_422(used, read, cursor):
    answer = read(group_by="day", cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize("limit", ["0", "10001", "x"])
def test_fault_4_a_page_has_one_to_ten_thousand_rows(used, read, limit):
    assert read(limit=limit).status_code == 422


def test_fault_4_a_report_is_never_whole_in_memory(acme, bob):
    """Forty thousand groups, read to their end, take less than a list of them would."""
    UsageDay.objects.bulk_create(
        UsageDay(
            membership=bob,
            day_on=SPAN["start"],
            surface="claude",
            model=f"model-{number:06}",
            events=1,
        )
        for number in range(40_000)
    )
    tracemalloc.start()
    rows = sum(1 for _ in usage_report(acme.pk, **SPAN, group_by="day,model").rows)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 40_000
    assert most < 3_000_000
