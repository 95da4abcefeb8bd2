"""Bolt, a prepaid team, beside the fixed cast: its card, its balance."""

from __future__ import annotations

import pytest

from accounts.models import Organization
from tests.factories.balances import make_bolt


@pytest.fixture
def bolt(acme: Organization, now) -> Organization:
    """A Team of Bea (primary owner), Mia and Max with a card that works and no balance;
    extra usage off.
    """
    return make_bolt(now=now)
