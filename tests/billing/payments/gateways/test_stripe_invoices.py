"""P3 with Stripe: an issued invoice is there once, can be paid there, and follows what
becomes of ours.
"""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine

from billing.documents import tasks
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.settling import mark_paid, void_invoice
from billing.models import Invoice, SeatAllowance
from config.kit.money import usd
from tests.billing.payments.gateways.conftest import SECRET
from tests.billing.payments.gateways.stripe_server import signature
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.usage import enable_extra_usage

WEBHOOK = "/webhooks/stripe/"


@pytest.fixture
def now():
    """Acme's November, in the past of the real clock or not: what counts here is
    Stripe's side.
    """
    return dt.datetime(2026, 11, 23, 19, 28, tzinfo=dt.UTC)


@pytest.fixture
def invoice(acme, at_stripe, now) -> Invoice:
    """Issued, not sent yet."""
    use_november(acme, at=now)
    with time_machine.travel(CLOSES, tick=False):
        return close_november(acme)


def sweep(at=CLOSES):
    """The job."""
    with time_machine.travel(at, tick=False):
        return tasks.send_due_invoices()


def tell(client, notice):
    """Post a webhook as Stripe would."""
    body = json.dumps(notice).encode()
    headers = {"Stripe-Signature": signature(body, SECRET)}
    return client.post(
        WEBHOOK, body, content_type="application/json", headers=headers
    ).status_code


def fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


def test_an_issued_invoice_is_at_stripe_with_its_number_total_and_a_page_to_pay_on(
    invoice, stripe, client, alice
):
    assert sweep() == 1 and sweep() == 0
    [theirs] = stripe.invoices.kept.values()
    assert (theirs["number"], theirs["total"], theirs["status"]) == (
        "ACME-0001",
        4434,
        "open",
    )
    assert (
        theirs["auto_advance"] == "false"
    )  # Stripe charges and mails nothing by itself
    ours = fresh(invoice)
    assert (ours.gateway_id, ours.gateway_url) == (
        theirs["id"],
        theirs["hosted_invoice_url"],
    )
    client.force_login(alice.user)
    assert (
        theirs["hosted_invoice_url"]
        in client.get("/o/acme/settings/billing/invoices/ACME-0001/").content.decode()
    )


# Stripe repeats a 500 for its key: a customer's is asked anew a day later, which this
# server's keys do not outlive.
@pytest.mark.parametrize(
    ("call", "failure"),
    [
        (call, failure)
        for call in range(4)
        for failure in ("drop_before", "drop_after", "500", "429")
        if (call, failure) != (0, "500")
    ],
)
def test_whatever_call_fails_the_next_try_makes_no_second_invoice(
    invoice, stripe, failure, call
):
    """The customer, the invoice, its item, its finalizing: each fails once, the answer
    lost or the call.
    """
    seen = 0
    original = stripe.post

    def failing(path, data):
        nonlocal seen
        seen += 1
        if seen == call + 1 and failure == "500":
            original(path, data)
            raise_error(stripe)
        return original(path, data)

    def raise_error(server):
        from tests.billing.payments.gateways.stripe_invoices import StripeError

        raise StripeError(500, type="api_error", message="Something went wrong.")

    if failure == "500":
        stripe.post = failing
    else:
        fail_at(stripe, call, failure)
    sweep()
    stripe.post = original
    for hours in (1, 2, 30):
        sweep(CLOSES + dt.timedelta(hours=hours))
    [theirs] = stripe.invoices.kept.values()
    assert (theirs["total"], theirs["status"]) == (4434, "open")
    ours = fresh(invoice)
    assert (ours.gateway_id, ours.gateway_next_try_at, ours.gateway_error) == (
        theirs["id"],
        None,
        "",
    )


def fail_at(stripe, call, failure):
    """Let the `call`th POST from now on fail."""
    count = iter(range(100))
    requests = stripe.requests

    class Counting(list):
        def append(self, one):
            super().append(one)
            if next(count) == call:
                stripe.fail_next = failure

    stripe.requests = Counting(requests)


