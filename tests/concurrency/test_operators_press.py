"""T7: an operator's impatient presses of one form, at once from many threads, make one
refund and one credit. PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import Plan
from billing.books import differences
from billing.models import LedgerEntry, Payment, Refund, SandboxRefund
from billing.payments import processing
from billing.payments.actions import credits
from billing.payments.actions.credits import post_credit
from config.kit.money import usd
from tests.concurrency.threads import run_together
from tests.factories.balances import balance, make_bolt, turn_on
from tests.factories.people import make_organization, make_user

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS = 8


@pytest.fixture
def bolt(transactional_db, _seeded):
    """Bolt with $100."""
    made = make_bolt(now=timezone.now())
    turn_on(made, balance="100", now=timezone.now())
    return made


@pytest.fixture
def olga(transactional_db):
    """An operator."""
    return make_user("olga@example.com", "Olga Operator")


def test_t7_eight_presses_at_once_are_one_refund(bolt, olga):
    payment, key = Payment.objects.get(), uuid.uuid4().hex

    def press(_number):
        processing.refund(
            payment,
            amount_nanos=usd(20),
            reason="x",
            operator=olga,
            key=key,
            now=timezone.now(),
        )

    run_together(THREADS, press)
    assert Refund.objects.count() == SandboxRefund.objects.count() == 1
    assert balance(bolt) == usd(80) and list(differences()) == []


def credit(bolt, olga, *, key, now=None):
    """One press of the form that credits $20."""
    return post_credit(
        bolt,
        amount_nanos=usd(20),
        reason="x",
        operator=olga,
        key=key,
        now=now or timezone.now(),
    )


def credits_of(bolt):
    """How many credits were booked."""
    return LedgerEntry.objects.filter(organization=bolt, kind="credit").count()


def test_t7_eight_presses_at_once_are_one_credit(bolt, olga):
    key = uuid.uuid4().hex
    booked = []
    run_together(THREADS, lambda _number: booked.append(credit(bolt, olga, key=key)))
    assert len({entry.pk for entry in booked}) == 1 and len(booked) == THREADS
    assert credits_of(bolt) == 1
    assert balance(bolt) == usd(120) and list(differences()) == []


def test_t7_presses_long_after_the_first_and_without_a_cache_are_still_one_credit(
    bolt, olga
):
    key = uuid.uuid4().hex
    credit(bolt, olga, key=key)
    cache.clear()
    later = timezone.now() + dt.timedelta(days=400)
    run_together(THREADS, lambda _number: credit(bolt, olga, key=key, now=later))
    assert credits_of(bolt) == 1 and balance(bolt) == usd(120)


def test_t7_the_same_key_in_two_organizations_is_an_entry_in_each(bolt, olga):
    acme = make_organization("acme", owner=olga, plan=Plan.TEAM, now=timezone.now())
    key = uuid.uuid4().hex

    def press(number):
        credit((bolt, acme)[number % 2], olga, key=key)

    run_together(THREADS, press)
    assert credits_of(bolt) == credits_of(acme) == 1 and list(differences()) == []


def test_control_without_asking_what_the_form_made_the_database_books_once(
    bolt, olga, monkeypatch
):
    monkeypatch.setattr(credits, "_booked_with", lambda *facts: None)
    key = uuid.uuid4().hex
    with pytest.raises(IntegrityError, match="one_entry_per_key"):
        run_together(THREADS, lambda _number: credit(bolt, olga, key=key))
    assert credits_of(bolt) == 1
    assert balance(bolt) == usd(120) and list(differences()) == []


def test_control_without_a_key_each_press_is_a_credit(bolt, olga):
    run_together(THREADS, lambda _number: credit(bolt, olga, key=""))
    assert credits_of(bolt) == THREADS
