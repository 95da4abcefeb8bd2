"""T7: refunds and credits by operators in the Django admin, with their entries and reasons."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation

from accounts.models import AuditEntry
from billing.books import differences
from billing.ledger.actions import post_entry
from billing.ledger.words import entry_reason, entry_words
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    EntryKind,
    LedgerEntry,
    Payment,
    Refund,
    SandboxRefund,
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
from tests.factories.balances import balance, buy, set_reload, turn_on, use_up_included
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


def page_of(payment):
    """Where an operator refunds it."""
    return f"/admin/billing/payment/{payment.pk}/refund/"


ADD = "/admin/billing/ledgerentry/add/"


def send(client, url, typed, *, times=1, **options):
    """Open a form, fill it in and press its button; the last answer."""
    html = client.get(url).content.decode()
    [key] = re.findall(r'name="key" value="([0-9a-f]{32})"', html)
    for _press in range(times):
        response = client.post(url, {**typed, "key": key}, **options)
    return response


def test_t7_an_operator_refunds_what_is_unused_with_a_reason(operator, olga, running):
    payment = Payment.objects.get()
    assert (
        b"Refund up to $70.00"
        in operator.get(f"/admin/billing/payment/{payment.pk}/change/").content
    )
    response = send(
        operator,
        page_of(payment),
        {"amount": "70", "reason": "Bought for the wrong team"},
        follow=True,
    )
    assert b"Refund of $70.00: Refunded" in response.content
    entry = LedgerEntry.objects.get(kind="refund")
    assert (entry.amount_nanos, entry.reason, entry.actor) == (
        -usd(70),
        "Bought for the wrong team",
        olga,
    )
    assert balance(running) == 0 and SandboxRefund.objects.get().amount_cents == 7000
    assert (
        b"There is nothing left to refund."
        in operator.get(f"/admin/billing/payment/{payment.pk}/change/").content
    )
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
def test_t7_what_can_not_be_refunded_is_told_at_the_field(
    operator, running, typed, says
):
    response = send(operator, page_of(Payment.objects.get()), typed)
    assert response.status_code == 422 and says in response.content.decode()
    assert not Refund.objects.exists() and balance(running) == usd(70)


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


def test_t7_pressing_refund_twice_is_one_refund(operator, running):
    response = send(
        operator,
        page_of(Payment.objects.get()),
        {"amount": "20", "reason": "x"},
        times=2,
        follow=True,
    )
    assert b"Refund of $20.00: Refunded" in response.content
    assert Refund.objects.count() == SandboxRefund.objects.count() == 1 and balance(
        running
    ) == usd(50)
    # opened anew, it is another one
    send(operator, page_of(Payment.objects.get()), {"amount": "20", "reason": "x"})
    assert Refund.objects.count() == 2


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


def test_t7_pressing_add_twice_is_one_credit(operator, running):
    typed = {"organization": running.pk, "amount": "25", "reason": "Outage on Monday"}
    send(operator, ADD, typed, times=2)
    assert (
        balance(running) == usd(95)
        and LedgerEntry.objects.filter(kind="credit").count() == 1
    )
    send(operator, ADD, typed)  # opened anew, it is another one
    assert balance(running) == usd(120) and list(differences()) == []


def test_t7_a_credit_form_used_again_for_something_else_books_nothing_and_says_so(
    operator, running
):
    html = operator.get(ADD).content.decode()
    typed = {
        "organization": running.pk,
        "reason": "x",
        "key": re.findall(r'name="key" value="(\w+)"', html)[0],
    }
    operator.post(ADD, {**typed, "amount": "25"})
    page = operator.post(ADD, {**typed, "amount": "52"}, follow=True).content.decode()
    assert (
        "This form was already used to book $25.00, so nothing was booked this time."
        in page
        and balance(running) == usd(95)
    )


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


def test_t7_a_refund_down_to_the_threshold_switches_auto_reload_off_and_says_so(
    operator, olga, running, now
):
    set_reload(running, "25", "50", now=now)
    payment = Payment.objects.get()
    assert (
        "A refund that brings it to $25.00 or below turns auto-reload off"
        in operator.get(page_of(payment)).content.decode()
    )
    response = send(
        operator,
        page_of(payment),
        {"amount": "45", "reason": "x"},
        times=2,
        follow=True,
    )
    assert b"so auto-reload is now off" in response.content
    assert not BillingAccount.objects.get(organization=running).auto_reload_enabled
    entry = AuditEntry.objects.filter(action="balance.auto_reload").latest("pk")
    assert entry.actor == olga and entry.to_value == {"auto_reload": False}
    assert processing.reload_if_due(running.pk, now=now) is None and balance(
        running
    ) == usd(25)
    assert (
        "turns auto-reload off" not in operator.get(page_of(payment)).content.decode()
    )


def test_t7_a_refund_that_stays_above_the_threshold_leaves_auto_reload_on(
    operator, running, now
):
    set_reload(running, "25", "50", now=now)
    response = send(
        operator,
        page_of(Payment.objects.get()),
        {"amount": "44.99", "reason": "x"},
        follow=True,
    )
    assert b"auto-reload is now off" not in response.content
    assert BillingAccount.objects.get(organization=running).auto_reload_enabled


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
        response = client.get(page, headers={"accept-language": language})
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


def test_credits_and_corrections_are_entries_with_a_reason(operator, running):
    send(
        operator,
        ADD,
        {"organization": running.pk, "amount": "25", "reason": "Outage on Monday"},
    )
    send(
        operator,
        ADD,
        {
            "organization": running.pk,
            "amount": "5",
            "takes": "on",
            "reason": "Given twice",
        },
    )
    rows = LedgerEntry.objects.filter(kind__in=["credit", "adjustment"]).order_by("pk")
    assert [
        (one.kind, one.amount_nanos, one.reason, one.actor.name) for one in rows
    ] == [
        ("credit", usd(25), "Outage on Monday", "Olga Operator"),
        ("adjustment", -usd(5), "Given twice", "Olga Operator"),
    ]
    assert balance(running) == usd(90) and list(differences()) == []


@pytest.mark.parametrize(
    "typed",
    [
        {"amount": "0", "reason": "x"},
        {"amount": "", "reason": "x"},
        {"amount": "5", "reason": ""},
    ],
)
def test_a_credit_needs_an_amount_and_a_reason(operator, running, typed):
    response = send(operator, ADD, {"organization": running.pk, **typed})
    assert response.status_code == 200 and b"errorlist" in response.content
    assert not LedgerEntry.objects.filter(kind="credit").exists()


def test_only_prepaid_organizations_have_a_balance_to_credit(
    operator, running, acme, olga, now
):
    assert b">Acme<" not in operator.get(ADD).content
    with pytest.raises(BusinessError) as refused:
        post_credit(acme, amount_nanos=usd(5), reason="x", operator=olga, now=now)
    assert refused.value.code == "not_prepaid"


def test_staff_without_the_right_can_not_refund(client, running):
    client.force_login(make_user("sam@example.com", "Sam", is_staff=True))
    assert (
        client.post(
            page_of(Payment.objects.get()), {"amount": "5", "reason": "x"}
        ).status_code
        == 403
    )
    assert not Refund.objects.exists()
