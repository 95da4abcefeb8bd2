"""bugs.md row 4, P3: an invoice whose payment at Stripe is refunded, or taken back by the
bank, says so, and is open again where the money is gone for good.
"""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
import time_machine

from accounts.models import AuditEntry, OutgoingMail
from accounts.tasks import send_due_mails
from billing.books import differences
from billing.documents import tasks
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.settling import mark_paid
from billing.documents.gateway_events import take_waiting
from billing.documents.queries.documents import owed_nanos, uncredited_nanos
from billing.documents.words.documents import (
    invoice_headline,
    invoice_totals,
    state_text,
)
from billing.models import Dispute, Invoice, InvoiceRefund
from billing.payments.queries.reloads import open_dispute
from config.kit.money import usd
from tests.billing.payments.gateways.telling import tell
from tests.factories.documents import CLOSES, close_november, use_november

LATER = CLOSES + dt.timedelta(days=365)


@pytest.fixture
def now():
    """Acme's November."""
    return dt.datetime(2026, 11, 23, 19, 28, tzinfo=dt.UTC)


def sweep():
    with time_machine.travel(LATER, tick=False):
        return tasks.send_due_invoices()


@pytest.fixture
def invoice(acme, at_stripe, stripe, client, now, olga) -> Invoice:
    """ACME-0001 over $44.34, paid on Stripe's page."""
    moments = itertools.count(int(CLOSES.timestamp()) + 86_400)
    stripe.clock = lambda: next(moments)
    use_november(acme, at=now)
    with time_machine.travel(CLOSES, tick=False):
        made = close_november(acme)
        tasks.send_due_invoices()
    tell(client, stripe.invoices.pay(fresh(made).gateway_id))
    OutgoingMail.objects.all().delete()
    return made


@pytest.fixture
def intent(invoice, stripe) -> str:
    """The payment that paid it; we know it by asking."""
    sweep()
    [found] = stripe.invoices.paid_by.values()
    assert fresh(invoice).gateway_payment_id == found
    return found


def fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


def mailed():
    """What goes out: recipient and subject."""
    from django.core import mail

    mail.outbox.clear()
    send_due_mails()
    return sorted((one.to[0], one.subject) for one in mail.outbox)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_row_4_refunds_of_an_invoice_are_kept_once_in_any_order(
    invoice, intent, stripe, client, order
):
    events = [
        *stripe.outside.refund(intent, 400),
        *stripe.outside.refund(intent, 600),
    ]
    for place in order:
        tell(client, events[place], events[place])
    kept = InvoiceRefund.objects.order_by("amount_nanos")
    assert [one.amount_nanos for one in kept] == [usd(4), usd(6)]
    assert all(one.gateway_id for one in kept)
    ours = fresh(invoice)
    assert (ours.status, owed_nanos(ours), uncredited_nanos(ours)) == (
        "paid",
        0,
        usd(10),
    )
    assert list(differences()) == []


def test_row_4_a_refund_of_an_invoice_is_told_and_asks_operators_for_a_credit_note(
    invoice, intent, stripe, client, olga, alice
):
    tell(client, *stripe.outside.refund(intent, 400))
    sent = mailed()
    assert sent == [
        ("alice@acme.example", "$4.00 of invoice ACME-0001 was refunded"),
        ("billing@acme.example", "$4.00 of invoice ACME-0001 was refunded"),
        ("olga@example.com", "Acme: $4.00 of invoice ACME-0001 was refunded"),
    ]
    client.force_login(olga)
    listed = client.get("/admin/billing/invoice/").content.decode()
    assert "$4.00 was refunded in Stripe without a credit note: issue one." in listed
    issue_credit_note(
        fresh(invoice),
        subtotal_nanos=usd(4),
        reason="Outage",
        operator=olga,
        now=LATER,
    )
    listed = client.get("/admin/billing/invoice/").content.decode()
    assert "without a credit note" not in listed
    client.force_login(alice.user)
    page = client.get("/o/acme/settings/billing/invoices/ACME-0001/").content.decode()
    assert "$4.00 was refunded in Stripe." in page


