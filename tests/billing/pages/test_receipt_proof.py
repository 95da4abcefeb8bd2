"""I2, E5: a receipt says what was left of the included windows before its request, as a
plain count of what had been recorded says it; and the cap it met.
"""

from __future__ import annotations

import datetime as dt
import random

import pytest
import time_machine
from django.urls import reverse

from accounts.actions.audit import Actor
from billing.caps.actions.caps import set_cap
from billing.caps.queries.at_moment import cap_before
from billing.caps.queries.caps import member_target
from billing.metering.actions.recording import record_usage
from billing.metering.queries.windows_before import (
    last_included_before,
    windows_before,
)
from billing.models import SeatAllowance, UsageEvent
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

HOUR = dt.timedelta(hours=1)
SESSION, WEEK = usd("2"), usd("5")


@pytest.fixture
def small(acme, bob):
    """Two dollars a session of five hours and five a week for Bob's seat."""
    enable_extra_usage(acme)
    mine = SeatAllowance.objects.filter(plan=acme.plan, seat_tier=bob.seat_tier)
    mine.filter(name="session").update(amount_nanos=SESSION)
    mine.filter(name="week").update(amount_nanos=WEEK)
    return acme


def sent(bob, at: dt.datetime, amount: str, *, ran: dt.datetime | None = None):
    """One event recorded at `at` that ran then, or at `ran`."""
    one = event(bob, at=ran or at, usd=amount)
    [result] = record_usage([one], organization_id=bob.organization_id, now=at).results
    assert result.status == "recorded"
    return UsageEvent.objects.get(event_id=one.id)


class Oracle:
    """Windows kept by hand: the shortest program that says what rule I2 says."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[dt.datetime, int]] = {}
        self.limits = {
            "session": (5 * HOUR, SESSION),
            "week": (7 * 24 * HOUR, WEEK),
        }

    def before(self, at: dt.datetime) -> dict[str, int]:
        """What was used of each window open then."""
        return {
            name: used
            for name, (opened, used) in self.open.items()
            if at < opened + self.limits[name][0]
        }

    def add(self, at: dt.datetime, nanos: int) -> bool:
        """Count one request; whether it was included."""
        used = self.before(at)
        if any(used.get(name, 0) >= limit for name, (_l, limit) in self.limits.items()):
            return False
        for name in self.limits:
            opened = self.open[name][0] if name in used else at
            self.open[name] = (opened, used.get(name, 0) + nanos)
        return True


@pytest.mark.parametrize("seed", range(3))
def test_i2_a_receipt_says_what_was_used_before_it_as_a_count_by_hand_does(
    small, bob, seed
):
    chance = random.Random(seed)
    oracle, at = Oracle(), NOW - 8 * 24 * HOUR
    for _number in range(25):
        at += dt.timedelta(minutes=chance.choice([20, 90, 400, 1_500]))
        expected = oracle.before(at)
        cost = usd(amount := chance.choice(["0.30", "0.90", "1.70"]))
        found = sent(bob, at, amount)
        included = oracle.add(at, cost)
        windows = windows_before(found)
        assert (found.funding == "included") == included
        assert {
            one.name: one.used_nanos for one in windows if one.opened_at
        } == expected
        assert any(one.is_used_up for one in windows) == (not included)
    # and read later, it is the same
    first = UsageEvent.objects.order_by("pk").first()
    assert first is not None and all(
        one.opened_at is None for one in windows_before(first)
    )


def test_e5_extra_usage_names_when_it_ran_out_and_the_last_request_included(
    client, small, bob
):
    last = sent(bob, NOW - HOUR, "2.10")
    extra = sent(bob, NOW, "0.50")
    session, week = windows_before(extra)
    assert (session.used_nanos, session.exhausted_at) == (usd("2.10"), NOW - HOUR)
    assert (week.is_used_up, week.left_nanos) == (False, usd("2.90"))
    assert last_included_before(extra, [session, week]) == last
    client.force_login(bob.user)
    with time_machine.travel(NOW, tick=False):
        page = flat(client.get(reverse("own_receipt", args=["acme", extra.pk])))
    assert "Session used up 13:28, so this was extra usage." in page
    assert reverse("own_receipt", args=["acme", last.pk]) in page


def test_e5_an_included_request_says_what_was_left(client, small, bob):
    sent(bob, NOW - HOUR, "0.50")
    found = sent(bob, NOW, "0.25")
    client.force_login(bob.user)
    with time_machine.travel(NOW, tick=False):
        page = flat(client.get(reverse("own_receipt", args=["acme", found.pk])))
    assert (
        "$1.50 of the session and $4.50 of the week were left, so this was included."
        in page
    )


def test_c8_the_cap_is_the_one_that_held_then(small, bob, alice):
    sent(bob, NOW - 3 * HOUR, "2.10")
    actor = Actor.person(alice.user)
    target = member_target(small, bob)
    set_cap(target, amount_nanos=usd("7"), actor=actor, now=NOW - 2 * HOUR)
    sent(bob, NOW - HOUR, "0.50")
    found = sent(bob, NOW, "0.40")
    set_cap(target, amount_nanos=usd("9"), actor=actor, now=NOW + HOUR)
    cap = cap_before(found)
    assert cap is not None
    assert (cap.amount_nanos, cap.spent_nanos, cap.is_from_seat) == (
        usd("7"),
        usd("0.50"),
        False,
    )
    assert cap.organization_nanos == usd("12000")
