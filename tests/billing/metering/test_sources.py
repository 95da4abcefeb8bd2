"""Surfaces are free names, and reports say where they came from (X4, E5a)."""

from __future__ import annotations

import json

import pytest
import time_machine as machine
from django.urls import reverse

from billing.metering.api.events import read_events
from billing.models import UsageDay, UsageEvent
from tests.conftest import NOW
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage

RAW = {
    "id": "req-1",
    "member": "bob@acme.example",
    "surface": "claude",
    "model": "claude-sonnet-5",
    "occurred_at": "2026-11-23T19:20:00Z",
    "usage": {"output_tokens": 1_000_000},
}


@pytest.fixture(autouse=True)
def _frozen():
    with machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def call(client, acme, now):
    """Call the API with a key of Acme; the answer as read."""
    key = make_api_key(acme, scopes="meter read", now=now)
    headers = {"Authorization": f"Bearer {key}"}

    def send(path, body=None):
        if body is None:
            return client.get(f"/api/v1{path}", headers=headers)
        return client.post(
            f"/api/v1{path}",
            json.dumps(body),
            content_type="application/json",
            headers=headers,
        )

    return send


def read(**changes):
    [event] = read_events([{**RAW, **changes}]).events
    return event


@pytest.mark.parametrize(
    "name", ["a", "cursor", "ci", "0", "_-", "a" * 40, "claude_code"]
)
def test_x4_a_surface_is_a_short_free_name(call, bob, name):
    answer = call("/authorize", {"member": "bob@acme.example", "surface": name})
    assert answer.status_code == 200
    event = read(surface=name)
    assert (event.surface, event.notes) == (name, ())


@pytest.mark.parametrize(
    "name", ["", "a" * 41, "Cursor", "my ide", "é", "a\n", 7, None]
)
def test_x4_a_check_says_which_surface_is_none(call, bob, name):
    answer = call("/authorize", {"member": "bob@acme.example", "surface": name})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["loc"][-1] == "surface"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Cursor", "cursor"),
        (" my IDE / beta ", "my-ide-beta"),
        ("x" * 99, "x" * 40),
        ("VS Code\n", "vs-code"),
    ],
)
def test_x4_e5a_a_report_with_another_spelling_is_mended_and_told(sent, kept):
    event = read(surface=sent)
    assert event.surface == kept
    assert event.notes == (
        f"A surface is written in a-z, 0-9, _ and -; it was taken as “{kept}”.",
    )


@pytest.mark.parametrize("sent", ["", "  ", "日本", 7, None, ["claude"]])
def test_x4_a_report_whose_surface_is_none_is_invalid_at_it(sent):
    [unreadable] = read_events([{**RAW, "surface": sent}]).unreadable.values()
    assert [loc for loc, _message in unreadable.errors] == [("surface",)]


@pytest.mark.parametrize("source", ["gateway", "telemetry", "import"])
def test_x4_a_report_says_where_it_came_from(source):
    event = read(source=source, request_id=" req_9 ")
    assert (event.source, event.request_id, event.notes) == (source, "req_9", ())


def test_x4_a_report_that_says_nothing_is_a_gateways():
    event = read(source=None, request_id=None)
    assert (event.source, event.request_id, event.notes) == ("gateway", "", ())


@pytest.mark.parametrize("source", ["Gateway", "x" * 1_000, 7, ["gateway"], {"a": 1}])
def test_x4_e5a_a_source_that_is_none_is_taken_as_a_gateway_and_told(source):
    event = read(source=source)
    assert event.source == "gateway"
    [note] = event.notes
    assert note.startswith("The source is none of gateway, telemetry, import")


@pytest.mark.parametrize("id", ["x" * 201, 7, ["r"], " \0 "])
def test_x4_e5a_a_request_id_that_is_none_is_dropped_and_told(id):
    event = read(request_id=id)
    assert event.request_id == ""
    [note] = event.notes
    assert note.startswith("The request_id ") and note.endswith("it was dropped.")


def test_x4_what_was_told_is_kept_and_answered(call, bob):
    told = {"surface": "cursor", "source": "telemetry", "request_id": "req_9"}
    answer = call("/usage", {"events": [RAW, {**RAW, "id": "req-2", **told}]}).json()
    assert answer["recorded"] == 2
    receipts = [call(f"/events/{id}").json() for id in ("req-1", "req-2")]
    assert [{name: receipt[name] for name in told} for receipt in receipts] == [
        {"surface": "claude", "source": "gateway", "request_id": None},
        told,
    ]


def test_x4_reports_group_by_free_surfaces(call, acme, bob):
    enable_extra_usage(acme)
    surfaces = ["cursor", "ci", "claude", "ci"]
    events = [
        {**RAW, "id": f"e-{number}", "surface": surface}
        for number, surface in enumerate(surfaces)
    ]
    call("/usage", {"events": events})
    query = "?start=2026-11-01&end=2026-12-01&group_by=surface"
    rows = call(f"/usage{query}").json()["results"]
    assert [(row["surface"], row["events"]) for row in rows] == [
        ("ci", 2),
        ("claude", 1),
        ("cursor", 1),
    ]
    assert set(UsageDay.objects.values_list("surface", flat=True)) == set(surfaces)


def test_x4_the_receipt_names_surface_source_and_request(client, call, bob):
    told = {"surface": "my_ide", "source": "telemetry", "request_id": "req_9"}
    call("/usage", {"events": [{**RAW, **told}]})
    client.force_login(bob.user)
    page = client.get(
        reverse("own_receipt", args=["acme", UsageEvent.objects.get().pk])
    )
    text = page.content.decode()
    for word in ("my_ide, Sonnet 5", "Telemetry", "req_9"):
        assert word in text
