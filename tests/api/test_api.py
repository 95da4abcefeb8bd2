"""Reading and managing by API: shapes, money as strings, access, and the same rules as
the pages (api.md).
"""

from __future__ import annotations

import json

import pytest

from accounts.models import AuditEntry
from billing.metering.actions.recording import record_usage
from billing.models import SpendCap, UsageEvent
from config.kit.money import usd
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def call(client, acme, now, time_machine):
    """Call the API with a key of Acme that may do everything, or another."""
    time_machine.move_to(now, tick=False)
    full = make_api_key(acme, now=now)

    def send(method, path, body=None, key=full, **headers):
        raw = "" if body is None else json.dumps(body)
        return client.generic(
            method,
            f"/api/v1{path}",
            raw,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}", **headers},
        )

    return send


@pytest.fixture
def used(acme, bob, now):
    """Bob: $1 included and $2.50 extra, labelled."""
    enable_extra_usage(acme)
    events = [
        event(bob, id="a", usd="1.00", at=now),
        event(bob, id="b/ü 1", usd="2.50", at=now, labels={"team": "x"}),
    ]
    record_usage(events, organization_id=acme.pk, now=now)


def test_organization(call, used):
    answer = call("GET", "/organization").json()
    assert answer == {
        "slug": "acme",
        "name": "Acme",
        "plan": "enterprise_seat",
        "settlement": "postpaid",
        "timezone": "America/New_York",
        "extra_usage": {
            "enabled": True,
            "scope": "everyone",
            "confirmation_required": False,
        },
        "cap_usd": "12000.00",
        "mtd_spend_usd": "2.500000000",
        "month": {"start": "2026-11-01T04:00:00Z", "end": "2026-12-01T05:00:00Z"},
        "balance_usd": None,
        "leases_allowed": False,
    }


def test_member_by_email_or_id(call, used, bob):
    by_email, by_id = (
        call("GET", "/members/BOB@acme.example").json(),
        call("GET", f"/members/{bob.pk}").json(),
    )
    assert by_email == by_id
    assert (
        by_id["role"],
        by_id["seat_tier"],
        by_id["cap_source"],
        by_id["mtd_spend_usd"],
    ) == ("member", "standard", "none", "2.500000000")
    assert by_id["windows"][0] == {
        "name": "session",
        "limit_usd": "1.000000000",
        "used_usd": "1.000000000",
        "resets_at": "2026-11-24T00:28:00Z",
    }
    assert by_id["blocked"] is None


def test_members_are_paged_with_constant_queries(
    call, acme, now, django_assert_max_num_queries
):
    from tests.factories.people import MembershipFactory

    MembershipFactory.create_batch(105, organization=acme)
    with django_assert_max_num_queries(4):
        first = call("GET", "/members").json()
    second = call("GET", f"/members?cursor={first['next_cursor']}").json()
    assert (len(first["results"]), len(second["results"]), second["next_cursor"]) == (
        100,
        8,
        None,
    )


@pytest.mark.parametrize(
    ("group_by", "keys"),
    [
        ("", {}),
        ("member", {"member": "bob@acme.example"}),
        ("day,surface", {"day": "2026-11-23", "surface": "claude_code"}),
        ("model,seat_tier", {"model": "claude-sonnet-5", "seat_tier": "standard"}),
    ],
)
def test_usage_by_group(call, used, group_by, keys):
    [row] = call(
        "GET", f"/usage?start=2026-11-01&end=2026-12-01&group_by={group_by}"
    ).json()["results"]
    assert row == {
        **keys,
        "events": 2,
        "input_tokens": 0,
        "output_tokens": 350_000,
        "cache_write_tokens": 0,
        "cache_read_tokens": 0,
        "included_usd": "1.000000000",
        "extra_usage_usd": "2.500000000",
        "unbilled_usd": "0.000000000",
    }


def test_usage_by_label_and_as_csv(call, used):
    rows = call(
        "GET", "/usage?start=2026-11-01&end=2026-12-01&group_by=label:team"
    ).json()["results"]
    assert [(row["label:team"], row["extra_usage_usd"]) for row in rows] == [
        ("", "0.000000000"),
        ("x", "2.500000000"),
    ]
    text = call(
        "GET", "/usage?start=2026-11-01&end=2026-12-01&group_by=day", Accept="text/csv"
    )
    assert text["Content-Type"].startswith("text/csv")
    assert (
        text.getvalue().decode().splitlines()[1]
        == "2026-11-23,2,0,350000,0,0,1.000000000,2.500000000,0.000000000"
    )


def test_usage_ends_before_its_end(call, used):
    assert call("GET", "/usage?start=2026-11-01&end=2026-11-23").json()["results"] == []
    assert call("GET", "/usage?start=2026-11-24&end=2026-11-23").status_code == 422
    assert (
        call("GET", "/usage?start=2026-11-01&end=2026-12-01&group_by=shoe").status_code
        == 422
    )


def test_event_receipt_with_any_id(call, used):
    answer = call("GET", "/events/b/%C3%BC%201").json()
    assert (answer["cost_usd"], answer["funding"], answer["funding_why"]) == (
        "2.500000000",
        "extra_usage",
        "checked",
    )
    assert answer["lines"] == [
        {
            "kind": "output_tokens",
            "count": 250_000,
            "rate_usd": "10.00",
            "per": 1_000_000,
        }
    ]
    assert call("GET", "/events/nope").status_code == 404


