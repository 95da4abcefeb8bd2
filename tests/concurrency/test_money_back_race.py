"""bugs.md row 4: news of the same refund and dispute from many deliveries at once, beside an
operator's own refund: each is booked once. PostgreSQL.
"""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from billing.books import differences
from billing.documents.gateway_events import record_gateway_event
from billing.models import Dispute, Payment, Refund
from billing.payments import processing
from billing.payments.actions import gateway_refunds
from billing.payments.gateways.base import GatewayEvent
from billing.payments.gateways.money_back import (
    DisputeTold,
    RefundedSoFar,
    RefundTold,
)
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.concurrency.threads import run_together, shows_in
from tests.factories.balances import balance, buy, make_bolt, turn_on
from tests.factories.people import make_user

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS = 16


@pytest.fixture
def bought(transactional_db, _seeded):
    """$100 bought at the test gateway, whose payments have IDs like any."""
    bolt = make_bolt(now=timezone.now())
    turn_on(bolt, balance="100", reload=("25", "50"), now=timezone.now())
    return Payment.objects.select_related("organization").get()


def event(number, payment, told):
    """One delivery with an ID of its own, as Stripe's several events about one thing."""
    return GatewayEvent(
        f"evt_{number}",
        "any",
        money_back=told,
        currency="usd",
        gateway_id=payment.gateway_id,
        livemode=False,
    )


def deliver(number, payment, told):
    """As the webhook does."""
    return record_gateway_event(
        event(number, payment, told), gateway=payment.gateway, now=timezone.now()
    )


REFUND = RefundTold("re_1", 2_000, False, "", "", 1_790_000_000)
FAILED = RefundTold("re_1", 2_000, True, "", "failed", 1_790_000_009)
SUM = RefundedSoFar("ch_1", 2_000, 1_790_000_001)


def dispute(*, withdrawn=0, reinstated=0, status="open", at=0):
    told_at = 1_790_000_000 + at
    return DisputeTold(
        "du_1", 3_000, status, False, "", told_at, 0, withdrawn, reinstated, told_at
    )


def test_one_refund_told_by_many_deliveries_at_once_is_booked_once(bought):
    tolds = [REFUND, SUM]
    run_together(
        THREADS, lambda number: deliver(number, bought, tolds[number % len(tolds)])
    )
    assert balance(bought.organization) == usd(80)
    assert Refund.objects.not_failed().get().gateway_id == "re_1"
    assert list(differences()) == []


def test_a_refund_and_its_failure_told_at_once_leave_the_balance_as_it_was(bought):
    tolds = [REFUND, SUM, FAILED]
    run_together(
        THREADS, lambda number: deliver(number, bought, tolds[number % len(tolds)])
    )
    assert balance(bought.organization) == usd(100)
    assert list(differences()) == []


def test_a_dispute_told_by_many_deliveries_at_once_is_booked_out_and_back_once(bought):
    tolds = [
        dispute(withdrawn=1_790_000_000),
        dispute(withdrawn=1_790_000_001, at=1),
        dispute(withdrawn=1_790_000_001, status="won", at=5),
        dispute(withdrawn=1_790_000_001, reinstated=1_790_000_005, status="won", at=5),
    ]
    run_together(
        THREADS, lambda number: deliver(number, bought, tolds[number % len(tolds)])
    )
    assert balance(bought.organization) == usd(100)
    assert Dispute.objects.get().status == "won" and list(differences()) == []


def test_an_operators_refund_and_a_dispute_at_once_never_give_it_back_twice(bought):
    """Whoever is first: the second is refused, or the dispute goes below what is left."""
    olga = make_user("olga@example.com", "Olga", is_staff=True)

    def work(number):
        if number % 2:
            return deliver(number, bought, dispute(withdrawn=1_790_000_000, at=number))
        try:
            return processing.refund(
                bought,
                amount_nanos=usd(100),
                reason="Race",
                operator=olga,
                now=timezone.now(),
            )
        except BusinessError as error:
            return error.code

    answers = run_together(THREADS, work)
    refunds = Refund.objects.not_failed().count()
    assert refunds <= 1
    refused = {one for one in answers if isinstance(one, str)}
    assert refused <= {"payment_disputed", "refund_amount"}
    assert balance(bought.organization) == usd(100) - usd(30) - refunds * usd(100)
    assert list(differences()) == []


def test_control_without_the_lock_the_sum_of_a_charge_is_booked_more_than_once(
    bought, monkeypatch
):
    """What the organization's lock keeps from happening."""
    monkeypatch.setattr(
        gateway_refunds, "lock_organization", lambda pk: bought.organization
    )

    def once() -> bool:

        def work(number):
            with transaction.atomic():
                return gateway_refunds.take_refunded_so_far(
                    bought.pk, SUM, now=timezone.now()
                )

        try:
            run_together(THREADS, work)
        except Exception:
            return True
        return Refund.objects.count() > 1

    assert shows_in(once() for _try in range(20))


def test_one_purchase_beside_is_not_lost(bought):
    """Another purchase at the same moment keeps the running balance true."""

    def work(number):
        if number == 0:
            return buy(bought.organization, "50", now=timezone.now())
        return deliver(number, bought, REFUND)

    run_together(THREADS, work)
    assert balance(bought.organization) == usd(130) and list(differences()) == []
