"""P3: an invoice is paid, voided or credited by operators in the admin, never edited."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from accounts.actions.audit import Actor
from accounts.audit import audit_row
from accounts.models import AuditEntry
from billing.books import differences
from billing.documents.actions.credit_notes import issue_credit_note
from billing.documents.actions.details import set_billing_details, set_terms
from billing.documents.actions.settling import mark_paid, void_invoice
from billing.documents.closing import close_due
from billing.documents.queries.documents import credited_nanos, owed_nanos
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.repricing import reprice_events
from billing.models import (
    BillingDetails,
    Invoice,
    ModelPrice,
    UsageEvent,
)
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import correct_price
from config.kit.errors import BusinessError
from config.kit.money import usd
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.people import make_user


@pytest.fixture(autouse=True)
def _at_the_close():
    with time_machine.travel(CLOSES, tick=False):
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
def invoice(acme, now) -> Invoice:
    """November's, $44.34 with 10 % tax."""
    set_terms(
        acme,
        tax_rate=10_000,
        tax_label="VAT",
        due_days=14,
        actor=Actor(label="test"),
        now=now,
    )
    use_november(acme, at=now)
    return close_november(acme)


def test_tax_comes_on_top_of_the_subtotal(invoice):
    assert (invoice.subtotal_nanos, invoice.tax_nanos, invoice.total_nanos) == (
        usd("44.34"),
        usd("4.43"),
        usd("48.77"),
    )
    assert str(invoice.due_on) == "2026-12-15"


def test_p3_an_invoice_copies_seller_and_buyer_as_they_were(acme, invoice, settings):
    settings.SELLER_NAME = "Somebody Else Ltd"
    set_billing_details(
        acme,
        billing_email="ap@acme.example",
        legal_name="Acme Holdings",
        address="1 New Street",
        tax_id="",
        reference="",
        actor=Actor(label="test"),
        now=CLOSES,
    )
    invoice.refresh_from_db()
    assert (invoice.seller["name"], invoice.buyer["name"]) == ("Extra usage", "Acme")


def test_p3_paid_twice_is_paid_once_and_the_trail_says_by_whom(invoice, olga):
    mark_paid(invoice, note="Wire 1", operator=olga, now=CLOSES)
    mark_paid(invoice, note="Wire 2", operator=olga, now=CLOSES)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.settled_note, owed_nanos(invoice)) == (
        "paid",
        "Wire 1",
        0,
    )
    [entry] = AuditEntry.objects.filter(action="invoice.status")
    assert (entry.actor, entry.subject, entry.from_value, entry.to_value) == (
        olga,
        "ACME-0001",
        "open",
        "paid",
    )
    row = audit_row(entry)
    assert (row.action, row.before, row.after) == ("Invoice", "Open", "Paid")


def test_p3_a_paid_invoice_can_not_be_voided_and_a_void_one_not_paid(invoice, olga):
    void_invoice(invoice, reason="Billed the wrong company", operator=olga, now=CLOSES)
    with pytest.raises(BusinessError) as refused:
        mark_paid(invoice, note="", operator=olga, now=CLOSES)
    assert refused.value.code == "invoice_not_open" and "Void" in refused.value.message
    assert invoice.lines.count() == 3 and list(differences()) == []


def test_p3_credit_notes_have_numbers_of_their_own_and_never_exceed_the_invoice(
    invoice, olga
):
    first, _mails = issue_credit_note(
        invoice, subtotal_nanos=usd("4.34"), reason="Outage", operator=olga, now=CLOSES
    )
    assert (first.number, first.tax_nanos, first.total_nanos) == (
        "ACME-CN-0001",
        usd("0.43"),
        usd("4.77"),
    )
    with pytest.raises(BusinessError, match=r"ACME-0001 has \$40\.00 left"):
        issue_credit_note(
            invoice, subtotal_nanos=usd("40.01"), reason="x", operator=olga, now=CLOSES
        )
    last, _mails = issue_credit_note(
        invoice, subtotal_nanos=usd(40), reason="All", operator=olga, now=CLOSES
    )
    invoice = Invoice.objects.get(pk=invoice.pk)
    # tax included, to the cent
    assert (last.number, credited_nanos(invoice)) == (
        "ACME-CN-0002",
        invoice.total_nanos,
    )
    assert (invoice.status, invoice.settled_note) == ("paid", "ACME-CN-0002")
    assert list(differences()) == []


