"""N5 by the API: a check says that extra usage begins, or waits for the member's yes, and
`POST /members/{member}/continue` says it.
"""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Organization, Plan
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    ExtraUsageConfirmation,
    IncludedWindow,
    SeatAllowance,
    SpendCap,
    UsageEvent,
)
from config.kit.money import usd
from tests.factories.people import (
    make_api_key,
    make_token,
)
from tests.factories.usage import enable_extra_usage, event

ASK = {"member": "bob@acme.example", "surface": "claude"}
CONTINUE = "/members/bob@acme.example/continue"
OWN_PAGE = "http://127.0.0.1:8000/o/acme/usage/"
WINDOW, MONTH = {"until": "window"}, {"until": "month"}
SESSION = dt.timedelta(hours=5)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _at(acme, now, time_machine):
    """Acme with extra usage on, and members asked first."""
    time_machine.move_to(now, tick=False)
    enable_extra_usage(acme)
    BillingAccount.objects.update(confirmation_required=True)


@pytest.fixture
def call(client, acme, now):
    """Call the API with a key of Acme, or another."""
    shared = make_api_key(acme, now=now)

    def send(method, path, body=None, *, key=shared):
        return client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


@pytest.fixture
def ask(call):
    """What a check of Bob answers."""
    return lambda: call("POST", "/authorize", ASK).json()


@pytest.fixture
def use(acme, bob):
    """Record what Bob used at a moment; a dollar is what his session includes."""

    def record(*amounts, at, ran_at=None):
        events = [event(bob, at=ran_at or at, usd=amount) for amount in amounts]
        return record_usage(events, organization_id=acme.pk, now=at).results

    return record


# -- The check --------------------------------------------------------------------------


def test_n5_the_check_refuses_until_the_member_says_yes(ask, call, use, now):
    use("1", at=now)
    refused = ask()
    assert (refused["allowed"], refused["reason"]) == (False, "confirmation_needed")
    assert refused["continue_url"] == f"{OWN_PAGE}#continue"
    assert refused["request_url"] is None
    assert refused["changeover"] is False
    assert refused["resets_at"] == "2026-11-24T00:28:00Z"
    blocks = [one for one in refused["layers"] if one["state"] == "blocks"]
    assert [(one["kind"], one["who_can_change"]) for one in blocks] == [
        ("confirmation", "member")
    ]
    answer = call("POST", CONTINUE, WINDOW)
    assert (answer.status_code, answer.json()["confirmed_until"]) == (
        200,
        "2026-11-24T00:28:00Z",
    )
    allowed = ask()
    assert (allowed["funding"], allowed["changeover"]) == ("extra_usage", True)
    assert set(allowed) == set(refused)
    assert allowed["continue_url"] is None


def test_n5_the_change_over_is_told_until_extra_usage_is_recorded(
    ask, use, now, time_machine
):
    BillingAccount.objects.update(confirmation_required=False)
    assert ask()["changeover"] is False
    use("1", at=now)
    assert (ask()["funding"], ask()["changeover"]) == ("extra_usage", True)
    assert ask()["changeover"] is True  # a check writes nothing
    use("0.10", at=now + MINUTE)
    assert (ask()["funding"], ask()["changeover"]) == ("extra_usage", False)
    # The next window tells it again.
    later = now + SESSION
    time_machine.move_to(later, tick=False)
    assert (ask()["funding"], ask()["changeover"]) == ("included", False)
    use("1", at=later)
    assert ask()["changeover"] is True


def test_n5_unbilled_usage_is_no_change_over(ask, use, acme, now):
    BillingAccount.objects.update(
        confirmation_required=False, extra_usage_enabled=False
    )
    use("1", "0.10", "0.10", at=now)
    assert UsageEvent.objects.filter(funding="unbilled").count() == 2
    BillingAccount.objects.update(extra_usage_enabled=True)
    assert ask()["changeover"] is True


