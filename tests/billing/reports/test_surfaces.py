"""Pages stay readable with one surface, three, forty, and with as many as somebody makes
up (X4).
"""

from __future__ import annotations

import datetime as dt
import itertools
import json

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.metering.actions.recording import record_usage
from billing.models import OrganizationDay, UsageDay
from billing.reports.queries.splits import REST, splits
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event

DAY = dt.date(2026, 11, 20)
FIRST = ("claude_code", "claude")


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def use(acme, bob):
    """Bob spends so much extra usage on each surface, beside what is included."""
    enable_extra_usage(acme)
    numbers = itertools.count()

    def spend(**by_surface):
        used_up = event(bob, at=NOW, usd="2", id="used-up", surface="ci")
        events = [
            event(bob, at=NOW, usd=amount, id=f"e-{next(numbers)}", surface=surface)
            for surface, amount in by_surface.items()
        ]
        record_usage([used_up, *events], organization_id=acme.pk, now=NOW)

    return spend


@pytest.fixture
def chart(client, alice, bob):
    """The series of Settings › Usage as (label, colour, amount of today)."""

    def read(page="settings/usage/", who=alice):
        client.force_login(who.user)
        response = client.get(f"/o/acme/{page}")
        assert response.status_code == 200
        data = response.context["chart"]
        json.dumps(data)
        return [
            (one["label"], one["slot"], one["values"][NOW.day - 1])
            for one in data["series"]
        ]

    return read


def plain(series):
    """Amounts in cents, as the two pages write them differently."""
    return [(label, slot, f"{float(amount):.2f}") for label, slot, amount in series]


@pytest.mark.parametrize(
    ("spent", "shown"),
    [
        ({"cursor": "3"}, [("Cursor", 1, "3.00")]),
        ({"claude": "3"}, [("Claude", 2, "3.00")]),
        (
            {"claude": "9", "claude_code": "1"},
            [("Claude Code", 1, "1.00"), ("Claude", 2, "9.00")],
        ),
        (
            {"batch-jobs": "9", "claude": "1", "cursor": "3"},
            [("Claude", 2, "1.00"), ("batch-jobs", 1, "9.00"), ("Cursor", 3, "3.00")],
        ),
        (
            {f"s-{number:02}": f"{number}" for number in range(1, 41)}
            | {"claude": "1", "claude_code": "1"},
            [
                ("Claude Code", 1, "1.00"),
                ("Claude", 2, "1.00"),
                ("s-40", 3, "40.00"),
                ("s-39", 4, "39.00"),
                ("Other", 5, "741.00"),
            ],
        ),
    ],
    ids=["one", "one-of-the-two", "two", "three", "forty"],
)
def test_x4_the_two_known_surfaces_the_largest_others_and_the_rest(
    use, chart, bob, spent, shown
):
    use(**spent)
    assert plain(chart()) == shown
    # A member's own page splits the same.
    assert plain(chart("usage/", bob)) == shown


def test_x4_where_nothing_was_used_the_two_known_ones_stand_with_nothing(
    chart, use, client, bob
):
    use()
    assert plain(chart()) == [("Claude Code", 1, "0.00"), ("Claude", 2, "0.00")]
    client.force_login(bob.user)
    surfaces = client.get("/o/acme/usage/").context["surfaces"]
    assert [name for name, _part in surfaces] == ["Claude Code", "Claude"]


def test_x4_the_table_beside_the_chart_has_a_column_for_each_of_its_parts(
    use, client, alice
):
    use(**{f"s-{number}": "1" for number in range(9)})
    client.force_login(alice.user)
    page = client.get("/o/acme/settings/usage/")
    text = " ".join(page.content.decode().split())
    assert text.count('<th scope="col">s-') == 4
    assert text.count('<th scope="col">Other</th>') == 1
    assert "xu-key--5" in text and "s-8" not in text


MADE_UP = 10_000


@pytest.fixture
def made_up(acme, bob):
    """A counter for each of 10,000 surfaces."""
    enable_extra_usage(acme)
    names = [f"x-{number:05}" for number in range(MADE_UP)]
    OrganizationDay.objects.bulk_create(
        OrganizationDay(organization=acme, day_on=DAY, surface=name, extra_nanos=usd(1))
        for name in names
    )
    UsageDay.objects.bulk_create(
        UsageDay(
            membership=bob,
            day_on=DAY,
            surface=name,
            model=f"m-{name}",
            seat_tier="standard",
            extra_nanos=usd(1),
            events=1,
        )
        for name in names
    )


@pytest.mark.parametrize("path", ["settings/usage/", "usage/", "usage/?split=model"])
def test_x4_made_up_surfaces_neither_lengthen_a_page_nor_its_answers(
    client, alice, bob, made_up, path
):
    client.force_login(bob.user if path.startswith("usage") else alice.user)
    client.get(f"/o/acme/{path}")
    fetched = []
    with connection.execute_wrapper(_counting(fetched)):
        response = client.get(f"/o/acme/{path}")
    series = response.context["chart"]["series"]
    assert [one["slot"] for one in series] == [1, 2, 3, 4, 5]
    assert float(series[4]["values"][DAY.day - 1]) == MADE_UP - 4
    assert len(response.content) < 200_000
    assert max(fetched) < 500


def _counting(fetched):
    """How many rows each statement has."""

    def execute(run, sql, params, many, context):
        answer = run(sql, params, many, context)
        if sql.startswith("SELECT") and ("usageday" in sql or "organizationday" in sql):
            cursor = context["cursor"].cursor
            rows = cursor.fetchall()
            fetched.append(len(rows))
            return run(sql, params, many, context)
        return answer

    return execute


def test_x4_a_page_asks_as_often_with_many_surfaces_as_with_two(client, bob, use, acme):
    client.force_login(bob.user)
    use(claude="1", claude_code="1")
    counts = []
    for time in range(2):
        client.get("/o/acme/usage/")
        with CaptureQueriesContext(connection) as captured:
            client.get("/o/acme/usage/")
        counts.append(len(captured))
        UsageDay.objects.bulk_create(
            UsageDay(
                membership=bob,
                day_on=DAY,
                surface=f"s-{time}-{number}",
                model="m",
                extra_nanos=1,
            )
            for number in range(50)
        )
    assert counts[0] == counts[1]


def test_x4_colours_do_not_depend_on_the_order_of_rows():
    by_name = {"b": {DAY: 5}, "a": {DAY: 5}, "claude": {DAY: 1}, REST: {DAY: 9}}
    told = {
        tuple((one.name, one.slot) for one in splits(dict(order), first=FIRST))
        for order in itertools.permutations(by_name.items())
    }
    assert told == {(("claude", 2), ("a", 1), ("b", 3), (REST, 5))}