def test_row_4_a_refund_of_an_invoice_that_fails_counts_no_more(
    invoice, intent, stripe, client
):
    created, charged = stripe.outside.refund(intent, 400)
    failed = stripe.outside.fail(created["data"]["object"]["id"])
    tell(client, charged, failed, created, charged)
    assert uncredited_nanos(fresh(invoice)) == 0


def test_row_4_news_of_an_invoice_wait_until_it_is_known_by_which_payment_it_was_paid(
    invoice, stripe, client
):
    [intent] = stripe.invoices.paid_by.values()
    tell(client, *stripe.outside.refund(intent, 400))
    assert not InvoiceRefund.objects.exists()
    sweep()
    assert take_waiting(now=LATER) == 2
    assert InvoiceRefund.objects.get().amount_nanos == usd(4)


def test_row_4_stripe_may_tell_by_an_event_which_payment_paid_an_invoice(
    invoice, stripe, client
):
    [intent] = stripe.invoices.paid_by.values()
    tell(client, *stripe.outside.refund(intent, 400))
    paid = {
        "id": "inpay_1",
        "object": "invoice_payment",
        "invoice": fresh(invoice).gateway_id,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status": "paid",
    }
    tell(client, stripe.tell(paid, "invoice_payment.paid"))
    assert fresh(invoice).gateway_payment_id == intent
    assert InvoiceRefund.objects.get().amount_nanos == usd(4)


def disputed(stripe, intent, outcome=None):
    events = stripe.outside.dispute(intent, 4_434)
    if outcome:
        [dispute_id] = stripe.outside.disputes
        events += stripe.outside.close(dispute_id, outcome)
    return events


def test_row_4_a_disputed_invoice_stays_paid_until_the_bank_decides_and_says_so(
    invoice, intent, stripe, client, alice
):
    tell(client, *disputed(stripe, intent))
    ours = fresh(invoice)
    assert ours.status == "paid" and open_dispute(ours.organization_id) is not None
    client.force_login(alice.user)
    page = client.get("/o/acme/settings/billing/invoices/ACME-0001/").content.decode()
    assert "Paid, disputed" in page and "the bank holds it until it decides" in page
    assert "Paid, disputed" in client.get("/o/acme/settings/billing/").content.decode()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_row_4_an_invoice_whose_dispute_is_lost_is_open_again_and_owed(
    invoice, intent, stripe, client, alice, order
):
    events = disputed(stripe, intent, "lost")
    for place in order:
        tell(client, events[place], events[place])
    ours = fresh(invoice)
    assert (ours.status, owed_nanos(ours)) == ("open", usd("44.34"))
    assert state_text(ours).startswith("Open again since ")
    assert list(invoice_totals(ours))[-1] == ("Amount due", usd("44.34"))
    [reopened] = AuditEntry.objects.filter(action="invoice.status", to_value="open")
    assert reopened.actor_label == "Stripe"
    assert list(differences()) == []
    # Nothing that Stripe repeats pays it again, and it can't be paid there.
    tell(client, stripe.invoices.pay(ours.gateway_id))
    sweep()
    assert fresh(invoice).status == "open"
    client.force_login(alice.user)
    page = client.get("/o/acme/settings/billing/invoices/ACME-0001/").content.decode()
    assert "Pay online" not in page and "$44.34" in page


def test_row_4_an_invoice_whose_dispute_is_won_stays_paid(
    invoice, intent, stripe, client
):
    tell(client, *disputed(stripe, intent, "won"))
    assert fresh(invoice).status == "paid" and Dispute.objects.get().status == "won"
    assert not AuditEntry.objects.filter(
        action="invoice.status", to_value="open"
    ).exists()


def test_p3_an_invoice_that_is_open_again_is_paid_another_way_without_an_alarm(
    invoice, intent, stripe, client, olga
):
    tell(client, *disputed(stripe, intent, "lost"))
    mark_paid(fresh(invoice), note="Wire", operator=olga, now=LATER)
    sweep()
    ours = fresh(invoice)
    assert (ours.status, ours.settled_note, ours.gateway_error) == ("paid", "Wire", "")
    assert list(differences()) == []


