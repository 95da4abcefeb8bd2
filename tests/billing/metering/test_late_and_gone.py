"""Usage reported late of somebody who has left or changed seats since (E5, bugs row 8)."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.audit import Actor
from accounts.actions.members import bring_back, remove_member
from accounts.actions.seats import PAST_SEATS_KEPT, assign_seat
from accounts.models import Membership
from billing.books import differences
from billing.funding.promises import sign_authorization
from billing.metering.actions.recording import record_usage
from billing.models import IncludedWindow, UsageDay, UsageEvent
from tests.factories.people import MembershipFactory, UserFactory
from tests.factories.usage import enable_extra_usage, event

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def report(acme, now):
    """Record events an hour after now: fundings and the rows."""

    def send(*events, later=HOUR):
        recorded = record_usage(events, organization_id=acme.pk, now=now + later)
        return [result.funding for result in recorded.results]

    return send


def row_of(id: str) -> UsageEvent:
    """The event as it is kept."""
    return UsageEvent.objects.get(event_id=id)


def seat(member: Membership, tier: str | None, *, now: dt.datetime) -> None:
    """An owner gives a seat, or takes it."""
    assign_seat(member, tier=tier, actor=Actor(label="owner"), now=now)


def test_row_8_usage_of_before_somebody_left_is_funded_as_theirs(
    acme, alice, bob, now, report
):
    enable_extra_usage(acme)
    remove_member(bob, by=alice, now=now)
    before = [
        event(bob, id="a", at=now - HOUR, usd="0.90"),
        event(bob, id="b", at=now - MINUTE, usd="0.20"),
        event(bob, id="c", at=now - MINUTE, usd="0.30"),
        event(bob, id="d", at=now, usd="0.40"),
    ]
    assert report(*before) == ["included", "included", "extra_usage", "unbilled"]
    assert [row_of(id).seat_tier for id in "abcd"] == ["standard"] * 3 + [""]
    assert row_of("d").refusal_reason == "member_inactive"
    window = IncludedWindow.objects.get(membership=bob, name="session")
    assert window.used_nanos == 1_100_000_000
    assert list(differences()) == []


def test_row_8_without_extra_usage_what_was_included_stays_included(
    alice, bob, now, report
):
    remove_member(bob, by=alice, now=now)
    sent = [event(bob, at=now - HOUR, usd="1.00"), event(bob, id="x", at=now - HOUR)]
    assert report(*sent) == ["included", "unbilled"]
    assert row_of("x").refusal_reason == "extra_usage_disabled"


def test_row_8_taking_a_seat_for_a_minute_makes_nothing_free(acme, bob, now, report):
    enable_extra_usage(acme)
    seat(bob, None, now=now)
    used_before = event(bob, at=now - MINUTE, usd="1.50")
    crossing = event(bob, at=now - MINUTE, usd="1.50")
    assert report(used_before, crossing, later=MINUTE / 2) == [
        "included",
        "extra_usage",
    ]
    seat(bob, "standard", now=now + MINUTE)
    without = event(bob, id="without", at=now + MINUTE / 2)
    again = event(bob, at=now + MINUTE)
    assert report(without, again) == ["unbilled", "extra_usage"]
    assert row_of("without").refusal_reason == "seat_unassigned"


def test_e5_the_seat_of_that_time_is_recorded_and_its_windows_count(
    acme, bob, now, report
):
    """A premium seat includes more than a standard one's dollar."""
    enable_extra_usage(acme)
    seat(bob, "premium", now=now)
    sent = [
        event(bob, id="a", at=now - HOUR, usd="1.00"),
        event(bob, id="b", at=now - HOUR, usd="0.50"),
        event(bob, id="c", at=now, usd="0.75"),
        event(bob, id="d", at=now - HOUR, usd="0.25"),
        event(bob, id="e", at=now, usd="0.25"),
    ]
    assert report(*sent) == [
        "included",
        "extra_usage",
        "included",
        "extra_usage",
        "included",
    ]
    tiers = [row_of(id).seat_tier for id in "abcde"]
    assert tiers == ["standard", "standard", "premium", "standard", "premium"]
    window = IncludedWindow.objects.get(membership=bob, name="session")
    assert window.used_nanos == 2_000_000_000
    days = UsageDay.objects.filter(membership=bob).values_list("seat_tier", "events")
    assert sorted(days) == [("premium", 2), ("standard", 3)]
    assert list(differences()) == []


def test_e5_an_ended_window_of_the_seat_of_that_time_counts(acme, bob, now, report):
    enable_extra_usage(acme)
    first = event(bob, at=now, usd="0.90")
    record_usage([first], organization_id=acme.pk, now=now)
    seat(bob, None, now=now + HOUR)
    late = [event(bob, at=now + MINUTE, usd="0.50") for _ in range(2)]
    assert report(*late, later=6 * HOUR) == ["included", "extra_usage"]
    window = IncludedWindow.objects.get(membership=bob, name="session")
    assert (window.used_nanos, window.opened_at) == (1_400_000_000, now)


