"""The gateway's two calls: /authorize and /usage (E1-E6, api.md)."""

from __future__ import annotations

import json

import pytest

from accounts.models import ApiKey
from billing.models import UsageEvent
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage

TOKENS = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "cache_read_input_tokens": None,
    "service_tier": "standard",
}


@pytest.fixture
def call(client, acme, now, time_machine):
    """Post JSON with a key of Acme."""
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, scopes="meter", now=now)

    def post(path, body, key=key, **extra):
        raw = body if isinstance(body, bytes) else json.dumps(body)
        return client.post(
            f"/api/v1{path}",
            raw,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
            **extra,
        )

    return post


def sent(**changes):
    return {
        "id": "req-1",
        "member": "BOB@acme.example",
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": "2026-11-23T19:20:00Z",
        "usage": TOKENS,
        **changes,
    }


def test_authorize_then_report(call, bob):
    answer = call(
        "/authorize", {"member": "bob@acme.example", "surface": "claude"}
    ).json()
    assert (answer["allowed"], answer["funding"], answer["reason"]) == (
        True,
        "included",
        None,
    )
    report = call(
        "/usage",
        {
            "events": [
                sent(authorization=answer["authorization"], labels={"project": "x"})
            ]
        },
    ).json()
    assert {
        name: report[name]
        for name in ("recorded", "duplicates", "conflicts", "invalid")
    } == {"recorded": 1, "duplicates": 0, "conflicts": 0, "invalid": 0}
    [result] = report["results"]
    assert (result["id"], result["status"], result["funding"], result["cost_usd"]) == (
        "req-1",
        "recorded",
        "included",
        "0.003000000",
    )
    assert UsageEvent.objects.get().funding_why == "promised"


def test_a_member_may_be_named_by_membership_id(call, bob):
    assert call("/authorize", {"member": str(bob.pk), "surface": "claude"}).json()[
        "allowed"
    ]
    assert call("/authorize", {"member": bob.pk, "surface": "claude"}).json()["allowed"]


def test_a_refusal_is_200_with_reason_message_end_and_layers(call, bob):
    call("/usage", {"events": [sent(usage={"output_tokens": 200_000})]})
    response = call("/authorize", {"member": "bob@acme.example", "surface": "claude"})
    answer = response.json()
    assert response.status_code == 200
    assert (answer["allowed"], answer["funding"], answer["authorization"]) == (
        False,
        None,
        None,
    )
    assert answer["reason"] == "extra_usage_disabled"
    assert answer["resets_at"] == "2026-11-24T00:20:00Z"
    assert answer["message"] == (
        "Your included usage is used up, and extra usage is off for Acme. You can "
        "continue at 19:20 EST today, or sooner if an owner changes this or a Premium "
        "seat is approved for you."
    )
    assert [layer["state"] for layer in answer["layers"]].count("blocks") == 1


def test_authorize_is_one_query_and_reads_only(call, bob, django_assert_num_queries):
    call("/authorize", {"member": "bob@acme.example", "surface": "claude"})
    with django_assert_num_queries(1) as captured:
        call("/authorize", {"member": "bob@acme.example", "surface": "claude"})
    assert captured.captured_queries[0]["sql"].startswith("SELECT ")


def test_unknown_members_are_404(call, charlie):
    for member in ("nobody@acme.example", "charlie@umbrella.example", str(charlie.pk)):
        response = call("/authorize", {"member": member, "surface": "claude"})
        assert (response.status_code, response["Content-Type"]) == (
            404,
            "application/problem+json",
        )


@pytest.mark.parametrize("path", ["/authorize", "/usage"])
def test_keys(call, acme, now, path):
    body = (
        {"member": "bob@acme.example", "surface": "claude"}
        if path == "/authorize"
        else {"events": [sent()]}
    )
    assert call(path, body, key="wrong").status_code == 401
    assert call(path, body, key="wrong")["WWW-Authenticate"].startswith("Bearer")
    assert (
        call(path, body, key=make_api_key(acme, scopes="read", now=now)).status_code
        == 403
    )
    ApiKey.objects.filter(scopes="meter").update(revoked_at=now)
    assert call(path, body).status_code == 401
    assert not UsageEvent.objects.exists()


def test_each_event_is_judged_on_its_own(call, bob):
    events = [
        sent(),
        sent(id="bad-time", occurred_at="yesterday"),
        sent(id="bad-tokens", usage={"input_tokens": -1}),
        sent(id="bool", usage={"input_tokens": True}),
        sent(id="who", member="nobody@acme.example"),
        {"id": "empty"},
        "nonsense",
        sent(id="ok", usage={"output_tokens": 0}, authorization={"bad": 1}),
    ]
    answer = call("/usage", {"events": events}).json()
    assert [one["status"] for one in answer["results"]] == [
        "recorded",
        *["invalid"] * 3,
        "recorded",  # of nobody here: unattributed (X2)
        *["invalid"] * 2,
        "recorded",
    ]
    assert answer["results"][1]["errors"][0]["loc"] == ["occurred_at"]
    assert answer["results"][6]["id"] is None
    assert UsageEvent.objects.count() == 3


def test_more_than_a_thousand_events_or_a_mebibyte_is_413(call, bob):
    assert call("/usage", {"events": [sent()] * 1001}).status_code == 413
    assert (
        call("/usage", b'{"events": ["' + b"x" * 1_100_000 + b'"]}').status_code == 413
    )
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"events": []}',
        b'{"events": NaN}',
        b'{"events": [], "events": [1]}',
        b'{"events": "\xff"}',
        b"[" * 100_000,
        b'{"events": [1' + b"0" * 5000 + b"]}",
        b'{"events": ["\\u0000"]}',
        b'{"events": ["\\ud800"]}',
    ],
)
def test_malformed_bodies_are_422_problems(call, bob, body):
    response = call("/usage", body)
    assert response.status_code == 422, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["errors"]


def test_m3_cache_writes_without_a_lifetime_are_five_minute_ones(call, bob):
    usage = {
        "cache_creation_input_tokens": 1000,
        "cache_creation": {
            "ephemeral_5m_input_tokens": 100,
            "ephemeral_1h_input_tokens": 400,
        },
    }
    call("/usage", {"events": [sent(usage=usage)]})
    event = UsageEvent.objects.get()
    assert (event.cache_write_5m_tokens, event.cache_write_1h_tokens) == (600, 400)


def test_the_message_speaks_the_members_language_and_the_cap_reason_its_numbers(
    call, acme, bob
):
    enable_extra_usage(acme, cap="0")
    call("/usage", {"events": [sent(usage={"output_tokens": 200_000})]})
    answer = call(
        "/authorize", {"member": "bob@acme.example", "surface": "claude"}
    ).json()
    assert answer["reason"] == "organization_cap_reached"
    assert "$0.00 of $0.00" in answer["message"]