def test_paid_on_stripes_page_is_paid_here_once(invoice, stripe, client):
    sweep()
    notice = stripe.invoices.pay(fresh(invoice).gateway_id)
    assert tell(client, notice) == 200 and tell(client, notice) == 200
    ours = fresh(invoice)
    assert (ours.status, ours.settled_by) == ("paid", None)
    sweep(dt.datetime.now(dt.UTC) + dt.timedelta(days=365))  # by which payment it was
    [intent] = stripe.invoices.paid_by.values()
    ours = fresh(invoice)
    assert (ours.gateway_next_try_at, ours.gateway_payment_id) == (None, intent)


@pytest.mark.parametrize(
    "change",
    [{"total": 1}, {"currency": "jpy"}, {"customer": "cus_other"}, {"id": "in_other"}],
)
def test_a_notice_about_something_else_pays_nothing(invoice, stripe, client, change):
    sweep()
    notice = stripe.invoices.pay(fresh(invoice).gateway_id)
    notice["data"]["object"] |= change
    assert tell(client, notice) == 200
    assert fresh(invoice).status == "open"


def test_paid_there_with_the_notice_lost_is_found_when_something_changes_here(
    invoice, stripe, alice
):
    sweep()
    stripe.invoices.pay(fresh(invoice).gateway_id)
    Invoice.objects.update(gateway_next_try_at=CLOSES)
    sweep()
    assert fresh(invoice).status == "paid"


def test_what_operators_decide_is_told_to_stripe(invoice, stripe, alice):
    sweep()
    issue_credit_note(
        invoice, subtotal_nanos=usd(4), reason="Outage", operator=alice.user, now=CLOSES
    )
    assert sweep() == 1
    [theirs] = stripe.invoices.kept.values()
    assert (theirs["pre_payment_credit_notes_amount"], theirs["status"]) == (
        400,
        "open",
    )
    mark_paid(fresh(invoice), note="Wire", operator=alice.user, now=CLOSES)
    assert sweep() == 1 and theirs["status"] == "paid" and sweep() == 0


@pytest.mark.parametrize("decide", [mark_paid, void_invoice])
@pytest.mark.parametrize("told_by", ["webhook", "sweep"])
def test_money_for_an_invoice_that_is_settled_already_is_told_to_operators(
    invoice, stripe, client, alice, decide, told_by
):
    sweep()
    words = {"note": "Wire"} if decide is mark_paid else {"reason": "Wrong company"}
    decide(fresh(invoice), operator=alice.user, now=CLOSES, **words)
    notice = stripe.invoices.pay(fresh(invoice).gateway_id)  # before Stripe was told
    if told_by == "webhook":
        tell(client, notice)
    else:
        sweep()
    assert fresh(invoice).gateway_error == "Also paid at Stripe: refund it there."
    assert fresh(invoice).status != "open"


def test_a_bill_below_stripes_least_charge_is_not_sent_there(
    acme, at_stripe, stripe, now
):
    enable_extra_usage(acme)
    SeatAllowance.objects.all().delete()
    use(acme, "bob", "0.49", at=now)
    assert (
        close_november(acme).gateway == ""
        and sweep() == 0
        and stripe.invoices.kept == {}
    )


def test_a_void_invoice_can_not_be_paid_there_either(invoice, stripe, alice):
    sweep()
    void_invoice(invoice, reason="Wrong company", operator=alice.user, now=CLOSES)
    sweep()
    assert [one["status"] for one in stripe.invoices.kept.values()] == ["void"]


def test_what_was_settled_before_it_was_sent_is_never_made_there(
    invoice, stripe, alice
):
    void_invoice(invoice, reason="Wrong company", operator=alice.user, now=CLOSES)
    sweep()
    assert stripe.invoices.kept == {} and fresh(invoice).gateway_next_try_at is None
