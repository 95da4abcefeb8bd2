"""Two reports of one request are one, and a gateway's count holds against telemetry's
(X4, E6, E8).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions.audit import Actor
from billing.documents.closing import close_due
from billing.funding.queries import BY_ORGANIZATION, standing_of
from billing.metering.actions import known
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.models import (
    GATEWAY_COUNTED,
    AdjustmentSource,
    InvoiceLine,
    MemberMonth,
    UsageAdjustment,
    UsageDay,
    UsageEvent,
)
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price
from billing.prices.queries.listed import fallback_rates
from billing.prices.rules import Part, Usage
from config.kit.money import usd
from config.kit.sql import is_postgresql, list_param, rows_json
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event

MINUTE = dt.timedelta(minutes=1)
REQUEST = "req_011CSHoEeqs5C35K2UUqR7Fy"


@pytest.fixture(autouse=True)
def _books_stay_clean(acme):
    """Whatever a test reports, every counter equals what is behind it."""
    yield
    out = StringIO()
    call_command("audit_books", stdout=out)
    assert "The books are clean" in out.getvalue()


@pytest.fixture
def report(acme, bob, now):
    """Report events together; what each is answered."""
    enable_extra_usage(acme)

    def send(*events, at=now):
        return record_usage(events, organization_id=acme.pk, now=at).results

    return send


@pytest.fixture
def gateway(bob, now):
    """What a gateway says of a request."""

    def say(usd="2.00", id="call-1", at=now, **facts):
        facts = {"request_id": REQUEST, **facts}
        return replace(event(bob, id=id, usd=usd, at=at), **facts)

    return say


@pytest.fixture
def telemetry(gateway):
    """What the client says of the same request."""

    def say(usd="2.00", **facts):
        facts = {"id": REQUEST, "source": "telemetry", "surface": "cursor", **facts}
        return gateway(usd, **facts)

    return say


def told(result):
    return result.status, result.cost_nanos


def spent():
    """What Bob's month, and his days, come to as extra usage or included."""
    month = MemberMonth.objects.get()
    days = UsageDay.objects.all()
    in_days = sum(day.extra_nanos + day.included_nanos for day in days)
    assert in_days == month.extra_nanos + month.included_nanos
    return in_days


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_x4_a_gateway_and_telemetry_that_agree_are_one(
    report, gateway, telemetry, order, together
):
    both = [gateway(labels={"project": "x"}), telemetry()]
    sent = [both[place] for place in order]
    results = report(*sent) if together else [*report(sent[0]), *report(sent[1])]
    assert [told(one) for one in results] == [
        ("recorded", usd("2")),
        ("duplicate", usd("2")),
    ]
    assert results[1].notes == (
        f"This request is recorded as the event “{sent[0].id}”.",
    )
    assert not UsageAdjustment.objects.exists()
    assert spent() == usd("2")
    row = UsageEvent.objects.get()
    assert (row.source, row.request_id) == (sent[0].source, REQUEST)


@pytest.mark.parametrize(
    ("apart", "status"),
    [
        (dt.timedelta(minutes=5), "duplicate"),
        (dt.timedelta(minutes=-5), "duplicate"),
        (dt.timedelta(minutes=5, microseconds=1), "recorded"),
        (dt.timedelta(minutes=-5, microseconds=-1), "recorded"),
    ],
)
def test_x4_the_same_request_id_is_one_request_within_five_minutes(
    report, gateway, telemetry, now, apart, status
):
    first = gateway(at=now - 30 * MINUTE)
    second = telemetry(at=first.occurred_at + apart, id="log-1")
    assert [one.status for one in report(first, second)] == ["recorded", status]
    assert [one.status for one in report(second, first)] == ["duplicate"] * 2


@pytest.mark.parametrize("source", ["gateway", "telemetry", "import"])
def test_x4_the_same_id_outside_five_minutes_is_a_conflict(
    report, gateway, now, source
):
    assert report(gateway(at=now - 10 * MINUTE))[0].status == "recorded"
    [other] = report(gateway(at=now - 4 * MINUTE, source=source))
    assert told(other) == ("conflict", usd("2"))


@pytest.mark.parametrize(
    "facts",
    [
        {"labels": {"project": "other"}},
        {"labels": {}},
        {"occurred_at": dt.datetime(2026, 11, 23, 19, 24, tzinfo=dt.UTC)},
        {"authorization": "another"},
        {"source": "import"},
        {"source": "telemetry", "request_id": ""},
    ],
)
def test_x4_source_labels_and_time_are_not_content(report, gateway, facts):
    first = gateway(labels={"project": "x"})
    report(first)
    [again] = report(replace(first, **facts))
    assert told(again) == ("duplicate", usd("2"))
    assert UsageEvent.objects.get().labels == {"project": "x"}


