"""Settings › Reports: the sum, the rows, the columns, the chart, the file and the API say
the same, removed people, adjustments and unattributed usage included.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest
import time_machine

from accounts.actions.members import remove_member
from billing.metering.actions.recording import record_usage
from billing.models import UsageAdjustment, UsageDay, UsageEvent
from billing.reports.queries.groups import Narrowed
from billing.reports.queries.report import DIMENSIONS, PAID, REST, Asked, Report
from billing.reports.rules.ranges import DayRange, range_of
from config.kit.money import format_usd, usd
from tests.conftest import NOW
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

URL = "/o/acme/settings/reports/"
FILE = "/o/acme/settings/reports.csv"
TODAY = NOW.date()
THIS_MONTH = range_of("this-month", today=TODAY)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client, alice, acme):
    enable_extra_usage(acme)
    client.force_login(alice.user)
    return client


def spend(member, amount: str, *, at: dt.datetime = NOW, **changes) -> None:
    """Extra usage of $1 less than all, since a session includes the first dollar."""
    labels = changes.pop("labels", {})
    one = replace(event(member, at=at, usd=amount, labels=labels), **changes)
    [result] = record_usage(
        [one], organization_id=member.organization_id, now=max(at, NOW)
    ).results
    assert result.status == "recorded", result


@pytest.fixture
def used(acme, alice, bob, ada):
    """A month of three people: two models, two surfaces, a label, one who has left."""
    enable_extra_usage(acme)
    for member in (alice, bob, ada):
        spend(member, "60")  # included: it crosses the session's limit
    spend(bob, "7", labels={"team": "Payments"})
    spend(bob, "2", surface="claude")
    spend(ada, "5", labels={"team": "Search"})
    spend(alice, "3", model="claude-opus-5")
    remove_member(ada, by=alice, now=NOW)
    return acme


def counted(acme) -> int:
    """All extra usage of the organization's counters."""
    days = UsageDay.objects.filter(membership__organization=acme)
    return sum(days.values_list("extra_nanos", flat=True))


def test_rows_columns_and_bars_come_to_what_the_counters_hold(used):
    total = counted(used)
    assert total > usd("10")
    for by in DIMENSIONS:
        for then in ("", *DIMENSIONS):
            if then == by:
                continue
            report = Report(used.pk, Asked(THIS_MONTH, by, then))
            assert report.total_nanos == total, (by, then)
            if then:
                assert sum(nanos for _key, nanos in report.columns) == total
                assert report.in_columns(report.rows) == [
                    nanos for _key, nanos in report.columns
                ]
            for step in ("day", "week", "month"):
                bars = report.by_step(step)
                assert sum(sum(one.values()) for one in bars.values()) == total


def test_by_a_label_it_comes_to_the_same_with_those_without_it(used):
    report = Report(used.pk, Asked(THIS_MONTH, "label:team"))
    assert report.total_nanos == counted(used)
    assert {row.key for row in report.rows} == {"Payments", "Search", ""}


def test_who_paid_parts_the_whole(used):
    sums = {
        paid: Report(used.pk, Asked(THIS_MONTH, paid=paid)).total_nanos for paid in PAID
    }
    assert sums["all"] == sums["extra"] + sums["included"] + sums["unbilled"]
    assert sums["included"] > 0


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({"model": "claude-opus-5"}, "3"),
        ({"surface": "claude"}, "2"),
        ({"label": ("team", "Payments")}, "7"),
        ({"label": ("team", "Payments"), "surface": "claude"}, "0"),
    ],
)
def test_it_narrows_to_a_model_a_surface_or_a_label(used, narrowed, expected):
    asked = Asked(THIS_MONTH, narrowed=Narrowed(**narrowed))
    report = Report(used.pk, asked)
    found = report.total_nanos
    # the costs of another model differ from the builder's
    if "model" in narrowed:
        days = UsageDay.objects.filter(model="claude-opus-5")
        assert found == sum(days.values_list("extra_nanos", flat=True)) > 0
    else:
        assert found == usd(expected)


def test_an_adjustment_counts_on_the_day_it_was_booked(used, owner):
    one = UsageEvent.objects.filter(labels__team="Payments").get()
    before = Report(used.pk, Asked(THIS_MONTH, "label:team")).total_nanos
    UsageAdjustment.objects.create(
        organization=used,
        membership=one.membership,
        event=one,
        amount_nanos=usd("-1"),
        reason="A wrong price.",
        source="operator",
        key="x",
        price=one.price,
        created_at=NOW,
        day_on=one.day_on,
        month_on=one.month_on,
        prepaid=False,
    )
    assert Report(used.pk, Asked(THIS_MONTH, "label:team")).total_nanos == before - usd(
        "1"
    )


