"""Two owners give the last seats at once on PostgreSQL: assigned never exceeds bought (D4)."""

from __future__ import annotations

import pytest

from accounts.actions import seats
from accounts.actions.audit import Actor
from accounts.actions.seats import assign_seat
from accounts.models import Membership, SeatTier
from config.kit.errors import BusinessError
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import MembershipFactory, make_cast

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
OWNERS, FREE, TRIES = 16, 3, 20


@pytest.fixture
def waiting(transactional_db, now):
    """Acme with three premium seats left and sixteen people who want one."""
    acme = make_cast(now=now)
    # Alice holds one
    SeatTier.objects.filter(organization=acme, tier="premium").update(bought=1 + FREE)
    return MembershipFactory.create_batch(OWNERS, organization=acme)


def give(member: Membership, now) -> bool:
    """One owner's click; whether it worked."""
    try:
        assign_seat(member, tier="premium", actor=Actor(label="owner"), now=now)
    except BusinessError as error:
        assert error.code == "no_free_seat"
        return False
    return True


def test_d4_only_as_many_as_were_bought(waiting, now):
    answers = run_together(OWNERS, lambda number: give(waiting[number], now))
    assert sum(answers) == FREE
    assert waiting[0].organization.memberships.on_seat("premium").count() == 1 + FREE


def test_control_without_the_lock_more_are_assigned_than_bought(
    waiting, now, monkeypatch
):
    """The same with the organization's lock taken away."""
    acme = waiting[0].organization
    monkeypatch.setattr(seats, "lock_organization", lambda pk: acme)

    def too_many_are_assigned() -> bool:
        acme.memberships.filter(pk__in=[one.pk for one in waiting]).update(
            seat_tier="standard"
        )
        return (
            sum(run_together(OWNERS, lambda number: give(waiting[number], now))) > FREE
        )

    assert shows_in(too_many_are_assigned() for _try in range(TRIES))
