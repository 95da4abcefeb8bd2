"""Two reviewers press at the same moment on PostgreSQL: one decision, one cap change,
one mail; the second is told (R4).
"""

from __future__ import annotations

import itertools

import pytest

from accounts.actions.audit import Actor
from accounts.models import AuditEntry, Membership, OutgoingMail
from billing.caps.actions.caps import set_seat_tier_cap
from billing.models import SpendCap
from config.kit.errors import BusinessError
from config.kit.money import usd
from requests_inbox.actions import asking, deciding
from requests_inbox.actions.asking import send_request
from requests_inbox.actions.deciding import Reviewer, dismiss_request, increase_limit
from requests_inbox.models import UsageRequest
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import MembershipFactory, make_cast
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import block

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
REVIEWERS, TRIES = 12, 20


@pytest.fixture
def bob(transactional_db, now) -> Membership:
    """Bob, blocked."""
    acme = make_cast(now=now)
    enable_extra_usage(acme)
    set_seat_tier_cap(
        acme,
        tier="standard",
        amount_nanos=usd("40"),
        actor=Actor(label="owner"),
        now=now,
    )
    return block(
        Membership.objects.select_related("user", "organization").get(
            user__email="bob@acme.example"
        ),
        at=now,
    )


@pytest.fixture
def reviewers(bob) -> list[Reviewer]:
    """A dozen admins."""
    admins = MembershipFactory.create_batch(
        REVIEWERS, organization=bob.organization, base_role="admin"
    )
    return [Reviewer.person(one) for one in admins]


def decide(
    request: UsageRequest,
    reviewer: Reviewer,
    number: int,
    now,
    *,
    told: tuple[str, ...] = ("already_decided",),
) -> str:
    """One reviewer's press: an increase of their own amount, every third a dismissal.

    What they are told.
    """
    try:
        if number % 3 == 2:
            done = dismiss_request(
                request.organization,
                request_id=request.pk,
                note="",
                by=reviewer,
                now=now,
            )
        else:
            done = increase_limit(
                request.organization,
                request_id=request.pk,
                amount_nanos=usd(str(60 + number)),
                this_month_only=False,
                by=reviewer,
                now=now,
            )
    except BusinessError as error:
        assert error.code in told, error
        return error.message
    return done.request.status


def test_r4_the_first_wins_and_all_others_hear_who_decided_what(bob, reviewers, now):
    request = send_request(bob, now=now).request
    answers = run_together(
        REVIEWERS, lambda number: decide(request, reviewers[number], number, now)
    )
    request.refresh_from_db()
    told = [one for one in answers if one not in ("approved", "dismissed")]
    assert len(told) == REVIEWERS - 1
    assert all(str(request.decided_by) in one for one in told)
    approved = request.status == "approved"
    assert SpendCap.objects.filter(membership=bob).count() == approved
    assert AuditEntry.objects.filter(action="cap.member").count() == approved
    assert OutgoingMail.objects.count() == 1


def test_r1_a_dozen_presses_make_one_request(bob, now):
    answers = run_together(REVIEWERS, lambda _number: send_request(bob, now=now))
    assert sum(one.is_new for one in answers) == 1
    assert UsageRequest.objects.count() == 1


def test_control_without_the_lock_several_decisions_are_made(
    bob, reviewers, now, monkeypatch
):
    """The same with the organization's lock taken away: several find the request
    waiting.

    One who read it before another's increase and Bob's standing after it is told that
    there is nothing to decide.
    """
    acme = bob.organization
    monkeypatch.setattr(deciding, "lock_organization", lambda pk: acme)
    monkeypatch.setattr(asking, "lock_organization", lambda pk: acme)

    def several_decide(member: Membership) -> bool:
        request, told = (
            send_request(member, now=now).request,
            ("already_decided", "request_ended"),
        )
        answers = run_together(
            REVIEWERS,
            lambda number: decide(request, reviewers[number], number, now, told=told),
        )
        return sum(one in ("approved", "dismissed") for one in answers) > 1

    others = (
        block(MembershipFactory(organization=acme), at=now) for _try in range(TRIES - 1)
    )
    assert shows_in(several_decide(member) for member in itertools.chain([bob], others))