def test_it_is_compared_with_the_same_days_of_the_month_before(acme, bob):
    enable_extra_usage(acme)
    last_month = NOW - dt.timedelta(days=30)
    with time_machine.travel(last_month, tick=False):
        one = event(bob, at=last_month, usd="60")
        two = event(bob, at=last_month, usd="4")
        record_usage([one, two], organization_id=acme.pk, now=last_month)
    spend(bob, "60")
    spend(bob, "9")
    asked = Asked(THIS_MONTH)
    [row] = Report(acme.pk, asked).rows
    assert row.total_nanos == usd("9")
    is_before = last_month.date() in _days(Report(acme.pk, asked).before)
    assert row.before_nanos == (usd("4") if is_before else 0)


def _days(span: DayRange) -> set[dt.date]:
    return {span.start + dt.timedelta(days=number) for number in range(span.days)}


def test_the_page_the_file_and_the_api_say_the_same(used, owner):
    page = flat(owner.get(URL))
    assert format_usd(counted(used)) in page
    answer = owner.get(FILE, {"by": "person"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    total = sum(Decimal(row["extra_usage_usd"]) for row in rows)
    assert total * 10**9 == counted(used)
    assert {row["person"] for row in rows} >= {"bob@acme.example", "ada@acme.example"}


def test_people_who_left_stay_in_the_table_with_a_mark(used, owner):
    page = flat(owner.get(URL))
    assert "Removed" in page
    assert "Ada" in page


def test_every_figure_leads_one_step_down(used, owner, bob):
    page = flat(owner.get(URL))
    assert f"person={bob.pk}" in page
    of_bob = flat(owner.get(URL, {"person": bob.pk, "by": "model"}))
    assert "claude-sonnet-5" in of_bob
    assert "Bob" in of_bob


def test_many_rows_end_in_the_others_which_open_by_pages(acme, owner):
    for number in range(20):
        member = MembershipFactory(
            organization=acme,
            user=make_user(f"p{number:02}@acme.example", f"P {number}"),
        )
        spend(member, "60")
        spend(member, f"{number + 1}")
    page = flat(owner.get(URL))
    assert "5 others" in page
    everybody = flat(owner.get(URL, {"all": "1"}))
    assert "5 others" not in everybody
    assert "P 0" in everybody


def test_a_range_that_is_none_is_said_and_this_month_is_shown(used, owner):
    page = flat(owner.get(URL, {"range": "<i>"}))
    assert "&lt;i&gt;" in page
    assert "is not a range of days" in page


@pytest.mark.parametrize(
    "query",
    [
        {"by": "nonsense", "then": "person", "paid": "x", "step": "y", "page": "z"},
        {"by": "label:", "then": "label:\0"},
        {"by": 'label:a"b', "then": "model"},
        {"person": "9" * 40, "label": "=", "model": "\0", "seat": ""},
        {"start": "2026-11-01", "end": "2026-11-05"},
        {"range": "2031-01", "then": "day"},
        {"seat": "gold"},
        {"seat": "\0", "by": "seat_tier"},
    ],
)
def test_whatever_the_address_says_there_is_a_report(used, owner, query):
    assert owner.get(URL, query).status_code == 200
    assert owner.get(FILE, query).status_code == 200


def test_an_empty_report_says_so_and_how_to_count_more(owner):
    page = flat(owner.get(URL))
    assert "Nothing was used" in page


def test_members_and_charlie_see_no_reports(client, used, bob, charlie):
    client.force_login(bob.user)
    assert client.get(URL).status_code == 403
    assert client.get(FILE).status_code == 403
    client.force_login(charlie.user)
    assert client.get(URL).status_code == 404
    assert client.get(FILE).status_code == 404


def test_charlies_reports_have_nothing_of_acme(client, used, bob, charlie):
    client.force_login(charlie.user)
    url = f"/o/{charlie.organization.slug}/settings/reports/"
    if client.get(url).status_code == 200:
        page = flat(client.get(url, {"person": bob.pk, "paid": "all"}))
        assert "bob" not in page.lower().replace("combobox", "")


def test_its_queries_do_not_grow_with_rows(used, owner, django_assert_max_num_queries):
    owner.get(URL, {"then": "model"})
    with django_assert_max_num_queries(14):
        owner.get(URL, {"then": "model"})


@pytest.mark.parametrize("by", [one for one in DIMENSIONS if one != "day"])
def test_the_bars_of_each_column_come_to_what_the_column_says(used, by):
    for then in DIMENSIONS:
        if then == by:
            continue
        report = Report(used.pk, Asked(THIS_MONTH, by, then))
        bars = report.by_step("day")
        for key, nanos in report.columns:
            assert sum(bars[key].values()) == nanos, (by, then)


def test_days_as_columns_are_drawn(used, owner):
    answer = owner.get(URL, {"by": "person", "then": "day"})
    drawn = sum(sum(nanos) for _title, nanos in answer.context["chart_rows"])
    assert drawn == counted(used)


def test_small_columns_that_cancel_out_are_in_no_other_column(acme, bob, alice):
    """What corrections bring to nothing together still stands in its rows."""
    UsageDay.objects.bulk_create(
        UsageDay(
            membership=member,
            day_on=TODAY,
            surface="claude",
            model=model,
            seat_tier="standard",
            events=1,
            extra_nanos=usd(amount),
        )
        for member, model, amount in [
            *((bob, f"m{number}", "10") for number in range(4)),
            (bob, "small", "5"),
            (alice, "small", "-5"),
        ]
    )
    report = Report(acme.pk, Asked(THIS_MONTH, "person", "model"))
    for row in report.rows:
        assert sum(report.in_columns([row])) == row.total_nanos
    named = [nanos for key, nanos in report.columns if key is not REST]
    [of_bob] = [row for row in report.rows if row.key == bob.pk]
    assert report.in_columns([of_bob])[: len(named)] == named


@pytest.mark.parametrize("key", ["team", "a=b", '"a"', '"a"=b'])
def test_a_labels_row_leads_to_what_the_row_says(used, owner, bob, key):
    spend(bob, "4", labels={key: "x=1"})
    page = owner.get(URL, {"by": f"label:{key}"})
    [row] = [one for one in page.context["rows"] if one["key"] == "x=1"]
    report = owner.get(URL + row["link"]).context["report"]
    assert report.total_nanos == row["total_nanos"] == usd("4")


def test_a_row_that_would_need_two_labels_leads_nowhere_else(used, owner, bob):
    spend(bob, "4", labels={"team": "Payments", "env": "test"})
    page = owner.get(URL, {"by": "label:env", "label": "team=Payments"})
    assert {row["link"] for row in page.context["rows"]} == {""}


def test_each_bar_has_the_same_day_of_the_period_before_beside_it(acme, bob, alice):
    enable_extra_usage(acme)
    spend(bob, "2.00", at=NOW - dt.timedelta(days=31))  # the included dollar and one
    spend(bob, "5.00", at=NOW - dt.timedelta(days=30))
    before = Report(acme.pk, Asked(THIS_MONTH)).before_by_step("day")
    assert set(before) == {dt.date(2026, 11, 23)}, "23 October; the 24th is to come"
    whole = Report(acme.pk, Asked(range_of("2026-10", today=TODAY)))
    assert whole.before_by_step("day") == {}, "nothing in September"


def test_a_last_day_without_one_to_compare_has_no_bar(acme, bob):
    enable_extra_usage(acme)
    spend(bob, "2.00", at=dt.datetime(2026, 10, 30, 16, tzinfo=dt.UTC))
    spend(bob, "4.00", at=dt.datetime(2026, 10, 31, 16, tzinfo=dt.UTC))
    november = DayRange("2026-11", dt.date(2026, 11, 1), dt.date(2026, 12, 1))
    report = Report(acme.pk, Asked(november))
    assert list(report.before_by_step("day")) == [dt.date(2026, 11, 30)]
    assert set(report.before_by_step("month")) == {dt.date(2026, 11, 1)}


def test_the_chart_names_the_period_before_and_says_cents(owner, used):
    html = owner.get(URL, {"then": "surface"}).content.decode()
    data = json.loads(
        html.split('<script id="report-data" type="application/json">')[1].split(
            "</script>"
        )[0]
    )
    assert data["before"]["label"] == "1–23 Oct 2026"
    assert data["before"]["labels"][22] == "Fri 23 Oct"
    assert all(text.startswith("$") and "." in text for text in data["sums"]["texts"])
    assert len(data["before"]["texts"]) == len(data["labels"]) == 23


def test_g4_labels_that_requests_carry_are_offered(owner, used, bob):
    spend(bob, "2", labels={"project": "checkout", "team": "payments"})
    page = flat(owner.get(URL).content.decode())
    for key in ("project", "team"):
        assert f'<option value="label:{key}">Label {key}</option>' in page
