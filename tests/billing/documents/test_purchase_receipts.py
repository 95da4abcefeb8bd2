"""Receipts of purchases: page, PDF and mail, with number, parties and the tax that the
price includes (T2, T4).
"""

from __future__ import annotations

import datetime as dt
import io

import pytest
import time_machine
from django.core import mail
from django.db import Error, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.audit import audit_row
from accounts.delivery import deliver
from accounts.models import AuditEntry, OutgoingMail, User
from billing.documents.actions.details import set_billing_details, set_terms
from billing.documents.books import document_differences
from billing.documents.words.documents import tax_text
from billing.models import Payment, PurchaseReceipt
from billing.payments import processing
from billing.payments.actions.disputes import take_dispute
from billing.payments.actions.settling import settle_payment
from billing.payments.gateways.base import Declined, Paid
from billing.payments.gateways.money_back import DisputeTold
from billing.payments.rules.tax import tax_within
from config.kit.money import NANOS_PER_CENT, usd
from tests.factories.balances import balance, bea_of, buy, make_bolt

HOME = "/o/bolt/settings/billing/"


@pytest.fixture
def bolt(db, now):
    """Bolt, billed as an Arabic company, with 10 % of VAT in the price."""
    with time_machine.travel(now, tick=False):
        bolt = make_bolt(now=now)
        set_billing_details(
            bolt,
            billing_email="b@bolt.example",
            legal_name="شركة النور",
            address="1 Main St\nSpringfield",
            tax_id="AE-4711",
            reference="PO 12",
            actor=bea_of(bolt),
            now=now,
        )
        set_terms(
            bolt,
            tax_rate=10_000,
            tax_label="VAT",
            due_days=30,
            actor=bea_of(bolt),
            now=now,
        )
        yield bolt


@pytest.fixture
def owner(bolt) -> Client:
    """Bea, signed in."""
    client = Client()
    client.force_login(bolt.primary_owner)
    return client


def pdf_text(content: bytes) -> str:
    """The text of a PDF."""
    pages = PdfReader(io.BytesIO(content)).pages
    return "\n".join(page.extract_text() for page in pages)


@given(
    cents=st.integers(1, 10**9),
    rate=st.integers(0, 100_000),
)
def test_the_tax_in_a_price_is_whole_cents_and_net_and_tax_make_the_price(cents, rate):
    total = cents * NANOS_PER_CENT
    tax = tax_within(total, rate=rate)
    assert 0 <= tax < total or tax == total == NANOS_PER_CENT
    assert tax % NANOS_PER_CENT == 0
    # Adding the tax to the net gives the tax again, to half a cent.
    exact = (total - tax) * rate / 100_000
    assert abs(exact - tax) <= NANOS_PER_CENT * (1 + rate / 100_000) / 2 + 1


def test_every_purchase_has_one_receipt_and_what_was_charged_stays(bolt, now):
    first, second = (buy(bolt, amount, now=now) for amount in ("100", "5.50"))
    assert balance(bolt) == usd("105.50")
    numbers = ("number", "subtotal_nanos", "tax_nanos", "total_nanos")
    assert list(PurchaseReceipt.objects.order_by("pk").values_list(*numbers)) == [
        ("BOLT-R-0001", usd("90.91"), usd("9.09"), usd(100)),
        ("BOLT-R-0002", usd(5), usd("0.50"), usd("5.50")),
    ]
    settle_payment(first.pk, Paid(first.gateway_id), now=now)
    settle_payment(second.pk, Declined("x", "x", ""), now=now)
    assert PurchaseReceipt.objects.count() == 2


def test_what_was_not_paid_has_no_receipt_and_takes_no_number(db, now):
    with time_machine.travel(now, tick=False):
        bolt = make_bolt(now=now, card="declines")
        assert buy(bolt, "50", now=now).status == Payment.Status.DECLINED
    assert not PurchaseReceipt.objects.exists()


def test_a_receipt_is_never_changed(bolt, now):
    buy(bolt, "100", now=now)
    for change in (
        lambda: PurchaseReceipt.objects.update(tax_nanos=0),
        lambda: PurchaseReceipt.objects.all().delete(),
    ):
        with pytest.raises(Error), transaction.atomic():
            change()