def test_staff_without_the_right_take_no_step(client, invoice):
    client.force_login(make_user("sam@example.com", "Sam", is_staff=True))
    assert (
        client.post(
            f"/admin/billing/invoice/{invoice.pk}/step/paid/", {"text": "x"}
        ).status_code
        == 403
    )
    invoice.refresh_from_db()
    assert invoice.status == "open"


def test_tax_and_terms_are_set_by_operators_with_their_audit(operator, acme):
    operator.post(
        "/admin/billing/billingdetails/add/",
        {
            "organization": acme.pk,
            "tax_label": "VAT",
            "tax_percent": "8.875",
            "due_days": "45",
        },
    )
    details = BillingDetails.objects.get()
    assert (details.tax_rate, details.tax_label, details.due_days) == (8_875, "VAT", 45)
    assert AuditEntry.objects.get(action="billing.terms").to_value["tax_rate"] == 8_875
    page = operator.get(
        f"/admin/billing/billingdetails/{acme.pk}/change/"
    ).content.decode()
    assert 'value="8.875"' in page


def test_p3_an_invoice_that_was_credited_whole_was_not_paid(
    client, alice, invoice, olga
):
    issue_credit_note(
        invoice, subtotal_nanos=usd("44.34"), reason="All", operator=olga, now=CLOSES
    )
    client.force_login(alice.user)
    page = client.get("/o/acme/settings/billing/invoices/ACME-0001/").content.decode()
    assert "Credited in full" in page and "Paid on" not in page


def january(acme, amount):
    """Use an amount in December, and close it in January; its invoice."""
    use(acme, "bob", amount, at=CLOSES + dt.timedelta(days=1))
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    return Invoice.objects.get(month_on="2026-12-01")


def test_m5_a_void_invoice_hands_on_what_it_took_over(acme, now, olga):
    use_november(acme, at=now)
    november = close_november(acme)
    december = january(acme, "10")
    assert december.carried_in_nanos == usd("0.005") == november.carried_out_nanos
    void_invoice(december, reason="Wrong company", operator=olga, now=CLOSES)
    use(acme, "bob", "1", at=dt.datetime(2027, 1, 5, 12, tzinfo=dt.UTC))
    close_due(acme.pk, now=dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC))
    assert Invoice.objects.get(month_on="2027-01-01").carried_in_nanos == usd("0.005")
    assert list(differences()) == []


def test_m5_voiding_never_loses_a_credit_that_a_later_invoice_could_not_take_over(
    acme, now, olga
):
    use_november(acme, at=now)
    close_november(acme)
    event = UsageEvent.objects.get(event_id="ada-code")
    adjust_event(
        event, amount_nanos=-usd(30), reason="Outage", operator=olga, now=CLOSES
    )
    # December: nothing to pay, $29.995 carried on
    close_due(acme.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    use(acme, "bob", "40", at=dt.datetime(2027, 1, 5, 12, tzinfo=dt.UTC))
    close_due(acme.pk, now=dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC))
    credited = Invoice.objects.get(month_on="2027-01-01")
    assert credited.total_nanos == usd(10) or credited.total_nanos == usd("10.01")
    use(acme, "bob", "50", at=dt.datetime(2027, 2, 5, 12, tzinfo=dt.UTC))
    close_due(acme.pk, now=dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC))
    with pytest.raises(BusinessError) as refused:
        void_invoice(credited, reason="x", operator=olga, now=CLOSES)
    assert refused.value.code == "credit_would_be_lost"


def test_m4_a_price_corrected_after_a_waiver_gives_nothing_back_twice(acme, now, olga):
    use_november(acme, at=now)
    event = UsageEvent.objects.get(event_id="bob-code")
    adjust_event(
        event, amount_nanos=-usd("12.345"), reason="Waived", operator=olga, now=now
    )
    row = ModelPrice.objects.in_force().get(
        provider="anthropic", model="claude-sonnet-5"
    )
    rates = {name: getattr(row, name) for name in RATE_FIELDS} | {
        "output_nanos": usd(5)
    }
    correct_price(
        (row.provider, row.model, row.starts_on, row.context_above),
        rates=rates,
        actor=Actor(label="test"),
        now=now,
    )
    reprice_events(now=now)
    booked = sum(event.adjustments.values_list("amount_nanos", flat=True))
    assert event.cost_nanos + booked == 0
    assert reprice_events(now=now).adjusted == 0
