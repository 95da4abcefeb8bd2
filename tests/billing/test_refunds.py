"""T7: refunds and credits by operators in the Django admin, with their entries and reasons."""

from __future__ import annotations

import pytest
import time_machine

from billing import paying
from billing.actions.refunds import post_credit
from billing.actions.usage import record_usage
from billing.models import LedgerEntry, Payment, Refund, SandboxRefund
from billing.queries.books import differences
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.balances import balance, buy, turn_on, use_up_included
from tests.factories.people import make_user
from tests.factories.usage import event


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def olga(db):
    """An operator."""
    return make_user("olga@example.com", "Olga Operator", is_staff=True, is_superuser=True)


@pytest.fixture
def operator(client, olga):
    """Olga, signed in."""
    client.force_login(olga)
    return client


@pytest.fixture
def running(bolt, now):
    """$100 bought, $30 of it used."""
    use_up_included(bolt)
    turn_on(bolt, now=now)
    record_usage([event("mia@bolt.example", at=now, usd="30")], organization_id=bolt.pk, now=now)
    return bolt


def page_of(payment):
    """Where an operator refunds it."""
    return f"/admin/billing/payment/{payment.pk}/refund/"


def test_t7_an_operator_refunds_what_is_unused_with_a_reason(operator, olga, running):
    payment = Payment.objects.get()
    assert b"Refund up to $70.00" in operator.get(f"/admin/billing/payment/{payment.pk}/change/").content
    response = operator.post(page_of(payment), {"amount": "70", "reason": "Bought for the wrong team"}, follow=True)
    assert b"Refund of $70.00: Refunded" in response.content
    entry = LedgerEntry.objects.get(kind="refund")
    assert (entry.amount_nanos, entry.reason, entry.actor) == (-usd(70), "Bought for the wrong team", olga)
    assert balance(running) == 0 and SandboxRefund.objects.get().amount_cents == 7000
    assert b"Nothing of it is unused." in operator.get(f"/admin/billing/payment/{payment.pk}/change/").content
    assert list(differences()) == []


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"amount": "70.01", "reason": "x"}, "$70.00 of this purchase is unused"),
        ({"amount": "0", "reason": "x"}, "$70.00 of this purchase is unused"),
        ({"amount": "ten", "reason": "x"}, "is not an amount"),
        ({"amount": "10", "reason": ""}, "This field is required"),
        ({"amount": "10", "reason": "   "}, "This field is required"),
    ],
)
def test_t7_what_can_not_be_refunded_is_told_at_the_field(operator, running, typed, says):
    response = operator.post(page_of(Payment.objects.get()), typed)
    assert response.status_code == 422 and says in response.content.decode()
    assert not Refund.objects.exists() and balance(running) == usd(70)


def test_t7_several_refunds_never_give_back_more_than_was_paid(running, olga, now):
    payment = Payment.objects.get()
    buy(running, "500", now=now)
    paying.give_back(payment, amount_nanos=usd(60), reason="a", operator=olga, now=now)
    with pytest.raises(BusinessError, match=r"\$40\.00 of this purchase is unused"):
        paying.give_back(payment, amount_nanos=usd(41), reason="b", operator=olga, now=now)
    paying.give_back(payment, amount_nanos=usd(40), reason="b", operator=olga, now=now)
    assert balance(running) == usd(470) and list(differences()) == []


def test_t7_a_declined_purchase_has_nothing_to_refund(running, olga, now):
    payment = Payment.objects.get()
    Payment.objects.update(status="declined")
    with pytest.raises(BusinessError):
        paying.give_back(payment, amount_nanos=usd(5), reason="a", operator=olga, now=now)


def test_credits_and_corrections_are_entries_with_a_reason(operator, running):
    add = "/admin/billing/ledgerentry/add/"
    assert operator.get(add).status_code == 200
    operator.post(add, {"organization": running.pk, "amount": "25", "reason": "Outage on Monday"})
    operator.post(add, {"organization": running.pk, "amount": "5", "takes": "on", "reason": "Given twice"})
    rows = LedgerEntry.objects.filter(kind__in=["credit", "adjustment"]).order_by("pk")
    assert [(one.kind, one.amount_nanos, one.reason, one.actor.name) for one in rows] == [
        ("credit", usd(25), "Outage on Monday", "Olga Operator"), ("adjustment", -usd(5), "Given twice", "Olga Operator"),
    ]  # fmt: skip
    assert balance(running) == usd(90) and list(differences()) == []


@pytest.mark.parametrize(
    "typed", [{"amount": "0", "reason": "x"}, {"amount": "", "reason": "x"}, {"amount": "5", "reason": ""}]
)
def test_a_credit_needs_an_amount_and_a_reason(operator, running, typed):
    response = operator.post("/admin/billing/ledgerentry/add/", {"organization": running.pk, **typed})
    assert response.status_code == 200 and b"errorlist" in response.content
    assert not LedgerEntry.objects.filter(kind="credit").exists()


def test_only_prepaid_organizations_have_a_balance_to_credit(operator, running, acme, olga, now):
    assert b">Acme<" not in operator.get("/admin/billing/ledgerentry/add/").content
    with pytest.raises(BusinessError) as refused:
        post_credit(acme, amount_nanos=usd(5), reason="x", operator=olga, now=now)
    assert refused.value.code == "not_prepaid"


def test_staff_without_the_right_can_not_refund(client, running):
    client.force_login(make_user("sam@example.com", "Sam", is_staff=True))
    assert client.post(page_of(Payment.objects.get()), {"amount": "5", "reason": "x"}).status_code == 403
    assert not Refund.objects.exists()
