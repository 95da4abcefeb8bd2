"""T5, bugs.md row 26: an answer that a card gives for ever ends auto-reload at once."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import mail

from accounts.tasks import send_due_mails
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, Payment
from billing.payments import processing, tasks
from billing.payments.actions.reloads import start_reload_if_due
from billing.payments.actions.settling import settle_payment
from billing.payments.gateways.base import Declined
from billing.payments.rules.reloading import is_final
from tests.conftest import NOW
from tests.factories.balances import turn_on, use_up_included
from tests.factories.usage import event

FINAL = ("lost_card", "stolen_card", "pickup_card", "invalid_account", "expired_card")


@pytest.fixture
def low(bolt, now):
    """Bolt at $20 with auto-reload of $50 at $25."""
    use_up_included(bolt)
    turn_on(bolt, reload=("25", "50"), now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="80")], organization_id=bolt.pk, now=now
    )
    return bolt


def decline(bolt, code, *, now):
    """Auto-reload is declined with `code`."""
    payment = start_reload_if_due(bolt.pk, now=now).payment
    settle_payment(payment.pk, Declined(code, "Your card was declined."), now=now)


@pytest.mark.parametrize("code", FINAL)
def test_t5_a_hard_decline_switches_auto_reload_off_at_once_and_is_not_tried_again(
    low, now, code
):
    decline(low, code, now=now)
    account = BillingAccount.objects.get(pk=low.pk)
    assert not account.auto_reload_enabled and account.reload_retry_at is None
    for hours in (1, 6, 24, 48):
        with time_machine.travel(now + dt.timedelta(hours=hours), tick=False):
            tasks.reload_due_balances()
    assert Payment.objects.reloads().count() == 1


@pytest.mark.parametrize(
    "code", ["insufficient_funds", "card_declined", "authentication_required"]
)
def test_t5_any_other_decline_is_tried_again(low, now, code):
    decline(low, code, now=now)
    account = BillingAccount.objects.get(pk=low.pk)
    assert account.auto_reload_enabled
    assert account.reload_retry_at == now + dt.timedelta(hours=1)
    assert not is_final(code)


def test_t5_a_hard_decline_is_told_as_what_it_is_on_the_page_and_by_mail(
    low, now, client
):
    with time_machine.travel(NOW + dt.timedelta(seconds=50), tick=False):
        send_due_mails()
        mail.outbox.clear()
        decline(low, "stolen_card", now=now)
        send_due_mails()
        client.force_login(low.primary_owner)
        page = client.get("/o/bolt/settings/usage/").content.decode()
    [sent] = mail.outbox
    assert sent.subject == "Auto-reload is off for Bolt"
    assert "won't accept this card any more, so we won't try again" in sent.body
    assert "stolen" not in sent.body  # Stripe: never tell who holds the card
    assert "isn&#x27;t tried again and auto-reload is off" in page
    assert "Off: card declined" in page and "last attempt" not in page


def test_t5_the_test_gateway_has_a_card_that_is_declined_for_good(bolt, now):
    from billing.payments import cards
    from billing.payments.gateways.sandbox import read_number
    from tests.factories.balances import bea_of, save_customer

    use_up_included(bolt)
    turn_on(bolt, reload=("25", "50"), now=now)
    save_customer(bolt, customer_id="customer-bolt")
    card = read_number("4000 0000 0000 9987").card_id
    cards.keep_card(bolt, session_id=card, actor=bea_of(bolt), now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="80")], organization_id=bolt.pk, now=now
    )
    payment = processing.reload_if_due(bolt.pk, now=now)
    assert (payment.status, payment.decline_code) == ("declined", "lost_card")
    assert not BillingAccount.objects.get(pk=bolt.pk).auto_reload_enabled
