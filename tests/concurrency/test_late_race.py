"""Owners toggle somebody's seat while gateways report what they used before, on
PostgreSQL: no change of a seat is lost, and none makes usage free (E5).
"""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions import seats
from accounts.actions.audit import Actor
from accounts.actions.seats import assign_seat
from accounts.models import AuditEntry, Membership
from billing.books import differences
from billing.metering.actions.recording import record_usage
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
CLICKS, TRIES = 12, 20
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def bob(transactional_db, now) -> Membership:
    """A member of Acme where extra usage is on."""
    acme = make_cast(now=now)
    enable_extra_usage(acme)
    return Membership.objects.select_related("organization", "user").get(
        user__email="bob@acme.example"
    )


def click(bob: Membership, number: int, now: dt.datetime) -> None:
    """Takes the seat, gives it, or gives a better one."""
    tier = (None, "standard", "premium")[number % 3]
    moment = now + number * dt.timedelta(seconds=1)
    assign_seat(bob, tier=tier, actor=Actor(label="owner"), now=moment)


def lost(bob: Membership) -> int:
    """Changes that are in the audit and not in what is kept with the member."""
    changes = AuditEntry.objects.filter(action="member.seat", membership=bob).count()
    return changes - len(Membership.objects.get(pk=bob.pk).past_seats)


def test_e5_no_change_of_a_seat_is_lost_and_none_makes_usage_free(bob, now):
    def work(number: int) -> list[str | None]:
        if number % 2:
            click(bob, number // 2, now)
            return []
        batch = [event(bob, at=now - MINUTE, usd="0.30") for _ in range(3)]
        organization_id = bob.organization_id
        recorded = record_usage(batch, organization_id=organization_id, now=now)
        return [result.funding for result in recorded.results]

    answers = run_together(2 * CLICKS, work)
    fundings = [funding for one in answers for funding in one]
    assert len(fundings) == 3 * CLICKS
    assert set(fundings) == {"included", "extra_usage"}
    assert lost(bob) == 0
    assert list(differences()) == []


def test_control_without_the_lock_changes_are_lost(bob, now, monkeypatch):
    """The same clicks with the organization's lock taken away."""
    acme = bob.organization
    monkeypatch.setattr(seats, "lock_organization", lambda pk: acme)

    def some_are_lost() -> bool:
        run_together(CLICKS, lambda number: click(bob, number, now))
        return lost(bob) > 0

    assert shows_in(some_are_lost() for _try in range(TRIES))