@pytest.mark.parametrize(
    "facts",
    [
        {"usage": Usage(output_tokens=1)},
        {"model": "claude-opus-5"},
        {"surface": "cursor"},
        {"conditions": {"speed": "fast"}},
        {"provider": "bedrock"},
        {"usage": Usage(7), "parts": (Part("message", "claude-opus-5", Usage(7)),)},
    ],
)
def test_x4_two_gateways_that_differ_on_one_id_are_a_conflict(report, gateway, facts):
    report(gateway())
    [other] = report(replace(gateway(), **facts))
    assert told(other) == ("conflict", usd("2"))
    assert spent() == usd("2") and not UsageAdjustment.objects.exists()


def test_x4_under_another_id_two_gateways_are_one_where_they_count_alike(
    report, gateway
):
    [first] = report(gateway())
    behind = gateway(id="inner-1", model="anthropic/claude-sonnet-5", surface="litellm")
    [alike] = report(behind)
    [other] = report(gateway("3.00", id="inner-2"))
    assert (alike.status, other.status) == ("duplicate", "conflict")
    assert first.cost_nanos == spent()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("counted", "difference"), [("3.50", "1.50"), ("0.25", "-1.75")]
)
def test_x4_a_gateways_count_replaces_telemetrys_by_an_adjustment(
    report, gateway, telemetry, counted, difference, together, now
):
    first, second = telemetry(), gateway(counted, at=now - MINUTE)
    results = report(first, second) if together else report(first) + report(second)
    assert told(results[1]) == ("duplicate", usd(counted))
    assert "the gateway's count holds" in " ".join(results[1].notes)
    booked = UsageAdjustment.objects.get()
    assert (booked.amount_nanos, booked.source, booked.reason) == (
        usd(difference),
        AdjustmentSource.REPORT,
        GATEWAY_COUNTED,
    )
    row = UsageEvent.objects.get()
    assert (row.cost_nanos, row.source) == (usd("2"), "telemetry")
    assert spent() == usd(counted)


def test_x4_the_gateways_word_is_booked_once_however_often_it_comes(
    report, gateway, telemetry, now
):
    report(telemetry())
    word = gateway("3.50")
    for _again in range(2):
        again = report(word, replace(word, labels={"team": "x"}), telemetry())
        assert [told(one) for one in again] == [("duplicate", usd("3.50"))] * 3
    [later] = report(replace(word, occurred_at=now - 2 * MINUTE))
    assert told(later) == ("duplicate", usd("3.50"))
    assert UsageAdjustment.objects.count() == 1
    [another] = report(gateway("4.00", id="call-2"))
    assert told(another) == ("conflict", usd("3.50"))
    assert spent() == usd("3.50")


def test_x4_telemetry_after_a_gateway_changes_nothing_and_is_told_so(
    report, gateway, telemetry
):
    report(gateway())
    [after] = report(telemetry("9.00"))
    assert told(after) == ("duplicate", usd("2"))
    assert after.notes[-1] == (
        "It was reported with other counts; the gateway's holds."
    )
    assert spent() == usd("2") and not UsageAdjustment.objects.exists()


def test_x4_an_import_and_telemetry_hold_in_the_order_they_came(report, telemetry):
    report(telemetry())
    [after] = report(telemetry("9.00", source="import", id="row-7"))
    assert told(after) == ("duplicate", usd("2"))
    assert after.notes[-1] == (
        "It was reported with other counts; that of telemetry holds."
    )
    assert spent() == usd("2")


def test_x4_a_count_that_costs_the_same_books_nothing(report, gateway, telemetry):
    first = telemetry()
    same_cost = Usage(input_tokens=1_000_000)  # $2 as well
    report(first)
    [again] = report(replace(gateway(), usage=same_cost))
    assert again.status == "duplicate" and not UsageAdjustment.objects.exists()


def test_x4_a_dearer_model_or_speed_is_the_gateways_word_too(
    report, gateway, telemetry
):
    report(telemetry())
    [word] = report(replace(gateway(), model="claude-opus-5"))
    assert word.status == "duplicate" and word.cost_nanos > usd("2")
    assert spent() == word.cost_nanos


def test_x4_of_another_member_it_is_a_conflict(report, gateway, telemetry, ada):
    report(telemetry())
    [other] = report(gateway(member=str(ada.pk)))
    assert told(other) == ("conflict", usd("2"))


def test_x4_without_a_request_id_nothing_is_taken_for_another(report, gateway, now):
    sent = [gateway(id=f"call-{number}", request_id="") for number in range(3)]
    assert {one.status for one in report(*sent)} == {"recorded"}


def test_x4_what_a_closed_month_had_by_telemetry_is_corrected_in_the_open_one(
    report, gateway, telemetry, acme, now
):
    report(telemetry("4.00", id="used-up", request_id=""), telemetry())
    december = dt.datetime(2026, 12, 3, 12, tzinfo=dt.UTC)
    close_due(acme.pk, now=december)
    [word] = report(gateway("3.50"), at=december)
    assert told(word) == ("duplicate", usd("3.50"))
    booked = UsageAdjustment.objects.get()
    assert booked.month_on == dt.date(2026, 12, 1)
    assert booked.event.month_on == dt.date(2026, 11, 1)
    close_due(acme.pk, now=dt.datetime(2027, 1, 3, 12, tzinfo=dt.UTC))
    [line] = InvoiceLine.objects.filter(kind="correction")
    assert (line.surface, line.reason, line.exact_nanos) == (
        "cursor",
        GATEWAY_COUNTED,
        usd("1.50"),
    )


