"""Who may ask, that one click makes one request, and what can be added to it (R1, R2, R4a)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Plan
from billing.models import BillingAccount
from config.kit.errors import BusinessError
from config.kit.money import usd
from requests_inbox.actions.asking import add_details, send_request, withdraw_request
from requests_inbox.actions.deciding import dismiss_request
from requests_inbox.models import UsageRequest
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import spend

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def refused(code: str):
    """The act says no with this code."""
    return pytest.raises(BusinessError, match="") if not code else _Refused(code)


class _Refused:
    def __init__(self, code: str) -> None:
        self.code = code

    def __enter__(self) -> _Refused:
        return self

    def __exit__(self, kind, error, trace) -> bool:
        assert kind is BusinessError, f"nothing refused ({kind}: {error})"
        assert error.code == self.code
        self.error = error
        return True


def test_r1_r2_one_click_keeps_seat_reason_and_time(blocked_bob):
    sent = send_request(blocked_bob, now=NOW)
    request = sent.request
    assert sent.is_new
    assert (request.seat_tier, request.reason, request.created_at) == (
        "standard",
        "seat_tier_cap_reached",
        NOW,
    )
    assert (request.spent_nanos, request.cap_nanos) == (usd("40.12"), usd("40"))


def test_r1_a_second_press_finds_the_first_one(blocked_bob):
    first = send_request(blocked_bob, now=NOW)
    second = send_request(blocked_bob, now=NOW + HOUR)
    assert (second.is_new, second.request.pk) == (False, first.request.pk)
    assert UsageRequest.objects.count() == 1


def test_r1_the_database_refuses_a_second_pending_request(blocked_bob):
    first = send_request(blocked_bob, now=NOW).request
    with (
        pytest.raises(
            IntegrityError, match=r"one_pending_request_per_member|membership_id"
        ),
        transaction.atomic(),
    ):
        first.pk = None
        first.save(force_insert=True)


def test_r1_nobody_asks_who_can_go_on(bob):
    enable_extra_usage(bob.organization)
    with refused("not_blocked"):
        send_request(bob, now=NOW)


def test_r1_somebody_without_a_seat_asks_an_owner_instead(bob):
    bob.seat_tier = None
    bob.save(update_fields=["seat_tier"])
    with refused("requests_off"):
        send_request(bob, now=NOW)


@pytest.mark.parametrize("plan", [Plan.TEAM, Plan.ENTERPRISE_USAGE])
def test_r1_other_plans_have_no_requests(blocked_bob, plan):
    acme = blocked_bob.organization
    acme.plan = plan
    acme.save(update_fields=["plan"])
    BillingAccount.objects.filter(organization=acme).update(extra_usage_enabled=False)
    acme.spend_caps.filter(level="organization").update(amount_nanos=0)
    with refused("requests_off"):
        send_request(blocked_bob, now=NOW)


def test_r4a_owners_can_switch_requests_off(blocked_bob):
    acme = blocked_bob.organization
    acme.requests_enabled = False
    acme.save(update_fields=["requests_enabled"])
    with refused("requests_off") as refusal:
        send_request(blocked_bob, now=NOW)
    assert "Acme" in refusal.error.message


def test_r4a_note_and_amount_after_the_click(blocked_bob):
    send_request(blocked_bob, now=NOW)
    request = add_details(
        blocked_bob, note=" Until Thursday. ", asked_nanos=usd("60"), now=NOW
    )
    request.refresh_from_db()
    assert (request.note, request.asked_nanos) == ("Until Thursday.", usd("60"))


@pytest.mark.parametrize(
    ("note", "asked", "code"),
    [
        ("x" * 501, None, "note_too_long"),
        ("\u202eyadsruhT", None, "not_one_line"),
        ("", usd("40.12"), "not_above_spent"),
        ("", usd("1000000.01"), "bad_amount"),
    ],
)
def test_r4a_bad_details_change_nothing(blocked_bob, note, asked, code):
    send_request(blocked_bob, note="as it was", now=NOW)
    with refused(code):
        add_details(blocked_bob, note=note, asked_nanos=asked, now=NOW)
    assert UsageRequest.objects.get().note == "as it was"


def test_bad_details_with_the_click_send_nothing(blocked_bob):
    with refused("not_above_spent"):
        send_request(blocked_bob, asked_nanos=usd("1"), now=NOW)
    assert not UsageRequest.objects.exists()


def test_r5_taken_back_it_is_withdrawn_and_the_link_is_back(blocked_bob):
    send_request(blocked_bob, now=NOW)
    assert withdraw_request(blocked_bob, now=NOW).status == "withdrawn"
    with refused("no_pending_request"):
        withdraw_request(blocked_bob, now=NOW)
    assert send_request(blocked_bob, now=NOW).is_new


def test_r4_after_a_dismissal_the_link_is_back_a_day_later(blocked_bob, by_ada):
    request = send_request(blocked_bob, now=NOW).request
    dismiss_request(
        blocked_bob.organization, request_id=request.pk, note="", by=by_ada, now=NOW
    )
    almost = NOW + 24 * HOUR - dt.timedelta(seconds=1)
    spend(blocked_bob, "1", at=almost)  # a new session, used up again
    with refused("dismissed_lately") as refusal:
        send_request(blocked_bob, now=almost)
    assert refusal.error.message.endswith("You can ask again at 14:28 today.")
    assert send_request(blocked_bob, now=NOW + 24 * HOUR).is_new