def test_n5_the_check_stays_one_statement_and_writes_nothing(ask, call, use, now):
    use("1", at=now)
    ask()
    for _state in ("asked", "said", "off"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask()
        reads = [one for one in queries if "billing_billingaccount" in one["sql"]]
        assert len(reads) == len(queries) == 1
        call("POST", CONTINUE, WINDOW)
    BillingAccount.objects.update(confirmation_required=False)
    with CaptureQueriesContext(connection) as queries:
        ask()
    assert len(queries) == 1


def test_e7_the_setting_works_with_the_next_check_also_on_who_uses_extra_usage_now(
    ask, call, use, now
):
    BillingAccount.objects.update(confirmation_required=False)
    use("1", "0.50", at=now)
    assert ask()["funding"] == "extra_usage"
    setting = {"enabled": True, "scope": "everyone", "confirmation_required": True}
    assert call("PUT", "/extra-usage", setting).json()["confirmation_required"] is True
    assert ask()["reason"] == "confirmation_needed"
    setting["confirmation_required"] = False
    call("PUT", "/extra-usage", setting)
    assert ask()["funding"] == "extra_usage"


def test_n5_left_out_the_setting_stays_and_the_organization_tells_it(call):
    body = {"enabled": True, "scope": "everyone"}
    assert call("PUT", "/extra-usage", body).json()["confirmation_required"] is True
    told = call("GET", "/organization").json()["extra_usage"]
    assert told == body | {"confirmation_required": True}
    assert not AuditEntry.objects.filter(action="extra_usage.ask_first").exists()


def test_c8_the_setting_is_audited_once_a_change(call, acme):
    off = {"enabled": True, "scope": "everyone", "confirmation_required": False}
    call("PUT", "/extra-usage", off)
    call("PUT", "/extra-usage", off)
    entry = AuditEntry.objects.get(action="extra_usage.ask_first")
    assert (entry.from_value, entry.to_value) == (True, False)


def test_d2_usage_based_plans_ask_nobody(ask, call, acme):
    Organization.objects.filter(pk=acme.pk).update(plan=Plan.ENTERPRISE_USAGE)
    assert (ask()["funding"], ask()["changeover"]) == ("extra_usage", False)
    told = call("GET", "/organization").json()["extra_usage"]
    assert told["confirmation_required"] is False
    on = {"enabled": True, "scope": "everyone", "confirmation_required": True}
    assert call("PUT", "/extra-usage", on).status_code == 409


def test_n5_members_lists_name_the_block(call, use, now):
    use("1", at=now)
    blocked = call("GET", "/members/bob@acme.example").json()["blocked"]
    assert blocked["reason"] == "confirmation_needed"


# -- The yes ----------------------------------------------------------------------------


def test_n5_a_yes_for_the_window_ends_with_it_and_is_asked_anew(
    ask, call, use, acme, now, time_machine
):
    """Used up, refused, said yes, charged; reset, included, used up, asked again."""
    use("1", at=now)
    assert ask()["reason"] == "confirmation_needed"
    assert call("POST", CONTINUE, WINDOW).status_code == 200
    assert ask()["funding"] == "extra_usage"
    [charged] = use("2", at=now + MINUTE)
    assert charged.funding == "extra_usage"
    assert UsageEvent.objects.get(event_id=charged.id).funding_why == "checked"
    time_machine.move_to(now + SESSION - MINUTE, tick=False)
    assert ask()["funding"] == "extra_usage"
    time_machine.move_to(now + SESSION, tick=False)
    assert ask()["funding"] == "included"
    use("1", at=now + SESSION)
    assert ask()["reason"] == "confirmation_needed"
    assert call("POST", CONTINUE, WINDOW).status_code == 200
    assert ask()["changeover"] is True
    assert ExtraUsageConfirmation.objects.count() == 2
    assert list(differences()) == []


def test_n5_a_yes_for_the_month_holds_over_windows_and_ends_with_it_in_their_zone(
    ask, call, use, now, time_machine
):
    use("1", at=now)
    answer = call("POST", CONTINUE, MONTH).json()
    assert answer["confirmed_until"] == "2026-12-01T05:00:00Z"  # New York's midnight
    later = now + SESSION
    use("1", at=later)
    time_machine.move_to(later, tick=False)
    assert ask()["funding"] == "extra_usage"
    ends = dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC)
    use("1", at=ends - MINUTE)
    time_machine.move_to(ends - MINUTE, tick=False)
    assert ask()["funding"] == "extra_usage"
    time_machine.move_to(ends, tick=False)
    assert ask()["reason"] == "confirmation_needed"