def test_p3_an_invoice_that_is_open_again_is_waived_by_a_credit_note(
    invoice, intent, stripe, client, olga
):
    tell(client, *disputed(stripe, intent, "lost"))
    issue_credit_note(
        fresh(invoice),
        subtotal_nanos=fresh(invoice).subtotal_nanos,
        reason="Waived",
        operator=olga,
        now=LATER,
    )
    ours = fresh(invoice)
    assert ours.status == "paid" and owed_nanos(ours) == 0
    assert state_text(ours) == "Credited in full"


def test_p3_a_partial_dispute_lost_owes_what_went_back_and_is_waived_by_as_much(
    invoice, intent, stripe, client, olga
):
    tell(client, *stripe.outside.dispute(intent, 2_000))
    [dispute_id] = stripe.outside.disputes
    tell(client, *stripe.outside.close(dispute_id, "lost"))
    assert owed_nanos(fresh(invoice)) == usd(20)
    issue_credit_note(
        fresh(invoice),
        subtotal_nanos=usd(20),
        reason="Waived",
        operator=olga,
        now=LATER,
    )
    assert fresh(invoice).status == "paid"


@pytest.mark.parametrize("is_documented", [False, True])
def test_p3_what_was_refunded_is_not_claimed_again_after_a_lost_dispute(
    invoice, intent, stripe, client, olga, is_documented
):
    """A refund was somebody's decision: only what the bank took back is owed."""
    tell(client, *stripe.outside.refund(intent, 1_000))
    if is_documented:
        credit(invoice, usd(10), reason="Refunded", operator=olga, now=LATER)
    tell(client, *stripe.outside.dispute(intent, 2_000))
    [dispute_id] = stripe.outside.disputes
    with time_machine.travel(LATER + dt.timedelta(days=1), tick=True):
        tell(client, *stripe.outside.close(dispute_id, "lost"))
    ours = fresh(invoice)
    assert ours.status == "open" and owed_nanos(ours) == usd(20)
    assert invoice_headline(ours).startswith("$20.00 · Open again since ")
    assert list(invoice_totals(ours))[-1] == ("Amount due", usd(20))
    later = LATER + dt.timedelta(days=2)
    credit(invoice, usd(20), reason="Waived", operator=olga, now=later)
    assert fresh(invoice).status == "paid"


def credit(invoice, nanos, **facts):
    issue_credit_note(fresh(invoice), subtotal_nanos=nanos, **facts)


def test_p3_money_given_back_after_all_pays_the_invoice_again(
    invoice, intent, stripe, client
):
    tell(client, *disputed(stripe, intent, "lost"))
    [dispute_id] = stripe.outside.disputes
    tell(client, *stripe.outside.close(dispute_id, "won"))
    assert fresh(invoice).status == "paid"
    assert Dispute.objects.get().taken_nanos == 0


def test_row_4_each_step_is_mailed_once_with_what_to_do(
    invoice, intent, stripe, client
):
    tell(client, *disputed(stripe, intent))
    opened = mailed()
    assert opened == [
        ("alice@acme.example", "$44.34 paid for invoice ACME-0001 is disputed"),
        ("billing@acme.example", "$44.34 paid for invoice ACME-0001 is disputed"),
        ("olga@example.com", "Acme: $44.34 paid for invoice ACME-0001 is disputed"),
    ]
    [dispute_id] = stripe.outside.disputes
    tell(client, *stripe.outside.close(dispute_id, "lost"))
    from django.core import mail

    lost = mailed()
    assert [to for to, _subject in lost] == [to for to, _subject in opened]
    [hers] = [one.body for one in mail.outbox if one.to == ["alice@acme.example"]]
    assert "open again: $44.34 is to be paid another way" in hers
    [olgas] = [one.body for one in mail.outbox if one.to == ["olga@example.com"]]
    assert "Mark the invoice as paid once the money comes another way" in olgas
    assert "you are an operator" in olgas


def test_a_reopened_invoice_can_not_be_made_of_any_paid_one(invoice):
    """The database opens a paid invoice again only with the moment it did."""
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError, match="no such step"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(status="open")
