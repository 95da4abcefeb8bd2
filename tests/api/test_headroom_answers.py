"""X1: what a check answers about what is left, the short line, and where to ask."""

from __future__ import annotations

import json

import pytest

from accounts.models import Organization, Plan
from billing.funding.words import MOST_CHARACTERS
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, SeatAllowance, SpendCap
from config.kit.money import usd
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage, event

OWN_PAGE = "http://127.0.0.1:8000/o/acme/usage/"


@pytest.fixture
def call(client, acme, now, time_machine):
    """Call the API with a key of Acme; the JSON of a good answer."""
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, now=now)

    def send(path, body=None):
        response = client.generic(
            "POST" if body else "GET",
            f"/api/v1{path}",
            json.dumps(body) if body else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert response.status_code == 200, response.content
        return response.json()

    return send


@pytest.fixture
def ask(call):
    """What a check of Bob answers."""
    return lambda: call(
        "/authorize", {"member": "bob@acme.example", "surface": "claude"}
    )


@pytest.fixture
def use(acme, bob, now):
    """Record what Bob used."""

    def record(*amounts):
        events = [event(bob, at=now, usd=amount) for amount in amounts]
        record_usage(events, organization_id=acme.pk, now=now)

    return record


def left(answer) -> tuple[str | None, str | None]:
    """Both amounts of an answer."""
    return answer["remaining_usd"], answer["window_remaining_usd"]


def test_x1_included_usage_left_in_the_tightest_window(ask, use):
    use("0.25")
    answer = ask()
    assert answer["funding"] == "included"
    # Extra usage is off, so there is none to go on with.
    assert left(answer) == ("0.000000000", "0.750000000")


def test_x1_extra_usage_left_is_the_least_of_all_limits(ask, use, acme, bob):
    enable_extra_usage(acme, cap=None)
    assert left(ask()) == (None, "1.000000000")
    enable_extra_usage(acme, cap="12000")
    assert left(ask()) == ("12000.000000000", "1.000000000")
    use("1.50", "2.50")  # the first is included whole (E3)
    SpendCap.objects.create(
        organization=acme, level="member", membership=bob, amount_nanos=usd("20")
    )
    answer = ask()
    assert answer["funding"] == "extra_usage"
    assert left(answer) == ("17.500000000", "0.000000000")
    Organization.objects.update(plan=Plan.TEAM, settlement="prepaid")
    BillingAccount.objects.filter(organization=acme).update(
        ledger_nanos=usd("10"), pending_nanos=usd("2.5")
    )
    assert left(ask()) == ("7.500000000", "0.000000000")


def test_x1_plans_without_windows_have_none(ask, acme):
    Organization.objects.filter(pk=acme.pk).update(plan=Plan.ENTERPRISE_USAGE)
    enable_extra_usage(acme, cap="5")
    assert left(ask()) == ("5.000000000", None)


def test_x1_spending_what_is_left_ends_it_and_a_little_less_does_not(ask, use, acme):
    enable_extra_usage(acme, cap="7")
    use("1", "3")
    assert ask()["remaining_usd"] == "4.000000000"
    use("3.99999")
    assert ask()["remaining_usd"] == "0.000010000"
    use("0.00001")
    assert not ask()["allowed"]


def test_x1_refused_and_allowed_have_the_same_keys(ask, use):
    allowed = ask()
    use("1")
    refused = ask()
    assert set(allowed) == set(refused)
    assert left(refused) == (None, None)
    assert (allowed["message"], allowed["short_message"]) == (None, None)


def test_x1_the_short_line_stands_beside_the_sentence(ask, use, call, bob):
    use("1")
    answer = ask()
    assert answer["short_message"] == (
        "Included usage used up. Continue 19:28 EST today"
    )
    assert "You can continue at 19:28 EST today" in answer["message"]
    blocked = call("/members/bob@acme.example")["blocked"]
    assert blocked == {
        name: answer[name]
        for name in ("reason", "message", "short_message", "resets_at")
    }


def test_x1_the_line_is_short_and_in_the_members_language(ask, use, bob, acme):
    Organization.objects.filter(pk=acme.pk).update(name="ながい" * 40)
    bob.user.language = "ja"
    bob.user.save(update_fields=["language"])
    use("1")
    answer = ask()
    assert "19:28 EST" in answer["short_message"]
    assert answer["short_message"] != answer["message"]
    assert len(answer["short_message"]) <= MOST_CHARACTERS


@pytest.mark.parametrize("plan", Plan.values)
@pytest.mark.parametrize("takes_requests", [True, False])
def test_x1_on_every_plan_the_answer_leads_to_whom_to_ask(
    ask, client, acme, bob, plan, takes_requests
):
    enable_extra_usage(acme, cap="0")
    Organization.objects.filter(pk=acme.pk).update(
        plan=plan, requests_enabled=takes_requests
    )
    SeatAllowance.objects.update(amount_nanos=0)
    answer = ask()
    assert (answer["allowed"], answer["request_url"]) == (False, OWN_PAGE)
    client.force_login(bob.user)
    page = client.get(answer["request_url"]).content.decode()
    if plan == Plan.ENTERPRISE_SEAT and takes_requests:
        assert "Request more usage" in page
    else:
        assert "Alice Nakamura" in page.split("<main")[1]


def test_x1_without_a_seat_too_but_not_for_who_left(ask, client, bob, now):
    bob.seat_tier = None
    bob.save(update_fields=["seat_tier"])
    assert ask()["request_url"] == OWN_PAGE
    client.force_login(bob.user)
    assert "Alice Nakamura" in client.get(OWN_PAGE).content.decode().split("<main")[1]
    bob.status, bob.removed_at = "removed", now
    bob.save(update_fields=["status", "removed_at"])
    answer = ask()
    assert (answer["reason"], answer["request_url"]) == ("member_inactive", None)
    assert client.get(OWN_PAGE).status_code == 404
