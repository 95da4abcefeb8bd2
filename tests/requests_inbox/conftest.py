"""Bob blocked at Acme: his session is used up and his standard seat's cap of $40 is
reached with $40.12.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from accounts.actions.audit import Actor
from accounts.actions.undoing import MAIL_WAITS
from accounts.models import Membership
from accounts.tasks import send_due_mails
from billing.caps.actions.caps import set_seat_tier_cap
from billing.metering.actions.recording import record_usage
from config.kit.money import usd
from requests_inbox.actions.deciding import Reviewer
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def spend(member: Membership, *amounts: str, at: dt.datetime) -> None:
    """Record events of these costs, the last ones minutes before `at`."""
    events = [
        event(member, at=at - dt.timedelta(minutes=5), usd=amount) for amount in amounts
    ]
    record_usage(events, organization_id=member.organization_id, now=at)


def block(
    member: Membership, *, at: dt.datetime = NOW, amount: str = "40.12"
) -> Membership:
    """Use up a session ($1 crosses its limit), then `amount` of extra usage."""
    spend(member, "1", amount, at=at)
    return member


def send_answers() -> None:
    """Send what waited until it could no longer be taken back."""
    with time_machine.travel(NOW + MAIL_WAITS, tick=False):
        send_due_mails()


@pytest.fixture
def blocked_bob(bob: Membership) -> Membership:
    """$40.12 of the $40 of standard seats."""
    enable_extra_usage(bob.organization)
    owner = Actor.person(bob.organization.primary_owner)
    set_seat_tier_cap(
        bob.organization, tier="standard", amount_nanos=usd("40"), actor=owner, now=NOW
    )
    return block(bob)


@pytest.fixture
def by_ada(ada: Membership) -> Reviewer:
    """Ada decides."""
    return Reviewer.person(ada)


@pytest.fixture
def by_alice(alice: Membership) -> Reviewer:
    """Alice decides."""
    return Reviewer.person(alice)
