"""Invoices and statements for owners: pages, PDFs, CSVs, billing details (P3, D3).

Each line leads to the events behind it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace

import pytest
import time_machine
from django.test import Client
from pypdf import PdfReader

from accounts.models import AuditEntry, User
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.settling import mark_paid
from billing.documents.closing import close_due
from billing.documents.print import documents
from billing.documents.queries.documents import sums_by_model, with_end
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.models import BillingDetails, Invoice, Statement, UsageEvent
from billing.payments.actions.credits import post_credit
from config.kit.money import usd
from tests.factories.balances import turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.people import MembershipFactory
from tests.factories.usage import event

BILLING = "/o/acme/settings/billing/"
INVOICE = f"{BILLING}invoices/ACME-0001"


@pytest.fixture(autouse=True)
def _after_the_close():
    with time_machine.travel(CLOSES, tick=False):
        yield


@pytest.fixture
def invoice(acme, now) -> Invoice:
    """November's: Ada $30, Bob $12.345 and $2."""
    use_november(acme, at=now)
    return close_november(acme)


@pytest.fixture
def owner(acme) -> Client:
    """Alice, signed in."""
    client = Client()
    client.force_login(acme.primary_owner)
    return client


def html_of(client, path):
    """A page's HTML."""
    response = client.get(path)
    assert response.status_code == 200, response
    return response.content.decode()


def pdf_text(client, path):
    """The text of a PDF."""
    response = client.get(path)
    assert response["Content-Type"] == "application/pdf"
    return "\n".join(
        page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages
    )


