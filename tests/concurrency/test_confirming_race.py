"""24 presses of “Continue with extra usage” at once on PostgreSQL are one yes, and every
check after any of them sees it (N5).
"""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from accounts.actions.audit import Actor
from accounts.models import AuditEntry, Membership, Organization
from billing.funding.actions import confirming
from billing.funding.actions.confirming import confirm_extra_usage
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, ExtraUsageConfirmation
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import MembershipFactory, make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS, TRIES = 24, 20


@pytest.fixture
def acme(transactional_db, _seeded, now):
    """Acme, where members are asked first."""
    organization = make_cast(now=now)
    enable_extra_usage(organization)
    BillingAccount.objects.update(confirmation_required=True)
    return organization


def used_up(acme, now) -> Membership:
    """A member whose session is used up."""
    member = MembershipFactory(organization=acme, seat_tier="standard")
    record_usage([event(member, at=now, usd="1")], organization_id=acme.pk, now=now)
    return member


def press(member, now, *choices):
    """Each thread presses with one of the choices, and asks."""

    def one(number):
        confirmed = confirm_extra_usage(
            member,
            confirmed_for=choices[number % len(choices)],
            door="page",
            actor=Actor.person(member.user),
            now=now,
        )
        standing = standing_of(
            member.pk, organization_id=member.organization_id, now=now
        )
        return confirmed.is_new, decide(standing).allowed

    return run_together(THREADS, one)


@pytest.mark.parametrize("choice", ["window", "month"])
def test_n5_presses_at_once_are_one_yes_that_every_check_sees(acme, now, choice):
    answers = press(used_up(acme, now), now, choice)
    assert sorted(answers) == [(False, True)] * (THREADS - 1) + [(True, True)]
    assert ExtraUsageConfirmation.objects.count() == 1
    assert AuditEntry.objects.filter(action="extra_usage.confirmed").count() == 1


def test_n5_of_two_choices_at_once_a_longer_may_follow_a_shorter_one(acme, now):
    answers = press(used_up(acme, now), now, "window", "month")
    assert all(allowed for _is_new, allowed in answers)
    kept = [one.confirmed_for for one in ExtraUsageConfirmation.objects.order_by("pk")]
    assert kept in (["month"], ["window", "month"])
    assert sum(is_new for is_new, _allowed in answers) == len(kept)


def test_control_without_the_lock_the_database_has_to_refuse_the_second(
    acme, now, monkeypatch
):
    monkeypatch.setattr(
        confirming, "lock_organization", lambda pk: Organization.objects.get(pk=pk)
    )

    def is_refused(_attempt) -> bool:
        try:
            press(used_up(acme, now), now, "window")
        except IntegrityError:
            return True
        return False

    assert shows_in(is_refused(attempt) for attempt in range(TRIES))