def test_e5_seats_held_and_lost_many_times_are_told_apart(
    acme, alice, bob, now, report
):
    enable_extra_usage(acme)
    seat(bob, "premium", now=now + 10 * MINUTE)
    seat(bob, None, now=now + 20 * MINUTE)
    remove_member(bob, by=alice, now=now + 30 * MINUTE)
    bring_back(bob, seat_tier="premium", by=alice, now=now + 40 * MINUTE)
    sent = [
        event(bob, id=f"m{minute}", at=now + minute * MINUTE, usd="0.01")
        for minute in (5, 15, 25, 35, 45)
    ]
    report(*sent)
    kept = [row_of(f"m{minute}") for minute in (5, 15, 25, 35, 45)]
    assert [(row.seat_tier, row.refusal_reason) for row in kept] == [
        ("standard", ""),
        ("premium", ""),
        ("", "seat_unassigned"),
        ("", "member_inactive"),
        ("premium", ""),
    ]


@pytest.mark.parametrize("when", [-HOUR, MINUTE])
def test_d2_on_a_usage_based_plan_it_is_always_extra_usage(
    acme, alice, ada, bob, now, report, when
):
    acme.plan = "enterprise_usage"
    acme.save(update_fields=["plan"])
    remove_member(bob, by=alice, now=now)
    seat(ada, None, now=now)
    sent = [event(bob, id="b", at=now + when), event(ada, id="a", at=now + when)]
    assert report(*sent) == ["extra_usage", "extra_usage"]
    assert row_of("b").seat_tier == ("standard" if when < 0 * HOUR else "")


def test_e4_a_promise_is_kept_whoever_has_left(acme, alice, bob, now, report):
    promise = sign_authorization(
        "extra_usage", organization_id=acme.pk, membership_id=bob.pk, now=now
    )
    remove_member(bob, by=alice, now=now)
    late = event(bob, id="p", at=now + MINUTE, authorization=promise)
    assert report(late) == ["extra_usage"]
    assert row_of("p").funding_why == "promised"


def test_row_8_the_caps_of_the_seat_of_that_time_are_the_reason(
    acme, alice, bob, now, report
):
    from billing.caps.actions.caps import set_seat_tier_cap

    enable_extra_usage(acme)
    set_seat_tier_cap(
        acme, tier="standard", amount_nanos=0, actor=Actor(label="owner"), now=now
    )
    remove_member(bob, by=alice, now=now)
    sent = [
        event(bob, at=now - HOUR, usd="1.00"),
        event(bob, id="x", at=now - HOUR),
    ]
    assert report(*sent) == ["included", "extra_usage"]
    assert row_of("x").refusal_reason == "seat_tier_cap_reached"


def test_a_batch_of_people_who_left_takes_as_many_queries(acme, alice, now):
    """And reads of nobody whose seat did not change since."""
    people = [
        MembershipFactory(organization=acme, user=UserFactory()) for _ in range(4)
    ]

    def queries() -> list[str]:
        batch = [event(one, at=now - MINUTE, usd="0.01") for one in people]
        with CaptureQueriesContext(connection) as captured:
            record_usage(batch, organization_id=acme.pk, now=now + MINUTE)
        return [query["sql"] for query in captured]

    queries()
    few = len(queries())
    for one in people[:2]:
        remove_member(one, by=alice, now=now)
    assert len(queries()) == few


def test_a_check_does_not_read_what_held_before():
    from billing.funding.queries import statement

    for text in statement.ONE.values():
        assert "past_seats" not in text
        assert "seat_changed_at" not in text


def test_seats_that_are_toggled_without_end_keep_the_latest(bob, now):
    for minute in range(PAST_SEATS_KEPT + 3):
        seat(bob, "premium" if minute % 2 else None, now=now + minute * MINUTE)
    bob.refresh_from_db()
    assert len(bob.past_seats) == PAST_SEATS_KEPT
    until = (now + (PAST_SEATS_KEPT + 2) * MINUTE).isoformat()
    assert bob.past_seats[-1] == [until, "premium", True]


def test_what_held_before_is_told_from_the_audit(alice, ada, bob, now):
    seat(bob, "premium", now=now)
    seat(bob, None, now=now + MINUTE)
    remove_member(bob, by=alice, now=now + 2 * MINUTE)
    bring_back(bob, seat_tier="standard", by=alice, now=now + 3 * MINUTE)
    bob.refresh_from_db()
    kept, changed_at = bob.past_seats, bob.seat_changed_at
    Membership.objects.update(past_seats=[], seat_changed_at=None)
    import_module("accounts.migrations.0006_past_seats").forwards(apps, None)
    bob.refresh_from_db()
    ada.refresh_from_db()
    assert (bob.past_seats, bob.seat_changed_at) == (kept, changed_at)
    assert [held[1:] for held in kept] == [
        ["standard", True],
        ["premium", True],
        [None, True],
        [None, False],
    ]
    assert (ada.past_seats, ada.seat_changed_at) == ([], None)