def test_n5_a_second_press_changes_nothing_and_none_shortens_it(call, use, now):
    use("1", at=now)
    first = call("POST", CONTINUE, WINDOW).json()
    assert call("POST", CONTINUE, WINDOW).json() == first
    assert ExtraUsageConfirmation.objects.count() == 1
    longer = call("POST", CONTINUE, MONTH).json()
    assert longer["confirmed_until"] > first["confirmed_until"]
    assert call("POST", CONTINUE, WINDOW).json() == longer
    assert ExtraUsageConfirmation.objects.count() == 2
    assert AuditEntry.objects.filter(action="extra_usage.confirmed").count() == 2


def test_n5_a_yes_is_kept_with_what_was_used_up_and_by_which_door(call, use, bob, now):
    use("1", at=now)
    call("POST", CONTINUE, WINDOW)
    kept = ExtraUsageConfirmation.objects.get()
    assert (kept.membership, kept.confirmed_for, kept.door, kept.created_at) == (
        bob,
        "window",
        "key",
        now,
    )
    assert kept.windows == {"session": kept.until_at.isoformat()}
    entry = AuditEntry.objects.get(action="extra_usage.confirmed")
    assert (entry.membership, entry.subject) == (bob, str(bob.user))
    assert entry.actor_label.startswith("API key")


def test_n5_the_database_keeps_each_yes_as_it_was_said(call, use, now):
    use("1", at=now)
    call("POST", CONTINUE, WINDOW)
    for change in (
        lambda kept: kept.update(until_at=now + dt.timedelta(days=30)),
        lambda kept: kept.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(ExtraUsageConfirmation.objects.all())


@pytest.mark.parametrize(
    ("used", "setting", "status", "sentence"),
    [
        ("0.50", True, 409, "There is nothing to confirm: you can continue."),
        ("1", False, 409, "There is nothing to confirm: you can continue."),
    ],
)
def test_n5_there_is_nothing_to_say_yes_to_while_one_can_go_on(
    call, use, now, used, setting, status, sentence
):
    BillingAccount.objects.update(confirmation_required=setting)
    use(used, at=now)
    answer = call("POST", CONTINUE, WINDOW)
    assert (answer.status_code, answer.json()["detail"]) == (status, sentence)
    assert not ExtraUsageConfirmation.objects.exists()


def test_n5_a_yes_does_not_pass_a_cap(ask, call, use, acme, bob, now):
    use("1", at=now)
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=0
    )
    assert ask()["reason"] == "member_cap_reached"
    assert call("POST", CONTINUE, WINDOW).status_code == 409
    assert not ExtraUsageConfirmation.objects.exists()


def test_n5_where_no_reset_is_known_only_the_month_can_be_chosen(ask, call, bob):
    bob.seat_tier = "premium"
    bob.save(update_fields=["seat_tier"])
    SeatAllowance.objects.filter(seat_tier="premium").update(amount_nanos=0)
    assert ask()["reason"] == "confirmation_needed"
    assert call("POST", CONTINUE, WINDOW).status_code == 422
    assert call("POST", CONTINUE, MONTH).status_code == 200
    assert (ask()["funding"], ask()["changeover"]) == ("extra_usage", True)


@pytest.mark.parametrize(
    "body", [None, {}, {"until": "week"}, {"until": None}, {**WINDOW, "more": 1}, []]
)
def test_a_yes_says_for_how_long(call, use, now, body):
    use("1", at=now)
    assert call("POST", CONTINUE, body).status_code in (400, 422)
    assert not ExtraUsageConfirmation.objects.exists()


# -- Whose yes --------------------------------------------------------------------------


def test_x3_a_personal_token_says_yes_for_its_own_member_alone(
    ask, call, use, ada, bob, now
):
    use("1", at=now)
    hers = make_token(ada, now=now)
    assert call("POST", CONTINUE, WINDOW, key=hers).status_code == 403
    nobody = "/members/nobody@acme.example/continue"
    assert call("POST", nobody, WINDOW, key=hers).status_code == 403
    assert ask()["reason"] == "confirmation_needed"
    his = make_token(bob, now=now)
    assert call("POST", CONTINUE, WINDOW, key=his).status_code == 200
    assert ask()["allowed"]
    assert ExtraUsageConfirmation.objects.get().door == "token"
    entry = AuditEntry.objects.get(action="extra_usage.confirmed")
    assert entry.actor == bob.user


