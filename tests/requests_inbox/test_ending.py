"""A request ends by itself when the member can go on again for another reason, and no
job is needed to see it (R5).
"""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from accounts.actions.seats import assign_seat
from billing.caps.actions.caps import set_member_cap, set_organization_cap
from billing.caps.actions.switch import set_extra_usage
from billing.models import BillingAccount
from config.kit.errors import BusinessError
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.ending import write_down_endings
from requests_inbox.models import UsageRequest
from requests_inbox.queries import pending_of
from tests.conftest import NOW
from tests.requests_inbox.conftest import spend

pytestmark = pytest.mark.django_db
OWNER = Actor(label="an owner")
DECEMBER = dt.datetime(2026, 12, 1, 5, 0, tzinfo=dt.UTC)  # midnight in New York


@pytest.fixture
def pending(blocked_bob) -> UsageRequest:
    """Bob's request."""
    return send_request(blocked_bob, now=NOW).request


def state(request: UsageRequest, *, at: dt.datetime = NOW) -> str:
    """As pages, counts and digests see it, without a job; then as the job writes it
    down, twice.
    """
    found = pending_of(request.organization_id, now=at)
    seen = found.lapsed.get(request.pk, "pending")
    assert [one.request.pk for one in found.waiting] == (
        [request.pk] if seen == "pending" else []
    )
    assert write_down_endings(request.organization_id, now=at) == (seen != "pending")
    assert write_down_endings(request.organization_id, now=at) == 0
    request.refresh_from_db()
    assert request.status == seen
    return seen


def test_r5_a_reset_of_the_included_usage_alone_does_not_end_it(pending):
    assert state(pending, at=NOW + dt.timedelta(hours=6)) == "pending"


def test_r5_what_only_waits_for_ones_own_yes_ends_it(pending, blocked_bob):
    """N5: with the cap raised, Bob can help himself, though no check lets him go on yet."""
    BillingAccount.objects.update(confirmation_required=True)
    assert state(pending) == "pending"  # the cap stops him still
    set_member_cap(
        blocked_bob.organization,
        membership=blocked_bob,
        amount_nanos=usd("50"),
        actor=OWNER,
        now=NOW,
    )
    assert state(pending) == "resolved"
    with pytest.raises(BusinessError) as refusal:
        send_request(blocked_bob, now=NOW)
    assert refusal.value.code == "confirmation_needed"


def test_r5_a_raised_cap_ends_it(pending, blocked_bob):
    set_member_cap(
        blocked_bob.organization,
        membership=blocked_bob,
        amount_nanos=usd("50"),
        actor=OWNER,
        now=NOW,
    )
    assert state(pending) == "resolved"


def test_r5_a_new_seat_ends_it(pending, blocked_bob):
    assign_seat(blocked_bob, tier="premium", actor=OWNER, now=NOW)
    assert state(pending) == "resolved"


def test_r5_a_seat_taken_away_does_not(pending, blocked_bob):
    assign_seat(blocked_bob, tier=None, actor=OWNER, now=NOW)
    assert state(pending) == "pending"


def test_r5_the_switch_ends_it(blocked_bob):
    acme = blocked_bob.organization
    set_extra_usage(acme, enabled=False, actor=OWNER, now=NOW)
    request = send_request(blocked_bob, now=NOW).request
    assert request.reason == "extra_usage_disabled"
    acme.spend_caps.filter(level="seat_tier").delete()
    assert pending_of(acme.pk, now=NOW).waiting
    set_extra_usage(acme, enabled=True, actor=OWNER, now=NOW)
    assert state(request) == "resolved"


def test_r5_being_selected_ends_it(blocked_bob):
    acme = blocked_bob.organization
    acme.spend_caps.filter(level="seat_tier").delete()
    set_extra_usage(
        acme, enabled=True, scope="selected", members=[], actor=OWNER, now=NOW
    )
    request = send_request(blocked_bob, now=NOW).request
    set_extra_usage(
        acme,
        enabled=True,
        scope="selected",
        members=[blocked_bob],
        actor=OWNER,
        now=NOW,
    )
    assert state(request) == "resolved"


def test_r5_a_new_month_ends_it_by_the_clock_of_the_organization(pending):
    assert state(pending, at=DECEMBER - dt.timedelta(seconds=1)) == "pending"
    assert state(pending, at=DECEMBER) == "resolved"


def test_r5_a_new_month_ended_it_even_when_nobody_looked_before_the_new_cap_was_reached(
    pending, blocked_bob
):
    later = DECEMBER + dt.timedelta(days=3)
    spend(blocked_bob, "1", "45", at=later)
    assert state(pending, at=later) == "resolved"


def test_r5_a_new_month_does_not_end_it_while_another_reason_stands(
    pending, blocked_bob
):
    set_organization_cap(blocked_bob.organization, amount_nanos=0, actor=OWNER, now=NOW)
    assert state(pending, at=DECEMBER) == "pending"


def test_r5_leaving_withdraws_it(pending, blocked_bob, alice):
    remove_member(blocked_bob, by=alice, now=NOW)
    assert state(pending) == "withdrawn"


def test_r5_asking_again_writes_the_end_of_the_old_one_down(pending, blocked_bob):
    later = DECEMBER + dt.timedelta(days=3)
    spend(blocked_bob, "1", "45", at=later)
    again = send_request(blocked_bob, now=later)
    pending.refresh_from_db()
    assert (again.is_new, pending.status, pending.ended_at) == (True, "resolved", later)
