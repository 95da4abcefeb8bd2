"""T7: refunds and credits by operators in the Django admin, with their entries and reasons."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from billing.books import differences
from billing.ledger.actions import post_entry
from billing.ledger.words import entry_reason, entry_words
from billing.metering.actions.recording import record_usage
from billing.models import (
    EntryKind,
    LedgerEntry,
    Payment,
    Refund,
)
from billing.payments import processing
from billing.payments.actions.credits import post_credit
from billing.payments.actions.refunds import (
    refundable_nanos,
    settle_refund,
    start_refund,
)
from billing.payments.gateways.base import RefundFailed
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
    return make_user(
        "olga@example.com", "Olga Operator", is_staff=True, is_superuser=True
    )


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
    record_usage(
        [event("mia@bolt.example", at=now, usd="30")], organization_id=bolt.pk, now=now
    )
    return bolt


def test_t7_several_refunds_never_give_back_more_than_was_paid(running, olga, now):
    payment = Payment.objects.get()
    buy(running, "500", now=now)
    processing.refund(payment, amount_nanos=usd(60), reason="a", operator=olga, now=now)
    with pytest.raises(BusinessError, match=r"\$40\.00 of this purchase is unused"):
        processing.refund(
            payment, amount_nanos=usd(41), reason="b", operator=olga, now=now
        )
    processing.refund(payment, amount_nanos=usd(40), reason="b", operator=olga, now=now)
    assert balance(running) == usd(470) and list(differences()) == []


def test_t7_a_refund_form_used_again_for_another_amount_refunds_nothing_and_says_so(
    running, olga, now
):
    payment, key = Payment.objects.get(), "a" * 32
    processing.refund(
        payment, amount_nanos=usd(20), reason="a", operator=olga, key=key, now=now
    )
    with pytest.raises(
        BusinessError,
        match=r"already used to refund \$20\.00, so nothing was refunded this time",
    ) as refused:
        processing.refund(
            payment, amount_nanos=usd(30), reason="a", operator=olga, key=key, now=now
        )
    assert refused.value.code == "already_refunded" and balance(running) == usd(50)


def test_t7_an_entry_that_was_rolled_back_does_not_keep_its_form_from_booking(
    running, olga, now
):
    class Lost(Exception):
        """The transaction around it fails after all."""

    key = uuid.uuid4().hex

    def book():
        post_credit(
            running, amount_nanos=usd(25), reason="x", operator=olga, key=key, now=now
        )

    with pytest.raises(Lost), transaction.atomic():
        book()
        raise Lost
    book()
    assert balance(running) == usd(95)


@pytest.mark.parametrize(
    ("given", "used", "left"),
    [
        ("50", "0", 70),  # the whole credit stays behind
        ("50", "70", 0),  # bought money is used first, so only the credit is left
        ("50", "90", 0),
        ("0", "0", 70),
        ("25", "140", 0),  # below zero, never negative
    ],
)
def test_t7_what_credits_gave_is_never_paid_out(running, olga, now, given, used, left):
    if usd(given):
        post_credit(
            running, amount_nanos=usd(given), reason="Sorry", operator=olga, now=now
        )
    if usd(used):
        record_usage(
            [event("mia@bolt.example", at=now, usd=used)],
            organization_id=running.pk,
            now=now,
        )
    assert refundable_nanos(Payment.objects.get()) == usd(left)


def test_t7_credits_that_were_used_up_or_taken_back_hold_no_later_purchase(
    running, olga, now
):
    post_credit(running, amount_nanos=usd(50), reason="Sorry", operator=olga, now=now)
    post_credit(
        running, amount_nanos=usd(-20), reason="Given twice", operator=olga, now=now
    )
    assert refundable_nanos(Payment.objects.get()) == usd(70)
    record_usage(
        [event("mia@bolt.example", at=now, usd="95")],
        organization_id=running.pk,
        now=now,
    )
    assert balance(running) == usd(5)
    assert refundable_nanos(buy(running, "40", now=now)) == usd(40)


def test_t7_a_declined_purchase_has_nothing_to_refund(running, olga, now):
    payment = Payment.objects.get()
    Payment.objects.update(status="declined")
    with pytest.raises(BusinessError):
        processing.refund(
            payment, amount_nanos=usd(5), reason="a", operator=olga, now=now
        )


def test_t7_a_refund_that_fails_is_told_in_each_readers_language(
    client, running, olga, now
):
    payment = Payment.objects.get()
    refund, _is_new = start_refund(
        payment, amount_nanos=usd(20), reason="a", operator=olga, now=now
    )
    with translation.override("ja"):  # whoever happens to be served meanwhile
        settle_refund(refund.pk, RefundFailed("closed account"), now=now)
    entry = LedgerEntry.objects.latest("pk")
    assert (entry.kind, entry.reason) == ("adjustment", "")
    page = reverse("ledger_entry", args=[running.slug, entry.pk])
    client.force_login(running.primary_owner)
    for language, told in (
        ("en", "The refund failed: closed account"),
        ("ja", "返金に失敗しました：closed account"),
    ):
        with translation.override(language):
            assert entry_words(entry)[1] == entry_reason(entry) == told
        User.objects.update(language=language)
        response = client.get(page)
        assert told in response.content.decode()


def test_t7_what_earlier_versions_wrote_about_a_failed_refund_is_shown_as_it_is(
    running, olga, now
):
    refund, _is_new = start_refund(
        Payment.objects.get(), amount_nanos=usd(20), reason="a", operator=olga, now=now
    )
    Refund.objects.update(status="failed", failure="closed account")
    entry = post_entry(
        running,
        kind=EntryKind.ADJUSTMENT,
        amount_nanos=usd(20),
        refund=refund,
        reason="返金に失敗しました：closed account",
        now=now,
    )
    with translation.override("en"):
        assert entry_words(entry)[1] == "返金に失敗しました：closed account"


def test_t7_a_credit_form_sent_again_after_months_is_the_same_entry(running, olga, now):
    key = uuid.uuid4().hex
    booked = post_credit(
        running, amount_nanos=usd(25), reason="x", operator=olga, key=key, now=now
    )
    cache.clear()
    later = now + dt.timedelta(days=100)
    again = post_credit(
        running, amount_nanos=usd(25), reason=" x ", operator=olga, key=key, now=later
    )
    assert again == booked and balance(running) == usd(95)


def test_t7_the_database_itself_refuses_a_second_entry_of_a_key(running, olga, now):
    def book():
        post_entry(
            running, kind=EntryKind.CREDIT, amount_nanos=usd(5), key="k", now=now
        )

    book()
    with pytest.raises(IntegrityError), transaction.atomic():
        book()
    assert balance(running) == usd(75) and list(differences()) == []


def test_only_prepaid_organizations_have_a_balance_to_credit(running, acme, olga, now):
    with pytest.raises(BusinessError) as refused:
        post_credit(acme, amount_nanos=usd(5), reason="x", operator=olga, now=now)
    assert refused.value.code == "not_prepaid"


def test_staff_without_the_right_can_not_refund(client, running):
    client.force_login(make_user("sam@example.com", "Sam", is_staff=True))
    payment = Payment.objects.get()
    address = f"/admin/billing/payment/{payment.pk}/refund/"
    step = f"/admin/accounts/organization/{running.pk}/steps/refund/"
    for page in (address, step):
        typed = {"payment": payment.pk, "amount": "5", "reason": "x"}
        assert client.post(page, typed).status_code == 403
    assert not Refund.objects.exists()
