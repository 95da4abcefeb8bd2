"""P3: documents are mailed once to each owner and to the billing address.

In their language, with the PDF.
"""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from django.core import mail
from pypdf import PdfReader

from accounts.actions.audit import Actor
from accounts.models import Organization, OutgoingMail, Role
from accounts.tasks import send_due_mails
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.details import set_terms
from billing.documents.closing import close_due
from billing.metering.actions.adjustments import adjust_event
from billing.models import Invoice, UsageEvent
from config.kit.money import usd
from tests.factories.balances import turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.people import MembershipFactory, make_user


def deliver(at=CLOSES):
    """Send what is due; the mails."""
    with time_machine.travel(at + dt.timedelta(seconds=1), tick=False):
        send_due_mails()
    sent, mail.outbox = mail.outbox, []
    return sent


@pytest.fixture
def invoice(acme, now) -> Invoice:
    """November's, for Alice and for Ken who reads Japanese."""
    MembershipFactory(
        organization=acme,
        user=make_user("ken@acme.example", "田中 健", language="ja"),
        base_role=Role.OWNER,
    )
    use_november(acme, at=now)
    with time_machine.travel(CLOSES, tick=False):
        return close_november(acme)


def test_p3_owners_and_the_billing_address_get_it_once_with_the_pdf(invoice):
    by_recipient = {message.to[0]: message for message in deliver()}
    assert sorted(by_recipient) == [
        "alice@acme.example",
        "billing@acme.example",
        "ken@acme.example",
    ]
    alices = by_recipient["alice@acme.example"]
    assert alices.subject == "$44.34 for Acme: extra usage in November 2026"
    assert "Invoice ACME-0001 is attached, due on 31 December 2026." in alices.body
    assert (
        "Claude Code · claude-sonnet-5: $42.34" in alices.body
        and "/o/acme/settings/billing/invoices/ACME-0001/" in alices.body
    )
    assert "because you are an owner of Acme" in alices.body
    [(name, content, mime)] = alices.attachments
    assert (name, mime) == ("Invoice-ACME-0001.pdf", "application/pdf")
    assert "$44.34" in PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert (
        by_recipient["ken@acme.example"].subject.startswith("Acme")
        and "11月" in by_recipient["ken@acme.example"].subject
    )
    assert "billing address of Acme" in by_recipient["billing@acme.example"].body
    assert deliver(CLOSES + dt.timedelta(hours=1)) == []


def test_the_rows_of_an_invoices_mail_add_up_with_tax_and_corrections(acme, alice, now):
    set_terms(
        acme,
        tax_rate=10_000,
        tax_label="VAT",
        due_days=30,
        actor=Actor(label="test"),
        now=now,
    )
    use_november(acme, at=now)
    event = UsageEvent.objects.get(event_id="ada-code")
    adjust_event(
        event, amount_nanos=-usd(3), reason="Outage", operator=alice.user, now=now
    )
    close_november(acme)
    body = deliver()[0].body
    for row in (
        "Claude Code · claude-sonnet-5: $42.34",
        "Claude · claude-sonnet-5: $2.00",
        "Corrections and carryover: -$3.00",
        "VAT 10 %: $4.13",
        "Total: $45.47",
    ):
        assert row in body, row


def test_p3_a_billing_address_that_is_an_owners_gets_one_mail(acme, now):
    Organization.objects.filter(pk=acme.pk).update(billing_email="Alice@acme.example")
    acme.refresh_from_db()
    use_november(acme, at=now)
    close_november(acme)
    assert [message.to for message in deliver()] == [["alice@acme.example"]]


def test_somebody_who_is_no_owner_any_more_gets_nothing(invoice, acme):
    acme.memberships.filter(user__email="ken@acme.example").update(
        base_role=Role.MEMBER
    )
    assert "ken@acme.example" not in {message.to[0] for message in deliver()}
    assert (
        OutgoingMail.objects.get(user__email="ken@acme.example").dropped_at is not None
    )


def test_p2_a_statement_is_mailed_too(bolt, now):
    use_up_included(bolt)
    turn_on(bolt, balance="100", now=now)
    use(bolt, "mia", "12.34567", at=now)
    deliver(now)
    closing = dt.datetime(2026, 12, 1, 14, tzinfo=dt.UTC)
    close_due(bolt.pk, now=closing)
    by_recipient = {message.to[0]: message for message in deliver(closing)}
    assert sorted(by_recipient) == ["bea@bolt.example", "billing@bolt.example"]
    beas = by_recipient["bea@bolt.example"]
    assert beas.subject == "$12.35 of extra usage by Bolt in November 2026"
    assert "Closing balance: $87.65" in beas.body and "nothing to pay" in beas.body
    assert beas.attachments[0][0] == "Statement-November-2026.pdf"


def test_p3_a_credit_note_is_mailed_with_its_reason(invoice, alice):
    deliver()
    issue_credit_note(
        invoice,
        subtotal_nanos=usd(4),
        reason="Outage on Tuesday",
        operator=alice.user,
        now=CLOSES,
    )
    [alices] = [
        message for message in deliver(CLOSES) if message.to == ["alice@acme.example"]
    ]
    assert alices.subject == "$4.00 credited to Acme on ACME-0001"
    assert (
        "Outage on Tuesday" in alices.body
        and alices.attachments[0][0] == "Credit-note-ACME-CN-0001.pdf"
    )


def test_no_mail_says_please_or_holds_a_tag_in_its_subject(invoice):
    for message in deliver():
        assert "<" not in message.subject and "\n" not in message.subject
        assert message.alternatives[0][0].count("<h1") == 1
