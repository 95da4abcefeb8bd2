"""Organizations: months in their zone, one primary owner."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from accounts.actions.organizations import (
    change_timezone,
    hand_over_primary_owner,
    lock_organization,
)
from accounts.models import AuditEntry, Role
from config.kit.errors import BusinessError


def test_c5_a_new_zone_takes_effect_with_the_next_month(acme, alice, now):
    changed = change_timezone(
        acme, timezone="Asia/Tokyo", actor=Actor.person(alice.user), now=now
    )
    november = changed.calendar.month_at(now)
    assert november.zone == "America/New_York"
    assert november.end == dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC)
    december = changed.calendar.month_at(november.end)
    assert december.start == november.end and december.zone == "Asia/Tokyo"
    assert december.end == dt.datetime(2026, 12, 31, 15, tzinfo=dt.UTC)
    assert (
        changed.calendar.month_at(november.end - dt.timedelta(microseconds=1))
        == november
    )


def test_c5_every_zone_that_ever_held_is_kept_and_one_that_never_came_is_forgotten(
    acme, alice, now
):
    actor, month = Actor.person(alice.user), dt.timedelta(days=31)
    for zone, at in (
        ("Asia/Tokyo", now),
        ("Europe/Berlin", now),
        ("UTC", now + month),
        ("Asia/Tokyo", now + 2 * month),
    ):
        acme = change_timezone(acme, timezone=zone, actor=actor, now=at)
    zones = [
        acme.calendar.zone_for(dt.date(2026 + n // 12, n % 12 + 1, 1))
        for n in range(10, 15)
    ]
    assert zones == [
        "America/New_York",
        "Europe/Berlin",
        "UTC",
        "Asia/Tokyo",
        "Asia/Tokyo",
    ]
    back = change_timezone(acme, timezone="UTC", actor=actor, now=now + 2 * month)
    assert (
        back.calendar.zone_for(dt.date(2027, 3, 1)) == "UTC"
        and len(back.past_timezones) == 2
    )


def test_d3_the_primary_owner_is_handed_over_and_kept_as_owner(acme, alice, bob, now):
    hand_over_primary_owner(
        acme, membership=bob, actor=Actor.person(alice.user), now=now
    )
    acme.refresh_from_db()
    bob.refresh_from_db()
    alice.refresh_from_db()
    assert (bob.role, alice.role) == (Role.PRIMARY_OWNER, Role.OWNER)
    assert (
        AuditEntry.objects.get(action="organization.primary_owner").to_value
        == "bob@acme.example"
    )


def test_d3_a_removed_member_cannot_become_primary_owner(acme, alice, bob, now):
    bob.status, bob.seat_tier, bob.removed_at = "removed", None, now
    bob.save(update_fields=["status", "seat_tier", "removed_at"])
    with pytest.raises(BusinessError, match="Bob Feld was removed"):
        hand_over_primary_owner(
            acme, membership=bob, actor=Actor.person(alice.user), now=now
        )


@pytest.mark.django_db(transaction=True)
def test_the_lock_refuses_to_work_outside_a_transaction(acme):
    with pytest.raises(RuntimeError, match="inside a transaction"):
        lock_organization(acme.pk)