def test_a_receipt_says_seller_buyer_and_tax_on_page_paper_and_in_the_mail(
    owner, bolt, now, settings
):
    settings.SELLER_NAME = "Northwind Seats Ltd"
    buy(bolt, "100", now=now)
    billing = owner.get(HOME).content.decode()
    assert f"{HOME}receipts/BOLT-R-0001/" in billing
    page = owner.get(f"{HOME}receipts/BOLT-R-0001/").content.decode()
    paper = pdf_text(owner.get(f"{HOME}receipts/BOLT-R-0001.pdf").content)
    for words in (
        "BOLT-R-0001",
        "Northwind Seats Ltd",
        "Springfield",
        "AE-4711",
        "PO 12",
        "$90.91",
        "VAT 10 %",
        "$9.09",
        "Total paid",
        "$100.00",
        "Bea Solano",
        "The price includes the tax.",
    ):
        assert words in page, words
        assert words in paper.replace("\n", " "), words
    assert "شركة النور" in page
    with time_machine.travel(now + dt.timedelta(minutes=1), tick=False):
        assert deliver(OutgoingMail.objects.get(kind="balance.paid").pk)
    [sent] = mail.outbox
    assert "Receipt BOLT-R-0001 is attached; $9.09 of it is VAT." in sent.body
    [(name, content, kind)] = sent.attachments
    assert (name, kind) == ("Receipt-BOLT-R-0001.pdf", "application/pdf")
    assert "$100.00" in pdf_text(content)


def test_e8_the_books_prove_a_receipt_of_what_was_paid_for_every_purchase(bolt, now):
    payment = buy(bolt, "100", now=now)
    assert list(document_differences()) == []
    Payment.objects.filter(pk=payment.pk).update(amount_nanos=usd(99))
    [found] = document_differences()
    assert (found.kept, found.proven) == (usd(100), usd(99))


def test_a_refund_stands_on_the_receipt(owner, bolt, now):
    payment = buy(bolt, "100", now=now)
    processing.refund(
        payment,
        amount_nanos=usd(40),
        reason="Too much",
        operator=bolt.primary_owner,
        now=now,
    )
    page = owner.get(f"{HOME}receipts/BOLT-R-0001/").content.decode()
    assert "Refunded" in page and "-$40.00" in page and "$60.00" in page


@pytest.mark.parametrize("status", ["open", "lost"])
def test_row_4_a_dispute_stands_on_the_receipt(owner, bolt, now, status):
    payment = buy(bolt, "100", now=now)
    moment = int(now.timestamp())
    facts = ("du_1", 6_000, status, False, "", moment, 0, moment, 0, moment)
    take_dispute(payment.pk, DisputeTold(*facts), now=now)
    page = owner.get(f"{HOME}receipts/BOLT-R-0001/").content.decode()
    paper = pdf_text(owner.get(f"{HOME}receipts/BOLT-R-0001.pdf").content)
    for text in (page, paper.replace("\n", " ")):
        if status == "open":
            assert "$60.00 is disputed since 23 November 2026" in text
            assert "-$60.00" not in text
        else:
            assert "$60.00 went back on 23 November 2026 by decision" in text
            assert "Taken back by the bank" in text and "-$60.00" in text
            assert "What remains paid" in text and "$40.00" in text


def test_p6_the_buyers_address_stands_beside_a_name_that_no_font_has(owner, bolt, now):
    User.objects.filter(pk=bolt.primary_owner.pk).update(name="தமிழ்ச்செல்வி")
    buy(bolt, "100", now=now)
    paper = pdf_text(owner.get(f"{HOME}receipts/BOLT-R-0001.pdf").content)
    assert "(bea@bolt.example)" in paper


def test_p6_a_tax_name_read_from_the_right_does_not_move_its_rate(owner, bolt, now):
    set_terms(
        bolt,
        tax_rate=19_000,
        tax_label="VAT ضريبة",
        due_days=30,
        actor=bea_of(bolt),
        now=now,
    )
    buy(bolt, "100", now=now)
    receipt = PurchaseReceipt.objects.get()
    assert tax_text(receipt) == "\u2068VAT ضريبة\u2069 19 %"
    entry = AuditEntry.objects.filter(action="billing.terms").latest("pk")
    assert audit_row(entry).after.startswith("\u2068VAT ضريبة\u2069 19 %, ")
    paper = pdf_text(owner.get(f"{HOME}receipts/BOLT-R-0001.pdf").content)
    [line] = [line for line in paper.splitlines() if "VAT" in line and "$" in line]
    assert " 19 % " in line and "VAT 19" not in line


def test_d1_d3_receipts_are_the_owners_alone(bolt, now):
    buy(bolt, "100", now=now)
    mia = bolt.memberships.get(user__email="mia@bolt.example")
    for user, status in ((mia.user, 403), (None, 302)):
        client = Client()
        if user:
            client.force_login(user)
        for path in ("BOLT-R-0001/", "BOLT-R-0001.pdf"):
            assert client.get(f"{HOME}receipts/{path}").status_code == status
    owner = Client()
    owner.force_login(bolt.primary_owner)
    assert owner.get(f"{HOME}receipts/BOLT-R-0009/").status_code == 404


def test_without_a_rate_a_receipt_speaks_of_no_tax(db, now):
    with time_machine.travel(now, tick=False):
        bolt = make_bolt(now=now)
        buy(bolt, "100", now=now)
        client = Client()
        client.force_login(bolt.primary_owner)
        page = client.get(f"{HOME}receipts/BOLT-R-0001/").content.decode()
    assert "Subtotal" not in page and "tax" not in page.split("<main")[1].lower()