def test_x4_the_next_event_of_a_batch_is_judged_with_the_difference(
    report, gateway, telemetry, acme, bob, now
):
    """An organization's cap that the gateway's count reaches."""
    enable_extra_usage(acme, cap="5")
    report(telemetry("4.00", id="used-up"), at=now)  # the included usage, crossed
    other = {"request_id": "req_2"}
    report(telemetry("2.00", id="log-2", **other))
    word = gateway("6.00", id="call-2", **other)
    after = gateway("1.00", id="call-3", request_id="req_3")
    [_word, next_one] = report(word, after)
    assert UsageEvent.objects.get(event_id="call-3").refusal_reason == (
        "organization_cap_reached"
    )
    assert next_one.status == "recorded"
    standing = standing_of(bob.pk, organization_id=acme.pk, now=now)
    assert standing.organization.spent_nanos == usd("7")


def test_x4_what_would_leave_its_bounds_is_invalid_and_stops_no_other(
    report, gateway, telemetry, monkeypatch
):
    report(telemetry())
    dear = Usage(output_tokens=999_999_999)
    monkeypatch.setattr(
        "billing.metering.actions.repeated.MOST_AN_EVENT_NANOS", usd("9")
    )
    sent = [replace(gateway(), usage=dear), gateway("1.00", id="x", request_id="")]
    results = report(*sent)
    assert [one.status for one in results] == ["invalid", "recorded"]
    assert spent() == usd("3")


def test_x4_an_operators_waiver_never_brings_it_below_nothing(
    report, gateway, telemetry, acme, alice, now
):
    report(telemetry("4.00", id="used-up", request_id=""))
    report(telemetry())
    adjust_event(
        UsageEvent.objects.get(request_id=REQUEST),
        amount_nanos=-usd("2"),
        reason="Waived",
        operator=alice.user,
        now=now,
    )
    report(gateway("0.50"))
    assert spent() == usd("4")


def test_x4_a_call_costs_no_round_trip_more(report, gateway, telemetry, now):
    def queries(*events):
        with CaptureQueriesContext(connection) as captured:
            report(*events)
        return len(captured)

    report(gateway(id="warm", request_id=""))
    plain = queries(gateway(id="plain", request_id=""))
    assert queries(gateway()) == plain
    # Nor more for a duplicate by its request than by its id.
    assert queries(gateway(id="again")) == queries(gateway())


def test_x4_requests_are_found_by_their_index(report, gateway, acme):
    """However many events an organization has."""
    sent = [
        gateway(id=f"call-{number}", request_id=f"r-{number}") for number in range(300)
    ]
    report(*sent)
    sql = known._known_sql(BY_ORGANIZATION, True, is_postgresql())
    moments = rows_json([known._moments(sent[7])])
    params = [acme.pk, list_param(["x"]), list_param([1]), moments, acme.pk]
    params.append(list_param([sent[7].request_id]))
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute("ANALYZE billing_usageevent")
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN " if is_postgresql() else "EXPLAIN QUERY PLAN "
        cursor.execute(explain + sql, params)
        plan = "\n".join(str(row) for row in cursor.fetchall())
    assert "events_by_request_id" in plan, plan


def test_x4_m4_what_a_gateway_counted_is_what_new_prices_price(
    report, gateway, telemetry, now
):
    """The model gets its price afterwards: a count of 400,000 tokens holds."""
    unknown = {"model": "mystery-1"}
    report(replace(telemetry(), **unknown))
    [word] = report(replace(gateway("4.00"), **unknown))
    assert word.cost_nanos == spent() > usd("0.40")
    correct_price(
        ("anthropic", "mystery-1", SINCE_ALWAYS, 0),
        rates={**fallback_rates(), "output_nanos": usd("1")},
        actor=Actor(label="operator"),
        now=dt.datetime.now(dt.UTC),
    )
    for _again in range(2):
        reprice_events(now=now)
        assert spent() == usd("0.40")


def test_x4_a_receipt_says_what_the_gateway_counted(
    report, gateway, telemetry, client, bob, acme, now, time_machine
):
    time_machine.move_to(now, tick=False)
    report(telemetry("4.00", id="used-up", request_id=""))
    report(telemetry())
    report(replace(gateway(), usage=Usage(1_234_567, 765_432)))
    row = UsageEvent.objects.get(request_id=REQUEST)
    client.force_login(bob.user)
    page = client.get(reverse("own_receipt", args=["acme", row.pk])).content.decode()
    assert "1,234,567 in, 765,432 out" in page
    assert "Recorded by what telemetry counted" in page
    key = make_api_key(acme, scopes="read", now=now)
    headers = {"Authorization": f"Bearer {key}"}
    told = client.get(f"/api/v1/events/{REQUEST}", headers=headers).json()
    [adjustment] = told["adjustments"]
    assert adjustment["counted"]["input_tokens"] == 1_234_567
    assert (told["source"], told["request_id"]) == ("telemetry", REQUEST)
