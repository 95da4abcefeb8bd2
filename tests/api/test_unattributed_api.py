"""Somebody unknown by API (X2): the check's policy, reports that are never invalid, what is
open, and assigning it.
"""

from __future__ import annotations

import json

import pytest

from accounts.actions.audit import Actor
from accounts.actions.unknown import set_own_domains, set_unknown_people
from accounts.models import AuditEntry, Membership, User
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import MemberMonth, UnattributedName, UsageAdjustment
from config.kit.money import usd
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture
def call(client, acme, now, time_machine):
    """Call the API with a key of Acme that may do everything."""
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, now=now)

    def send(path, body=None, *, key=key):
        answer = client.generic(
            "GET" if body is None else "POST",
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        return answer.status_code, answer.json()

    return send


def sent(member, id="e1"):
    """An event of a gateway: 100,000 tokens, $1 at claude-sonnet-5."""
    return {
        "id": id,
        "member": member,
        "surface": "claude_code",
        "model": "claude-sonnet-5",
        "occurred_at": "2026-11-23T19:28:00Z",
        "usage": {"output_tokens": 100_000},
    }


def adds(acme, choice, now):
    """Acme wants unknown people of its domain added."""
    actor = Actor.person(acme.primary_owner)
    set_own_domains(acme, text="acme.example", actor=actor, now=now)
    set_unknown_people(acme, choice=choice, actor=actor, now=now)


def ask(call, member):
    """The check's answer."""
    return call("/authorize", {"member": member, "surface": "claude_code"})


def test_x2_a_report_of_somebody_unknown_is_recorded(call, acme):
    enable_extra_usage(acme)
    _status, answer = call("/usage", {"events": [sent("okta:1")]})
    assert (answer["recorded"], answer["invalid"]) == (1, 0)
    [result] = answer["results"]
    assert (result["funding"], result["cost_usd"]) == ("extra_usage", "1.000000000")
    assert "okta:1" in result["notes"][0]
    _status, receipt = call("/events/e1")
    whose = (receipt["sent_as"], receipt["member"], receipt["email"])
    assert whose == ("okta:1", None, None)
    _status, report = call("/usage?start=2026-11-01&end=2026-12-01&group_by=member")
    assert [row["member"] for row in report["results"]] == ["unattributed"]


def test_x2_what_is_open_is_listed_by_name_and_paged(call, acme, now, monkeypatch):
    from billing.metering.api import unattributed

    monkeypatch.setattr(unattributed, "PAGE", 2)
    events = [event(f"okta:{number}", at=now, usd="0.10") for number in range(3)]
    record_usage([*events, event("okta:0", at=now)], organization_id=acme.pk, now=now)
    status, first = call("/unattributed")
    assert (status, len(first["results"])) == (200, 2)
    assert first["results"][0] == {
        "id": UnattributedName.objects.get(sent_as="okta:0").pk,
        "sent_as": "okta:0",
        "events": 2,
        "cost_usd": "0.200000000",
        "extra_usage_usd": "0.000000000",
        "unbilled_usd": "0.200000000",
        "first_seen": "2026-11-23T19:28:00Z",
        "last_seen": "2026-11-23T19:28:00Z",
    }
    _status, second = call(f"/unattributed?cursor={first['next_cursor']}")
    assert [row["sent_as"] for row in second["results"]] == ["okta:2"]
    assert second["next_cursor"] is None


def test_x2_assigning_by_api_previews_and_books_once(call, acme, bob, now):
    enable_extra_usage(acme)
    call("/usage", {"events": [sent("okta:1", id=f"e{n}") for n in range(2)]})
    _status, answer = call("/unattributed")
    path = f"/unattributed/{answer['results'][0]['id']}/assign"
    body = {"member": "bob@acme.example"}
    _status, would = call(path, {**body, "dry_run": True})
    assert not UsageAdjustment.objects.exists()
    _status, done = call(path, body)
    assert done == {**would, "dry_run": False}
    assert (done["events"], done["cost_usd"], done["remaining"]) == (
        2,
        "2.000000000",
        0,
    )
    _status, again = call(path, body)
    assert (again["events"], again["cost_usd"]) == (0, "0.000000000")
    status, problem = call(path, {"member": "ada@acme.example"})
    assert (status, problem["title"] is not None) == (409, True)
    assert MemberMonth.objects.get(membership=bob).extra_nanos == usd(2)
    _status, receipt = call("/events/e0")
    amounts = [(one["member"], one["amount_usd"]) for one in receipt["adjustments"]]
    assert (bob.pk, "1.000000000") in amounts and len(amounts) == 2
    entry = AuditEntry.objects.get(action="usage.assign")
    assert entry.actor_label.startswith("API key ")
    assert call("/unattributed")[1]["results"] == []
    assert list(differences()) == []


def test_d1_names_of_others_and_unknown_members_are_404(call, acme, charlie, now):
    record_usage([event("x", at=now)], organization_id=charlie.organization_id, now=now)
    theirs = UnattributedName.objects.get().pk
    body = {"member": "bob@acme.example"}
    assert call(f"/unattributed/{theirs}/assign", body)[0] == 404
    record_usage([event("x", at=now)], organization_id=acme.pk, now=now)
    mine = UnattributedName.objects.get(organization=acme).pk
    for member in ("x", "charlie@umbrella.example", "unattributed"):
        assert call(f"/unattributed/{mine}/assign", {"member": member})[0] == 404


def test_scopes(call, acme, now):
    meter = make_api_key(acme, scopes="meter", now=now)
    read = make_api_key(acme, scopes="read", now=now)
    assert call("/unattributed", key=meter)[0] == 403
    assert call("/unattributed", key=read)[0] == 200
    assert call("/unattributed/1/assign", {"member": "x"}, key=read)[0] == 403


# -- The policy --------------------------------------------------------------------------


def test_x2_a_check_refuses_somebody_unknown_unless_owners_chose_otherwise(
    call, acme, now
):
    status, _problem = ask(call, "emil@acme.example")
    assert (status, User.objects.filter(email="emil@acme.example").count()) == (404, 0)
    adds(acme, "create_on_standard", now)
    status, answer = ask(call, "Emil@acme.example")
    assert (status, answer["allowed"], answer["funding"]) == (200, True, "included")
    emil = Membership.objects.get(user__email="emil@acme.example")
    assert AuditEntry.objects.get(action="member.add").membership == emil
    assert ask(call, "emil@umbrella.example")[0] == 404


def test_x2_somebody_added_without_a_seat_reads_why_they_are_stopped(call, acme, now):
    adds(acme, "create_without_seat", now)
    status, answer = ask(call, "emil@acme.example")
    assert (status, answer["reason"]) == (200, "seat_unassigned")


def test_x2_a_report_adds_them_too_else_it_is_unattributed(call, acme, now):
    adds(acme, "create_on_standard", now)
    events = [
        sent("emil@acme.example", id="a"),
        sent("ci@umbrella.example", id="b"),
        sent("bob@acme.example", id="c"),
    ]
    _status, answer = call("/usage", {"events": events})
    assert [one["funding"] for one in answer["results"]] == [
        "included",
        "unbilled",
        "included",
    ]
    assert [name.sent_as for name in UnattributedName.objects.all()] == [
        "ci@umbrella.example"
    ]
    emil = Membership.objects.get(user__email="emil@acme.example")
    assert emil.seat_tier == "standard"
    assert list(differences()) == []


def test_the_line_is_no_member_to_the_api(call, acme, now):
    record_usage([event("x", at=now)], organization_id=acme.pk, now=now)
    line = Membership.with_nobody.get(status="nobody")
    _status, listed = call("/members")
    assert line.pk not in [member["id"] for member in listed["results"]]
    for ref in (line.pk, "unattributed"):
        assert call(f"/members/{ref}")[0] == 404
        assert ask(call, ref)[0] == 404
