"""The whole journey through the API alone, and its refusals (api.md: requests)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import mail

from requests_inbox.models import UsageRequest
from tests.conftest import NOW
from tests.factories.people import make_api_key

pytestmark = pytest.mark.django_db
DECEMBER = dt.datetime(2026, 12, 2, 15, 0, tzinfo=dt.UTC)


@pytest.fixture
def api(client, blocked_bob, now):
    """`api(method, path, body)` with a key that may everything; the answer's JSON."""
    key = make_api_key(blocked_bob.organization, now=now)

    def call(method: str, path: str, body: object = None, *, status: int = 200):
        options = (
            {} if body is None else {"data": body, "content_type": "application/json"}
        )
        response = getattr(client, method)(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"}, **options
        )
        assert response.status_code == status, response.content
        return response.json()

    return call


ASK = {"member": "bob@acme.example", "surface": "claude_code"}


def test_the_journey_through_the_api_alone(api, django_capture_on_commit_callbacks):
    refusal = api("post", "/authorize", ASK)
    assert (refusal["reason"], refusal["request_url"]) == (
        "seat_tier_cap_reached",
        "http://127.0.0.1:8000/o/acme/usage/",
    )
    sent = api(
        "post",
        "/requests",
        {"member": "bob@acme.example", "note": "Until Thursday.", "asked_usd": "60.00"},
    )
    assert api("post", "/requests", {"member": "BOB@acme.example"})["id"] == sent["id"]
    [listed] = api("get", "/requests?status=pending")["results"]
    assert listed == sent
    assert {
        key: sent[key]
        for key in (
            "email",
            "seat_tier",
            "reason",
            "mtd_spend_usd",
            "cap_usd",
            "note",
            "asked_usd",
            "status",
            "decided_by",
            "decided_at",
        )
    } == {
        "email": "bob@acme.example",
        "seat_tier": "standard",
        "reason": "seat_tier_cap_reached",
        "mtd_spend_usd": "40.120000000",
        "cap_usd": "40.00",
        "note": "Until Thursday.",
        "asked_usd": "60.00",
        "status": "pending",
        "decided_by": None,
        "decided_at": None,
    }
    with django_capture_on_commit_callbacks(execute=True):
        done = api(
            "post",
            f"/requests/{sent['id']}/approve",
            {"amount_usd": "60.00", "this_month_only": True},
        )
    assert (done["status"], done["decided_by"], done["cap_usd"]) == (
        "approved",
        "API key test",
        "60.00",
    )
    assert api("post", "/authorize", ASK)["allowed"]
    assert [one.to for one in mail.outbox] == [["bob@acme.example"]]
    with time_machine.travel(DECEMBER, tick=False):
        member = api("get", "/members/bob@acme.example")
        assert (member["cap_usd"], member["cap_source"]) == ("40.00", "seat_tier")


def test_approving_by_a_premium_seat_and_dismissing(api, blocked_bob):
    sent = api("post", "/requests", {"member": blocked_bob.pk})
    assert (
        api("post", f"/requests/{sent['id']}/approve", {"seat_tier": "premium"})[
            "granted_seat_tier"
        ]
        == "premium"
    )
    told = api("post", f"/requests/{sent['id']}/dismiss", {}, status=409)
    assert (told["code"], told["detail"]) == (
        "already_decided",
        "API key test moved Bob Feld to a Premium seat at 14:28 today.",
    )


def test_dismissed_with_a_note(api):
    sent = api("post", "/requests", {"member": "bob@acme.example"})
    done = api("post", f"/requests/{sent['id']}/dismiss", {"note": "Next week."})
    assert (done["status"], done["answer_note"]) == ("dismissed", "Next week.")
    assert (
        api("post", "/requests", {"member": "bob@acme.example"}, status=409)["code"]
        == "dismissed_lately"
    )


def test_taken_back(api):
    sent = api("post", "/requests", {"member": "bob@acme.example"})
    assert api("post", f"/requests/{sent['id']}/withdraw")["status"] == "withdrawn"
    assert (
        api("post", f"/requests/{sent['id']}/withdraw", status=404)["code"]
        == "request_not_found"
    )


def test_r5_the_status_is_the_one_of_this_moment(api, blocked_bob):
    sent = api("post", "/requests", {"member": "bob@acme.example"})
    api("put", "/caps/members/bob@acme.example", {"amount_usd": "100.00"})
    assert UsageRequest.objects.get().status == "pending"  # no job has run
    assert api("get", "/requests?status=pending")["results"] == []
    [one] = api("get", "/requests?status=resolved")["results"]
    assert (one["id"], one["status"]) == (sent["id"], "resolved")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"amount_usd": "40.12"}, "amount_usd"),
        ({"amount_usd": "60.001"}, "amount_usd"),
        ({"amount_usd": None}, "amount_usd"),
        ({"seat_tier": "standard"}, "seat_tier"),
        ({}, "amount_usd"),
        ({"amount_usd": "60", "seat_tier": "premium"}, "seat_tier"),
    ],
)
def test_bad_approvals_name_the_field_and_change_nothing(api, body, where):
    sent = api("post", "/requests", {"member": "bob@acme.example"})
    problem = api("post", f"/requests/{sent['id']}/approve", body, status=422)
    assert any(where in error["loc"] for error in problem["errors"]), problem
    assert UsageRequest.objects.get().status == "pending"


def test_d1_requests_of_others_are_not_there(api, client, charlie, now):
    sent = api("post", "/requests", {"member": "bob@acme.example"})
    key = make_api_key(charlie.organization, now=now)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/requests", headers=headers).json()["results"] == []
    for what in ("approve", "dismiss", "withdraw"):
        body = {"amount_usd": "60.00"} if what == "approve" else {}
        answer = client.post(
            f"/api/v1/requests/{sent['id']}/{what}",
            body,
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code == 404, what


@pytest.mark.parametrize("scopes", ["meter", "read"])
def test_other_scopes_decide_nothing(client, blocked_bob, now, scopes):
    headers = {
        "Authorization": f"Bearer {make_api_key(blocked_bob.organization, scopes=scopes, now=now)}"
    }
    for path in (
        "/requests",
        "/requests/1/approve",
        "/requests/1/dismiss",
        "/requests/1/withdraw",
    ):
        answer = client.post(
            f"/api/v1{path}",
            {"member": "bob@acme.example", "amount_usd": "60.00"},
            content_type="application/json",
            headers=headers,
        )
        assert answer.status_code == 403, path


def test_pages_follow_the_cursor(api, blocked_bob):
    request = api("post", "/requests", {"member": "bob@acme.example"})
    UsageRequest.objects.filter(pk=request["id"]).update(
        status="withdrawn", ended_at=NOW
    )
    first = UsageRequest.objects.get()
    for _number in range(100):
        first.pk = None
        first.save(force_insert=True)
    page = api("get", "/requests")
    assert len(page["results"]) == 100
    rest = api("get", f"/requests?cursor={page['next_cursor']}")
    assert ([one["id"] for one in rest["results"]], rest["next_cursor"]) == (
        [request["id"]],
        None,
    )


@pytest.mark.parametrize("request_id", [1, 2**31, 2**63 - 1])
def test_ids_nobody_has_are_404(api, request_id):
    for what, body in (
        ("approve", {"seat_tier": "premium"}),
        ("dismiss", {}),
        ("withdraw", {}),
    ):
        assert (
            api("post", f"/requests/{request_id}/{what}", body, status=404)["code"]
            == "request_not_found"
        )