def test_caps_at_three_levels(call, bob, acme):
    assert call("PUT", "/caps/organization", {"amount_usd": "50.00"}).json() == {
        "amount_usd": "50.00",
        "this_month_only": False,
    }
    assert (
        call(
            "PUT",
            "/caps/seat-tiers/standard",
            {"amount_usd": "4", "this_month_only": True},
        ).status_code
        == 200
    )
    assert (
        call("PUT", f"/caps/members/{bob.user.email}", {"amount_usd": "9.5"}).json()[
            "amount_usd"
        ]
        == "9.50"
    )
    assert SpendCap.objects.count() == 3
    assert call("GET", f"/members/{bob.pk}").json()["cap_usd"] == "9.50"
    assert (
        call("PUT", f"/caps/members/{bob.pk}", {"amount_usd": None}).json()[
            "amount_usd"
        ]
        is None
    )
    member = call("GET", f"/members/{bob.pk}").json()
    assert (member["cap_usd"], member["cap_source"], member["cap_this_month_only"]) == (
        "4.00",
        "seat_tier",
        True,
    )
    assert set(AuditEntry.objects.values_list("actor_label", flat=True)) == {
        "API key test"
    }


@pytest.mark.parametrize(
    "amount",
    [
        50,
        50.0,
        "-1",
        "1.001",
        "1000001",
        "",
        "NaN",
        "1e3",
        " 5",
        True,
        [],
        "٣",
        "1,000",
    ],
)
def test_bad_amounts_are_422_and_change_nothing(call, amount):
    response = call("PUT", "/caps/organization", {"amount_usd": amount})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][-1] == "amount_usd"
    assert not SpendCap.objects.exists()


def test_the_switch(call, ada, bob):
    answer = call(
        "PUT",
        "/extra-usage",
        {"enabled": True, "scope": "selected", "members": [ada.user.email, bob.pk]},
    ).json()
    assert answer == {
        "enabled": True,
        "scope": "selected",
        "confirmation_required": False,
        "members": [ada.pk, bob.pk],
    }
    assert (
        call(
            "PUT",
            "/extra-usage",
            {"enabled": True, "scope": "selected", "members": ["x@y.z"]},
        ).status_code
        == 422
    )


def test_d1_charlies_key_gets_404_for_everything_of_acme_whatever_the_method(
    call, charlie, bob, used, now
):
    stranger = make_api_key(charlie.organization, now=now)
    paths = [
        f"/members/{bob.pk}",
        f"/members/{bob.user.email}",
        "/events/a",
        f"/caps/members/{bob.pk}",
        f"/caps/members/{bob.user.email}",
    ]
    own_methods = {"/caps": "PUT"}
    for path in paths:
        method = own_methods.get(path[:5], "GET")
        body = {"amount_usd": "1.00"} if method == "PUT" else None
        assert call(method, path, body, key=stranger).status_code == 404, path
    for member in (bob.pk, bob.user.email):
        body = {"member": member, "surface": "claude"}
        assert call("POST", "/authorize", body, key=stranger).status_code == 404
    sent = {
        "events": [
            {
                "id": "z",
                "member": bob.pk,
                "surface": "claude",
                "model": "m",
                "occurred_at": "2026-11-23T19:20:00Z",
                "usage": {},
            }
        ]
    }
    assert (
        call("POST", "/usage", sent, key=stranger).json()["results"][0]["status"]
        == "invalid"
    )
    assert UsageEvent.objects.count() == 2
    assert not SpendCap.objects.filter(level="member").exists()


def test_scopes(call, acme, now):
    meter = make_api_key(acme, scopes="meter", now=now)
    for method, path in [
        ("PUT", "/caps/organization"),
        ("PUT", "/extra-usage"),
        ("GET", "/organization"),
        ("GET", "/members"),
        ("GET", "/usage?start=2026-11-01&end=2026-12-01"),
        ("GET", "/events/a"),
    ]:
        response = call(
            method, path, {"amount_usd": "1.00"} if method == "PUT" else None, key=meter
        )
        assert (response.status_code, response["Content-Type"]) == (
            403,
            "application/problem+json",
        ), path


def test_errors_are_problems_everywhere(call, client):
    for method, path in [
        ("GET", "/nothing/here"),
        ("DELETE", "/organization"),
        ("POST", "/members"),
        ("GET", "/authorize"),
    ]:
        response = call(method, path)
        assert response.status_code in (404, 405)
        assert response["Content-Type"] == "application/problem+json", (
            method,
            path,
            response.content[:200],
        )
    assert client.get("/api/v1/organization").status_code == 401


def test_m1_money_is_never_a_json_number(call, used):
    def numbers(value, path=""):
        if isinstance(value, dict):
            for name, one in value.items():
                yield from numbers(one, name)
        elif isinstance(value, list):
            for one in value:
                yield from numbers(one, path)
        elif isinstance(value, float) or (
            path.endswith("_usd") and not isinstance(value, str | None)
        ):
            yield path

    for path in (
        "/organization",
        "/members",
        "/events/a",
        "/usage?start=2026-11-01&end=2026-12-01",
    ):
        assert not list(numbers(call("GET", path).json()))


def test_large_amounts_stay_exact(call, acme, bob, now):
    enable_extra_usage(acme, cap=None)
    record_usage(
        [event(bob, id=f"e{n}", usd="90000.00001", at=now) for n in range(21)],
        organization_id=acme.pk,
        now=now,
    )
    assert call("GET", "/organization").json()["mtd_spend_usd"] == "1800000.000200000"
    assert usd("1800000.0002") == 1_800_000_000_200_000