def rows_of(client, path):
    """A CSV as dictionaries, with its mark for spreadsheets."""
    text = b"".join(client.get(path).streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_the_billing_page_lists_invoices_and_says_when_this_month_closes(
    owner, invoice
):
    page = html_of(owner, BILLING)
    assert "ACME-0001" in page and "November 2026" in page and "$44.34" in page
    assert "December closes on Fri 1 Jan at 06:00" in page


def test_p3_an_invoice_shows_what_is_to_pay_every_line_and_what_is_carried(
    owner, invoice
):
    page = html_of(owner, f"{INVOICE}/")
    for words in (
        "Due on 31 December 2026",
        "Ada Okafor",
        "Claude Code · claude-sonnet-5",
        "$12.34",
        "$44.34",
        "The exact total for the month is $44.345000000",
        "$0.005000000",
    ):
        assert words in page, words


@pytest.mark.parametrize(("days", "says"), [(30, "Open"), (31, "Overdue")])
def test_an_invoice_is_overdue_from_the_day_after_its_due_day(
    owner, acme, invoice, days, says
):
    with time_machine.travel(CLOSES + dt.timedelta(days=days), tick=False):
        owner.force_login(acme.primary_owner)
        assert f"{says}</span>" in html_of(owner, BILLING)


def test_p3_every_line_leads_to_the_events_whose_sum_it_is(owner, acme, invoice, now):
    page = html_of(owner, f"{INVOICE}/lines/3/")
    assert "bob-code" in page and "bob-chat" not in page and "Sum of 1 event" in page
    assert page.count("$12.345000000") == 3  # exact, summed, the event


def test_m4_a_correction_line_leads_to_its_differences(owner, acme, alice, invoice):
    event = UsageEvent.objects.get(event_id="ada-code")
    adjust_event(
        event, amount_nanos=-usd(3), reason="Outage", operator=alice.user, now=CLOSES
    )
    use(acme, "bob", "10", at=CLOSES)
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    page = html_of(owner, f"{BILLING}invoices/ACME-0002/")
    assert (
        "Correction of ada-code: Outage" in page
        and "Carried over from ACME-0001" in page
    )
    line = html_of(owner, f"{BILLING}invoices/ACME-0002/lines/2/")
    assert "ada-code" in line and "-$3.000000000" in line and "Alice Nakamura" in line
    # what is carried has no events
    assert owner.get(f"{BILLING}invoices/ACME-0002/lines/3/").status_code == 404


def test_p3_the_csvs_have_every_line_and_every_event_exact(owner, invoice):
    lines = rows_of(owner, f"{INVOICE}/lines.csv")
    assert [
        (one["Person"], one["Exact (USD)"], one["Amount (USD)"]) for one in lines
    ] == [
        ("Ada Okafor", "30.000000000", "30.00"),
        ("Bob Feld", "2.000000000", "2.00"),
        ("Bob Feld", "12.345000000", "12.34"),
    ]
    events = rows_of(owner, f"{INVOICE}/events.csv")
    assert {(one["Event"], one["Cost (USD)"]) for one in events} == {
        ("bob-code", "12.345000000"),
        ("bob-chat", "2.000000000"),
        ("ada-code", "30.000000000"),
    }


def test_a_hostile_name_is_no_formula_in_a_csv_and_no_markup_on_paper(
    owner, acme, bob, now
):
    bob.user.name = "=1+1 #strong[x] <b>"
    bob.user.save(update_fields=["name"])
    use_november(acme, at=now)
    close_november(acme)
    assert rows_of(owner, f"{INVOICE}/lines.csv")[0]["Person"].startswith("'=1+1")
    assert "=1+1 #strong[x] <b>" in pdf_text(owner, f"{INVOICE}.pdf")
    assert "&lt;b&gt;" in html_of(owner, f"{INVOICE}/")


def test_p3_the_pdf_has_seller_buyer_lines_and_total_in_both_languages(
    owner, acme, invoice
):
    text = pdf_text(owner, f"{INVOICE}.pdf")
    for words in (
        "Invoice",
        "ACME-0001",
        "$44.34",
        "31 December 2026",
        "Ada Okafor",
        "billing@acme.example",
    ):
        assert words in text, words
    User.objects.update(language="ja")
    japanese = pdf_text(owner, f"{INVOICE}.pdf")
    assert "請求書" in japanese and "2026年12月31日" in japanese


def test_a_pdf_of_too_many_lines_has_sums_that_add_up(
    owner, acme, alice, invoice, monkeypatch
):
    event = UsageEvent.objects.get(event_id="ada-code")
    adjust_event(
        event, amount_nanos=-usd(3), reason="Outage", operator=alice.user, now=CLOSES
    )
    use(acme, "bob", "10", at=CLOSES)
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    monkeypatch.setattr(documents, "PRINTED_LINES", 1)
    text = pdf_text(owner, f"{BILLING}invoices/ACME-0002.pdf")
    for words in (
        "Correction of Claude Code · claude-sonnet-5: Outage",
        "-$3.00",
        "$10.00",
        "Carried over from ACME-0001",
        "$7.00",
        "all 3 lines",
    ):
        assert words in text.replace("\n", " "), words
    assert "Ada Okafor" not in text


def test_the_sums_of_a_pdf_and_of_the_page_have_an_end_and_still_add_up(
    owner, acme, now, monkeypatch
):
    use_november(acme, at=now)
    made_up = [
        replace(event("bob@acme.example", at=now, usd="1"), model=f"made-up-{number}")
        for number in range(70)
    ]
    record_usage(made_up, organization_id=acme.pk, now=now)
    invoice = close_november(acme)
    monkeypatch.setattr(documents, "PRINTED_LINES", 1)
    printed = documents.printed_invoice(invoice)
    assert len(printed.lines) == documents.PRINTED_MODELS + 1
    # Two sums of November's own usage and seventy of the made-up models.
    assert printed.lines[-1].cells[:2] == ("and 12 more models", "12")
    shown, rest = with_end(sums_by_model(invoice), most=documents.PRINTED_MODELS)
    all_shown = sum(row.amount_nanos for row in shown)
    assert all_shown + rest.amount_nanos == invoice.subtotal_nanos
    by_model = html_of(owner, f"{INVOICE}/").split('id="lines-title"')[0]
    assert "and 22 more models" in by_model and by_model.count("made-up-") <= 50


def test_the_carry_line_stands_outside_peoples_groups_on_page_paper_and_csv(
    owner, acme, alice, invoice
):
    use(acme, "bob", "10", at=CLOSES)
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    second = Invoice.objects.get(number="ACME-0002")
    heads = [
        line.cells[0]
        for line in documents.printed_invoice(second).lines
        if line.is_group
    ]
    assert heads == ["Bob Feld (bob@acme.example)", "Carryover"]
    page = html_of(owner, f"{BILLING}invoices/ACME-0002/")
    after_bob = page.split("bob@acme.example")[1]
    assert after_bob.index(">Carryover<") < after_bob.index("Carried over from")
    *_bob, carried = rows_of(owner, f"{BILLING}invoices/ACME-0002/lines.csv")
    assert (carried["Kind"], carried["Person"]) == ("carried_in", "")


def test_p3_a_void_or_paid_invoice_says_so_on_page_and_paper(owner, invoice, alice):
    mark_paid(invoice, note="Wire 4711", operator=alice.user, now=CLOSES)
    assert "Paid on 1 December 2026" in html_of(
        owner, f"{INVOICE}/"
    ) and "Wire 4711" in html_of(owner, f"{INVOICE}/")
    assert "Paid" in pdf_text(owner, f"{INVOICE}.pdf")


def test_p3_a_credit_note_stands_on_the_invoice_and_on_paper(owner, invoice, alice):
    issue_credit_note(
        invoice, subtotal_nanos=usd(4), reason="Outage", operator=alice.user, now=CLOSES
    )
    page = html_of(owner, f"{INVOICE}/")
    assert (
        "ACME-CN-0001" in page and "-$4.00" in page and "$40.34" in page
    )  # what is left to pay
    assert "Outage" in pdf_text(owner, f"{BILLING}credit-notes/ACME-CN-0001.pdf")


@pytest.fixture
def statement(bolt, now) -> Statement:
    """Bolt's November: $100 bought, $12.34567 used by Mia, $5 credited."""
    use_up_included(bolt)
    turn_on(bolt, balance="100", now=now)
    use(bolt, "mia", "12.34567", at=now)
    post_credit(
        bolt, amount_nanos=usd(5), reason="Sorry", operator=bolt.primary_owner, now=now
    )
    close_due(bolt.pk, now=dt.datetime(2026, 12, 1, 14, tzinfo=dt.UTC))
    return Statement.objects.get(month_on="2026-11-01")


def test_p2_a_statement_goes_from_opening_to_closing_on_page_paper_and_csv(
    bolt, statement
):
    bea = Client()
    bea.force_login(bolt.primary_owner)
    at = "/o/bolt/settings/billing/"
    assert "November 2026" in html_of(bea, at) and "$92.65" in html_of(bea, at)
    page = html_of(bea, f"{at}statements/2026-11/")
    for words in (
        "Opening balance",
        "+$100.00",
        "-$12.35",
        "+$5.00",
        "$92.654330000",
        "Mia",
    ):
        assert words in page, words
    assert "Closing balance" in pdf_text(bea, f"{at}statements/2026-11.pdf")
    rows = rows_of(bea, f"{at}statements/2026-11/entries.csv")
    assert [one["Kind"] for one in rows] == [
        "opening",
        "purchase",
        "charge",
        "credit",
        "closing",
    ]
    assert [one["Balance (USD)"] for one in rows][-2:] == [
        "92.654330000",
        "92.654330000",
    ]
    assert bea.get(f"{at}statements/2026-12/").status_code == 404
    assert bea.get(f"{at}statements/banana/").status_code == 404


PATHS = [
    f"{INVOICE}/",
    f"{INVOICE}.pdf",
    f"{INVOICE}/lines.csv",
    f"{INVOICE}/events.csv",
    f"{INVOICE}/lines/1/",
    f"{BILLING}details/",
    f"{BILLING}documents/",
]


@pytest.mark.parametrize("path", PATHS)
def test_d3_only_owners_see_invoices(client, invoice, bob, ada, charlie, path):
    for person, status in ((bob, 403), (ada, 403), (charlie, 404)):
        client.force_login(person.user)
        assert client.get(path).status_code == status


def test_d1_an_invoice_of_another_organization_is_not_there(owner, invoice, charlie):
    client = Client()
    client.force_login(charlie.user)
    assert (
        client.get("/o/umbrella/settings/billing/invoices/ACME-0001/").status_code
        == 404
    )


def test_owners_say_who_is_billed_from_the_next_document_on(owner, acme, invoice):
    typed = {
        "legal_name": "Acme K.K.",
        "address": "1-2-3 Ginza\nTokyo",
        "tax_id": "T123",
        "reference": "PO 9",
        "billing_email": "ap@acme.example",
    }
    assert owner.post(f"{BILLING}details/", typed).status_code == 302
    acme.refresh_from_db()
    details = BillingDetails.objects.get()
    assert (acme.billing_email, details.legal_name, details.tax_id) == (
        "ap@acme.example",
        "Acme K.K.",
        "T123",
    )
    assert "1-2-3 Ginza" in html_of(owner, BILLING)
    assert "Acme K.K." not in html_of(owner, f"{INVOICE}/")
    [entry] = AuditEntry.objects.filter(action="billing.details")
    assert (
        entry.to_value["email"] == "ap@acme.example"
        and entry.from_value["email"] == "billing@acme.example"
    )
    wrong = owner.post(f"{BILLING}details/", typed | {"billing_email": "nobody"})
    assert (
        wrong.status_code == 422
        and "Enter a valid email address" in wrong.content.decode()
    )


def test_the_pages_take_the_same_queries_at_3_and_30_people(
    owner, acme, now, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    use_november(acme, at=now)
    close_november(acme)
    html_of(owner, BILLING)
    with CaptureQueriesContext(connection) as few:
        html_of(owner, f"{INVOICE}/")
        html_of(owner, BILLING)
    for number, member in enumerate(
        MembershipFactory.create_batch(30, organization=acme)
    ):
        use(
            acme,
            member.user.email.partition("@")[0],
            "1",
            at=CLOSES + dt.timedelta(minutes=number),
        )
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    with CaptureQueriesContext(connection) as many:
        html_of(owner, f"{BILLING}invoices/ACME-0002/")
        html_of(owner, BILLING)
    assert len(many) == len(few)
