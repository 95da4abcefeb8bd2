"""OTLP: Claude Code's requests are recorded exactly once, in each encoding."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from billing.metering.doors import otlp
from billing.metering.doors.taking import take
from billing.models import UsageEvent
from config import outages
from config.kit.outages import DATABASE, LOCK
from config.outages import ForExporters
from tests.billing.metering.telemetry import (
    JSON,
    PROTOBUF,
    RESOURCE,
    Exporter,
    api_request,
    log,
    logs,
    request_log,
)
from tests.factories.people import make_api_key, make_token

ENCODINGS = [(JSON, False), (JSON, True), (PROTOBUF, False), (PROTOBUF, True)]


@pytest.fixture
def at(now):
    """When the request ended, with microseconds."""
    return now - dt.timedelta(seconds=60) + dt.timedelta(microseconds=123_456)


@pytest.fixture
def key(acme, now, time_machine):
    """A key of Acme that may meter."""
    time_machine.move_to(now, tick=False)
    return make_api_key(acme, scopes="meter", now=now)


@pytest.fixture(params=ENCODINGS, ids=lambda one: f"{one[0][12:]}-{one[1]}")
def exporter(client, key, request):
    """In each encoding, packed and not."""
    encoding, packed = request.param
    return Exporter(client, key, encoding=encoding, packed=packed)


@pytest.fixture
def json_exporter(client, key):
    """The usual one."""
    return Exporter(client, key)


def test_x4_a_request_is_recorded_as_its_client_prices_it(exporter, bob, at):
    assert exporter.send(logs(request_log(at=at))) == (0, "")
    event = UsageEvent.objects.get()
    assert event.event_id == event.request_id == "req_011CV1"
    assert (event.source, event.surface) == ("telemetry", "claude_code")
    assert (event.membership_id, event.model) == (bob.pk, "claude-opus-5-5")
    assert event.occurred_at == at
    assert (event.input_tokens, event.output_tokens) == (100, 40)
    assert event.cache_read_tokens == 1000
    assert (event.cache_write_5m_tokens, event.cache_write_1h_tokens) == (20, 30)


def test_e6_the_same_batch_again_changes_nothing(exporter, bob, at):
    batch = logs(
        *(
            request_log(at=at, request_id=f"r{n}", **{"event.sequence": n})
            for n in range(5)
        )
    )
    for _ in range(3):
        assert exporter.send(batch) == (0, "")
    assert UsageEvent.objects.count() == 5


def test_e6_without_the_providers_id_its_place_in_the_session_is_one(
    json_exporter, bob, at
):
    batch = logs(request_log(at=at, request_id=None))
    json_exporter.send(batch)
    json_exporter.send(batch)
    assert UsageEvent.objects.get().event_id == f"{api_request()['session.id']}:4"


def test_e6_a_record_without_any_id_is_recorded_once_too(json_exporter, bob, at):
    bare = {"request_id": None, "session.id": None}
    for output_tokens in (1, 1, 2):
        batch = logs(request_log(at=at, output_tokens=output_tokens, **bare))
        assert json_exporter.send(batch) == (0, "")
    assert UsageEvent.objects.count() == 2


def test_e6_an_id_with_other_content_is_told(json_exporter, bob, at):
    json_exporter.send(logs(request_log(at=at)))
    rejected, why = json_exporter.send(logs(request_log(at=at, output_tokens=41)))
    assert rejected == 1
    assert "with other content" in why
    assert UsageEvent.objects.get().output_tokens == 40


def test_counts_and_times_may_be_written_as_text(json_exporter, bob, at):
    record = request_log(
        at=at, input_tokens="100", output_tokens="40", cache_read_tokens=1000.0
    )
    assert json_exporter.send(logs(record)) == (0, "")
    assert UsageEvent.objects.get().input_tokens == 100


def test_m3a_the_speed_that_costs_more_is_kept(json_exporter, bob, at):
    slow = request_log(at=at, request_id="slow")
    fast = request_log(at=at, request_id="fast", speed="fast")
    assert json_exporter.send(logs(slow, fast)) == (0, "")
    events = UsageEvent.objects
    costs = dict(events.values_list("event_id", "cost_nanos"))
    guessed = dict(events.values_list("event_id", "estimated"))
    assert costs["fast"] > costs["slow"] or guessed["fast"] > guessed["slow"]


def test_records_that_tell_of_no_usage_are_taken_and_dropped(exporter, bob, at):
    others = [
        log({"event.name": name, "prompt": "x" * 9}, at=at, body=f"claude_code.{name}")
        for name in ("user_prompt", "tool_result", "api_error")
    ]
    assert exporter.send(logs(*others, request_log(at=at))) == (0, "")
    assert UsageEvent.objects.count() == 1


@pytest.mark.parametrize(
    "told, member",
    [
        ({"user.email": "ada@acme.example"}, "ada@acme.example"),
        ({"user.email": "ADA@ACME.example"}, "ada@acme.example"),
        ({}, "bob@acme.example"),
        ({"enduser.id": "ada@acme.example"}, "bob@acme.example"),
    ],
)
def test_who_it_was_the_surest_first(json_exporter, ada, at, told, member):
    assert json_exporter.send(logs(request_log(at=at, **told))) == (0, "")
    assert UsageEvent.objects.get().membership.user.email == member


def test_x3_a_personal_token_reports_for_whose_it_is_alone(client, bob, at, now, key):
    exporter = Exporter(client, make_token(bob, now=now))
    for number, told in enumerate(({}, {"user.email": "alice@acme.example"})):
        record = request_log(at=at, request_id=f"r{number}", **told)
        assert exporter.send(logs(record, resource={})) == (0, "")
    assert {event.membership_id for event in UsageEvent.objects.all()} == {bob.pk}


def test_labels_come_from_attributes_that_say_so(json_exporter, bob, at):
    resource = {**RESOURCE, "extra_usage.label.project": "billing", "team": "x"}
    json_exporter.send(logs(request_log(at=at), resource=resource))
    assert UsageEvent.objects.get().labels == {"project": "billing"}


def test_e5_what_can_t_be_recorded_is_told_and_stops_no_other(exporter, bob, at, now):
    records = [
        request_log(at=at, request_id="good"),
        request_log(at=at, request_id="minus", input_tokens=-1),
        request_log(at=at, request_id="no model", model=None),
        request_log(at=now + dt.timedelta(hours=1), request_id="ahead"),
        request_log(at=at, request_id="none", **dict.fromkeys(COUNTS)),
    ]
    rejected, why = exporter.send(logs(*records))
    assert rejected == 4
    assert "model" in why and "input_tokens" in why
    assert UsageEvent.objects.get().event_id == "good"


COUNTS = [
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
    "cache_creation_5m_tokens",
    "cache_creation_1h_tokens",
]


def test_text_that_no_database_stores_is_told_at_its_event(json_exporter, bob, at):
    records = [request_log(at=at, model="claude\x00"), request_log(at=at)]
    rejected, why = json_exporter.send(logs(*records))
    assert (rejected, UsageEvent.objects.count()) == (1, 1)
    assert why.startswith("model: A string contains a NUL")


def test_a_record_without_a_time_is_not_lost(json_exporter, bob, at, now):
    record = request_log(at=at)
    record["timeUnixNano"] = record["observedTimeUnixNano"] = "0"
    json_exporter.send(logs(record))
    assert UsageEvent.objects.get().occurred_at == dt.datetime(
        2026, 11, 23, 19, 27, 0, 123_000, tzinfo=dt.UTC
    )


def test_more_than_a_thousand_are_recorded_in_batches(json_exporter, bob, at):
    records = [
        request_log(
            at=at, request_id=f"r{number}", output_tokens=1, model="claude-haiku-4-5"
        )
        for number in range(1_203)
    ]
    batch = logs(*records)
    assert json_exporter.send(batch) == (0, "")
    assert json_exporter.send(batch) == (0, "")
    assert UsageEvent.objects.count() == 1_203


def test_x4_a_gateways_word_of_the_same_request_is_not_charged_beside_it(
    json_exporter, client, key, bob, at
):
    json_exporter.send(logs(request_log(at=at)))
    gateways = {
        "id": "call-1",
        "request_id": "req_011CV1",
        "member": "bob@acme.example",
        "surface": "claude_code",
        "model": "claude-opus-5-5",
        "occurred_at": at.isoformat(),
        "usage": {"output_tokens": 40},
    }
    headers = {"Authorization": f"Bearer {key}"}
    answer = client.post(
        "/api/v1/usage", {"events": [gateways]}, JSON, headers=headers
    ).json()
    assert answer["duplicates"] == 1, answer
    assert UsageEvent.objects.count() == 1


def padded(at: dt.datetime, size: int) -> bytes:
    """An export of one request, so many bytes long."""
    body = json.dumps(logs(request_log(at=at))).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


def test_one_large_export_at_a_time_leaves_a_thread_to_all_others(client, key, bob, at):
    """Two of one organization would hold both threads of a process."""

    def send(body: bytes):
        headers = {"Authorization": f"Bearer {key}"}
        return client.post("/otlp/v1/logs", body, content_type=JSON, headers=headers)

    assert otlp._large.acquire(blocking=False)
    try:
        busy = send(padded(at, otlp.LARGE + 1))
        assert (busy.status_code, busy["Retry-After"]) == (503, "3")
        assert not UsageEvent.objects.exists()
        assert send(padded(at, otlp.LARGE)).status_code == 200
        assert UsageEvent.objects.count() == 1
    finally:
        otlp._large.release()
    assert send(padded(at, otlp.LARGE + 1)).status_code == 200
    assert send(b"x" * (otlp.LARGE + 1)).status_code == 400
    assert not otlp._large.locked()


def test_a_large_export_has_its_turn_until_it_is_recorded(
    client, key, bob, at, monkeypatch
):
    seen = []

    def taking(request, events):
        seen.append(otlp._large.locked())
        return take(request, events)

    monkeypatch.setattr(otlp, "take", taking)
    headers = {"Authorization": f"Bearer {key}"}
    for size in (otlp.LARGE, otlp.LARGE + 1):
        body = padded(at, size)
        client.post("/otlp/v1/logs", body, content_type=JSON, headers=headers)
    assert seen == [False, True]


def test_exporters_come_again_so_late_that_five_times_outlast_a_minute():
    """Claude Code sends a batch five times and drops it."""
    waits, now, times = ForExporters(), 1_000.0, []
    while len(times) < 5:
        times.append(waits.seconds(2, now=now))
        now += times[-1]
    assert times[:1] == [2]
    assert 60 < sum(times) < 150  # the time-out on docs/gateways/claude-code.md
    assert waits.seconds(2, now=now + 61) == 2  # another outage


def test_an_exporter_is_told_to_come_later_while_the_database_is_away(rf, monkeypatch):
    clock = [1_000.0]
    monkeypatch.setattr(outages, "_exporters", ForExporters())
    monkeypatch.setattr(outages.time, "monotonic", lambda: clock[0])

    def waits(path: str, cause: str = DATABASE) -> str:
        request = rf.post(path)
        return outages.unavailable(request, seconds=2, cause=cause)["Retry-After"]

    assert waits("/otlp/v1/logs") == "2"
    clock[0] += 6
    assert waits("/otlp/v1/logs") == "20"
    assert waits("/otlp/v1/logs", LOCK) == "2"
    assert waits("/api/v1/usage") == "2"
