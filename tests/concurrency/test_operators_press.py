"""T7: an operator's impatient presses of one form, at once from many threads, make one
refund and one credit. PostgreSQL.
"""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from billing.books import differences
from billing.models import LedgerEntry, Payment, Refund, SandboxRefund
from billing.payments import processing
from billing.payments.actions import refunds
from billing.payments.actions.refunds import post_credit
from config.kit.money import usd
from tests.concurrency.threads import run_together
from tests.factories.balances import balance, make_bolt, turn_on
from tests.factories.people import make_user

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
        processing.give_back(
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


def test_t7_eight_presses_at_once_are_one_credit(bolt, olga):
    key = uuid.uuid4().hex

    def press(_number):
        post_credit(
            bolt,
            amount_nanos=usd(20),
            reason="x",
            operator=olga,
            key=key,
            now=timezone.now(),
        )

    run_together(THREADS, press)
    assert LedgerEntry.objects.filter(kind="credit").count() == 1
    assert balance(bolt) == usd(120) and list(differences()) == []


def test_control_without_asking_what_the_form_made_before_each_press_is_a_credit(
    bolt, olga, monkeypatch
):
    monkeypatch.setattr(refunds, "_booked_before", lambda *facts: None)
    key = uuid.uuid4().hex

    def press(_number):
        post_credit(
            bolt,
            amount_nanos=usd(20),
            reason="x",
            operator=olga,
            key=key,
            now=timezone.now(),
        )

    run_together(THREADS, press)
    assert LedgerEntry.objects.filter(kind="credit").count() == THREADS
