"""Somebody unknown at once from many threads on PostgreSQL: one line, one new member, each
event assigned once (X2).
"""

from __future__ import annotations

import pytest
from django.db import IntegrityError, OperationalError

from accounts.actions.audit import Actor
from accounts.actions.unknown import set_own_domains, set_unknown_people
from accounts.models import AuditEntry, Membership, Organization, SeatTier, User
from billing.books import differences
from billing.metering.actions import assigning
from billing.metering.actions.assigning import assign_usage
from billing.metering.actions.recording import record_usage
from billing.models import (
    MemberMonth,
    UnattributedName,
    UsageAdjustment,
    UsageEvent,
)
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS = 16


@pytest.fixture
def acme(transactional_db, _seeded, now):
    """Acme with extra usage on."""
    organization = make_cast(now=now)
    enable_extra_usage(organization)
    return organization


def adds(acme, choice, now):
    """Acme wants unknown people of its domain added."""
    actor = Actor.person(acme.primary_owner)
    set_own_domains(acme, text="acme.example", actor=actor, now=now)
    set_unknown_people(acme, choice=choice, actor=actor, now=now)


def test_x2_the_first_unknown_events_at_once_make_one_line_and_one_name(acme, now):
    def report(number):
        sent = [event("okta:1", id=f"{number}", at=now, usd="0.10")]
        return record_usage(sent, organization_id=acme.pk, now=now).results[0].status

    assert run_together(THREADS, report) == ["recorded"] * THREADS
    assert Membership.with_nobody.filter(status="nobody").count() == 1
    assert User.objects.filter(email="unattributed").count() == 1
    name = UnattributedName.objects.get()
    assert (name.events, name.extra_nanos) == (THREADS, THREADS * usd("0.10"))
    assert list(differences()) == []


def test_x2_the_first_of_two_organizations_at_once_share_the_placeholder(acme, now):
    charlie = User.objects.get(email="charlie@umbrella.example")
    umbrella = Membership.objects.get(user=charlie).organization
    both = [acme.pk, umbrella.pk]

    def report(number):
        sent = [event("x", id=f"{number}", at=now)]
        record_usage(sent, organization_id=both[number % 2], now=now)

    run_together(THREADS, report)
    assert Membership.with_nobody.filter(status="nobody").count() == 2
    assert User.objects.filter(email="unattributed").count() == 1


def test_x2_somebody_new_at_once_is_added_once_with_one_seat(acme, now):
    adds(acme, "create_on_premium", now)
    SeatTier.objects.filter(organization=acme, tier="premium").update(bought=2)

    def report(number):
        member = f"{'emil' if number % 2 else 'erik'}@acme.example"
        sent = [event(member, id=f"{number}", at=now)]
        record_usage(sent, organization_id=acme.pk, now=now)

    run_together(THREADS, report)
    # Alice has one of the two seats: whoever came first got the other.
    assert acme.memberships.on_seat("premium").count() == 2
    assert AuditEntry.objects.filter(action="member.add").count() == 1
    assert UnattributedName.objects.get().events == THREADS // 2
    assert list(differences()) == []


def assign_at_once(acme, now, monkeypatch, prefix=""):
    """Half of the threads assign one name to Bob, the others to Ada, while more of it is
    reported; how many did something.
    """
    monkeypatch.setattr(assigning, "BATCH", 3)
    sent = [event("x", id=f"{prefix}before-{n}", at=now, usd="0.10") for n in range(20)]
    record_usage(sent, organization_id=acme.pk, now=now)
    name = UnattributedName.objects.get()
    people = [
        Membership.objects.select_related("organization", "user").get(
            user__email=f"{who}@acme.example"
        )
        for who in ("bob", "ada")
    ]

    def work(number):
        if number % 4 == 3:
            more = [event("x", id=f"{prefix}while-{number}", at=now, usd="0.10")]
            record_usage(more, organization_id=acme.pk, now=now)
            return 0
        try:
            done = assign_usage(
                name, people[number % 2], actor=Actor(label="race"), now=now
            )
        except BusinessError as refused:
            assert refused.code == "already_assigned"
            return 0
        return done.events

    return sum(run_together(THREADS, work))


def moved_once(acme) -> bool:
    """Whether every event left the line at most once, and the money is where it says."""
    line = Membership.with_nobody.get(organization=acme, status="nobody")
    taken = UsageAdjustment.objects.filter(membership=line)
    events = list(taken.values_list("event_id", flat=True))
    name = UnattributedName.objects.get()
    everything = UsageEvent.objects.count() * usd("0.10")
    months = MemberMonth.objects.values_list("extra_nanos", flat=True)
    return (
        len(events) == len(set(events))
        and len(events) + name.events == UsageEvent.objects.count()
        and sum(months) == everything
        and list(differences()) == []
    )


def test_x2_assigned_at_once_each_event_moves_once(acme, now, monkeypatch):
    moved = assign_at_once(acme, now, monkeypatch)
    assert moved_once(acme)
    line = Membership.with_nobody.get(organization=acme, status="nobody")
    assert moved == UsageAdjustment.objects.filter(membership=line).count() >= 20


def test_control_without_the_lock_events_move_twice(acme, now, monkeypatch):
    """Where the database's own bound stops a second move of all events, or two wait for
    each other in mixed order, that shows it too.
    """

    def unlocked(organization_id):
        return Organization.objects.get(pk=organization_id)

    monkeypatch.setattr(assigning, "lock_organization", unlocked)

    def moves_twice(number) -> bool:
        try:
            assign_at_once(acme, now, monkeypatch, prefix=f"{number}")
        except (IntegrityError, OperationalError):
            return True
        return not moved_once(acme)

    assert shows_in(moves_twice(number) for number in range(10))