def test_charlies_key_says_yes_for_nobody_here(ask, call, use, bob, charlie, now):
    use("1", at=now)
    theirs = make_api_key(charlie.organization, now=now)
    for ref in ("bob@acme.example", str(bob.pk)):
        path = f"/members/{ref}/continue"
        assert call("POST", path, WINDOW, key=theirs).status_code == 404
    assert ask()["reason"] == "confirmation_needed"
    assert not ExtraUsageConfirmation.objects.exists()


def test_a_key_needs_the_scope_meter(call, use, acme, now):
    use("1", at=now)
    reads = make_api_key(acme, now=now, scopes="read manage")
    assert call("POST", CONTINUE, WINDOW, key=reads).status_code == 403


# -- What ran ---------------------------------------------------------------------------


def test_e5_what_ran_without_a_yes_is_still_recorded_as_extra_usage(use, now):
    _first, second = use("1", "0.25", at=now)
    assert second.funding == "extra_usage"
    kept = UsageEvent.objects.get(event_id=second.id)
    assert (kept.funding_why, kept.refusal_reason) == ("refused", "confirmation_needed")
    assert list(differences()) == []


def test_x3_ones_own_word_charges_nothing_before_the_yes(call, use, bob, now):
    use("1", at=now)
    his = make_token(bob, now=now)

    def report(number):
        one = {
            "id": f"own {number}",
            "surface": "claude_code",
            "model": "claude-sonnet-5",
            "occurred_at": now.isoformat(),
            "usage": {"output_tokens": 1000},
        }
        return call("POST", "/usage", {"events": [one]}, key=his).json()["results"][0]

    assert report(1)["funding"] == "unbilled"
    assert UsageEvent.objects.get(event_id="own 1").refusal_reason == (
        "confirmation_needed"
    )
    call("POST", CONTINUE, WINDOW, key=his)
    assert report(2)["funding"] == "extra_usage"


def test_e5_a_late_event_is_judged_by_the_yes_of_its_own_time(call, use, now):
    """It ran a minute before the yes ended with its window, and comes a minute after."""
    use("1", at=now)
    call("POST", CONTINUE, WINDOW)
    ends = now + SESSION
    [late] = use("0.20", at=ends + MINUTE, ran_at=ends - MINUTE)
    kept = UsageEvent.objects.get(event_id=late.id)
    assert (kept.funding, kept.funding_why) == ("extra_usage", "checked")


def test_e4_a_promise_given_before_the_yes_ended_is_kept(
    ask, call, use, bob, acme, now, time_machine
):
    use("1", at=now)
    call("POST", CONTINUE, WINDOW)
    token = ask()["authorization"]
    BillingAccount.objects.update(confirmation_required=True)
    ends = now + SESSION + MINUTE
    promised = event(bob, at=ends, usd="0.20", authorization=token)
    [result] = record_usage([promised], organization_id=acme.pk, now=ends).results
    assert result.funding == "extra_usage"


def test_x5_a_lease_of_extra_usage_ends_with_the_yes(
    call, use, acme, now, time_machine
):
    Organization.objects.update(leases_allowed=True)
    use("1", *["0.01"] * 12, at=now)
    call("POST", CONTINUE, WINDOW)
    use("0.01", at=now + MINUTE)

    def lease():
        return call("POST", "/authorize", ASK | {"lease": True}).json()["lease"]

    assert lease()["seconds"] > 5
    ends = ExtraUsageConfirmation.objects.get().until_at
    time_machine.move_to(ends - dt.timedelta(seconds=5), tick=False)
    assert lease()["seconds"] == 5


def test_i3_a_yes_covers_every_window_that_was_used_up_then(ask, call, use, now):
    """The week too: it ends with the later of both."""
    use("1", at=now)
    IncludedWindow.objects.filter(name="week").update(
        used_nanos=usd("1000"), exhausted_at=now
    )
    answer = call("POST", CONTINUE, WINDOW).json()
    assert answer["confirmed_until"] == "2026-11-30T19:28:00Z"
    assert set(ExtraUsageConfirmation.objects.get().windows) == {"session", "week"}


def test_n5_other_members_are_asked_by_themselves(call, use, ada, acme, now):
    use("1", at=now)
    call("POST", CONTINUE, WINDOW)
    record_usage([event(ada, at=now, usd="1")], organization_id=acme.pk, now=now)
    hers = call("POST", "/authorize", ASK | {"member": ada.user.email}).json()
    assert hers["reason"] == "confirmation_needed"
