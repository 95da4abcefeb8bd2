"""What operators do with a customer's invoices and months are steps; their mistakes are
stopped, or said, at the preview.
"""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from accounts.models import AuditEntry, OutgoingMail
from billing.books import differences
from billing.documents.actions.details import set_terms
from billing.documents.actions.foreseeing import coming_documents
from billing.documents.actions.months import draft_month, freeze_month
from billing.documents.closing import close_due
from billing.metering.actions.adjustments import adjust_event
from billing.metering.actions.recording import record_usage
from billing.models import BillingMonth, CreditNote, Invoice, Statement, UsageEvent
from config.kit.fields import new_key
from config.kit.money import usd
from tests.customer.conftest import (
    page_url,
    preview,
    seen_in,
    signed_in,
    step_url,
    take,
    text_of,
)
from tests.factories.balances import make_bolt, turn_on, use_up_included
from tests.factories.documents import CLOSES, close_november, use, use_november
from tests.factories.usage import event

ON_INVOICES = ("mark-paid", "void", "credit-note")
ON_MONTHS = ("close-month", "reopen-month")


@pytest.fixture
def finance(db):
    """Acts on money."""
    return signed_in("Finance")


@pytest.fixture(autouse=True)
def _at_the_close(time_machine):
    time_machine.move_to(CLOSES, tick=False)


@pytest.fixture
def used(acme, now):
    """Acme with $44.345 of extra usage in November, 10 % tax, nothing closed."""
    set_terms(
        acme,
        tax_rate=10_000,
        tax_label="VAT",
        due_days=14,
        actor=Actor(label="test"),
        now=now,
    )
    use_november(acme, at=now)
    return acme


@pytest.fixture
def invoice(used) -> Invoice:
    """November's: $44.34 and $4.43 of tax."""
    return close_november(used)


def last(action: str) -> AuditEntry:
    """The latest change of a kind."""
    return AuditEntry.objects.filter(action=action).latest("pk")


# -- Invoices ---------------------------------------------------------------------------


def test_an_invoice_is_marked_as_paid_with_what_is_owed(finance, acme, invoice):
    shown = text_of(preview(finance, acme, "mark-paid", invoice=invoice.pk))
    for words in ("ACME-0001 would be paid.", "VAT 10", "$48.77 → $0.00"):
        assert words in shown, words
    done = take(finance, acme, "mark-paid", invoice=invoice.pk, reason="Wire 4711")
    assert "ACME-0001 is now marked as paid." in text_of(done)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.settled_note) == ("paid", "Wire 4711")
    entry = last("invoice.status")
    assert (entry.actor.name, entry.reason) == ("Finance", "Wire 4711")


def test_a_paid_invoice_is_neither_voided_nor_paid_again(finance, acme, invoice):
    take(finance, acme, "mark-paid", invoice=invoice.pk)
    for name in ("void", "mark-paid"):
        shown = preview(finance, acme, name, invoice=invoice.pk)
        assert shown.status_code == 422
        assert "ACME-0001 is not open but Paid" in text_of(shown)
    assert "No invoice is open." in text_of(finance.get(page_url(acme)))


def test_a_void_says_that_nothing_else_bills_the_month(finance, acme, invoice):
    shown = text_of(preview(finance, acme, "void", invoice=invoice.pk))
    assert "No other document bills $44.34 of usage in November 2026 then." in shown
    take(finance, acme, "void", invoice=invoice.pk, reason="Wrong company")
    invoice.refresh_from_db()
    assert invoice.status == "void"
    assert last("invoice.status").reason == "Wrong company"
    assert list(differences()) == []


def test_a_credit_note_says_tax_rest_owed_and_mails(finance, acme, invoice):
    typed = {"invoice": invoice.pk, "amount": "10", "key": new_key()}
    shown = text_of(preview(finance, acme, "credit-note", **typed))
    for words in (
        "$11.00 of ACME-0001 would be taken back.",
        "$44.34 → $34.34",
        "$48.77 → $37.77",
        "2 mails tell of it.",
    ):
        assert words in shown, words
    before = OutgoingMail.objects.count()
    take(finance, acme, "credit-note", **typed)
    note = CreditNote.objects.get()
    assert (note.total_nanos, note.reason) == (usd(11), "Ticket 8841")
    assert OutgoingMail.objects.count() - before == 2
    assert last("invoice.credit_note").reason == "Ticket 8841"


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("44.35", "ACME-0001 has $44.34 left"),
        ("0", "can't be credited"),
        ("1.234", "decimal places"),
    ],
)
def test_a_credit_note_above_the_rest_is_refused(finance, acme, invoice, amount, says):
    typed = {"invoice": invoice.pk, "amount": amount, "key": new_key()}
    shown = preview(finance, acme, "credit-note", **typed)
    assert shown.status_code == 422 and says in text_of(shown)
    assert not CreditNote.objects.exists()


def test_an_empty_amount_credits_the_rest_and_settles_it(finance, acme, invoice):
    typed = {"invoice": invoice.pk, "amount": "", "key": new_key()}
    shown = text_of(preview(finance, acme, "credit-note", **typed))
    assert "Nothing is left to pay, so it counts as settled." in shown
    take(finance, acme, "credit-note", **typed)
    invoice.refresh_from_db()
    assert invoice.status == "paid" and list(differences()) == []


def test_a_credit_note_of_a_paid_invoice_returns_no_money(finance, acme, invoice):
    take(finance, acme, "mark-paid", invoice=invoice.pk)
    typed = {"invoice": invoice.pk, "amount": "10", "key": new_key()}
    shown = text_of(preview(finance, acme, "credit-note", **typed))
    assert "no money goes back by this: return $11.00 yourself." in shown


def test_a_credit_note_pressed_twice_is_one(finance, acme, invoice):
    typed = {"invoice": invoice.pk, "amount": "10", "key": new_key()}
    take(finance, acme, "credit-note", **typed)
    again = take(finance, acme, "credit-note", **typed)
    assert "ACME-CN-0001 over $11.00 was issued already" in text_of(again)
    other = preview(finance, acme, "credit-note", **{**typed, "amount": "11"})
    assert "already used to issue ACME-CN-0001" in text_of(other)
    assert CreditNote.objects.count() == 1


def test_no_invoice_of_another_customer_is_touched(finance, charlie, invoice):
    umbrella = charlie.organization
    for name in ON_INVOICES:
        shown = preview(finance, umbrella, name, invoice=invoice.pk, key=new_key())
        assert shown.status_code == 422 and not seen_in(shown)


def test_the_old_addresses_of_invoices_lead_to_the_steps(
    finance, support, acme, invoice
):
    for old, new in (
        ("paid", "mark-paid"),
        ("void", "void"),
        ("credit", "credit-note"),
    ):
        address = f"/admin/billing/invoice/{invoice.pk}/step/{old}/"
        assert support.get(address).status_code == 403
        answer = finance.get(address)
        assert answer.url == f"{step_url(acme, new)}?invoice={invoice.pk}"
    page = text_of(finance.get(answer.url))
    assert "ACME-0001 · November 2026 · $48.77 · Open" in page and "checked" in page


def test_rows_lead_to_their_steps_for_those_who_may(finance, support, acme, invoice):
    for address in (page_url(acme), f"/admin/billing/invoice/{invoice.pk}/change/"):
        for name in ON_INVOICES:
            link = f"/steps/{name}/?invoice={invoice.pk}"
            assert link in text_of(finance.get(address)), (address, name)
            assert link not in text_of(support.get(address)), (address, name)


# -- Months -----------------------------------------------------------------------------


def test_closing_an_open_month_is_stopped_with_when_it_can_be_closed(
    finance, used, time_machine, now
):
    time_machine.move_to(now, tick=False)
    page = text_of(finance.get(page_url(used)))
    assert "November 2026 can be closed on Tue 1 Dec at 06:00." in page
    shown = preview(finance, used, "close-month", month="2026-11")
    assert shown.status_code == 422
    # By the customer's clock, as on their page.
    assert "Tue 1 Dec 2026, 06:00 (America/New_York)." in text_of(shown)
    take(finance, used, "close-month", month="2026-11")
    assert not BillingMonth.objects.exists()


def test_a_month_that_is_over_is_closed_as_its_preview_said(finance, used):
    shown = text_of(preview(finance, used, "close-month", month="2026-11"))
    for words in ("ACME-0001, 3 lines", "$44.34", "$4.43", "$48.77", "2 mails go out."):
        assert words in shown, words
    assert not BillingMonth.objects.exists() and not Invoice.objects.exists()
    before = OutgoingMail.objects.count()
    done = text_of(take(finance, used, "close-month", month="2026-11"))
    assert "Invoice ACME-0001 over $48.77 is issued." in done
    made = Invoice.objects.get()
    assert (made.number, made.total_nanos, made.lines.count()) == (
        "ACME-0001",
        usd("48.77"),
        3,
    )
    assert OutgoingMail.objects.count() - before == 2
    entry = last("invoice.month")
    assert (entry.from_value, entry.to_value, entry.reason) == (
        "open",
        "closed",
        "Ticket 8841",
    )
    assert list(differences()) == []


def test_what_a_close_would_issue_is_what_it_issues(finance, used, now):
    """With corrections, what the invoice before carried on, and another rounding."""
    close_november(used)
    later = CLOSES + dt.timedelta(days=2)
    use(used, "bob", "7.77700", at=later, id="d1")
    use(used, "ada", "0.00600", at=later, id="d2")
    operator = used.primary_owner
    adjust_event(
        UsageEvent.objects.get(event_id="d1"),
        amount_nanos=-usd("1.11"),
        reason="x",
        operator=operator,
        now=later,
    )
    coming = coming_documents(used, month_on=dt.date(2026, 12, 1)).invoice
    [closed] = close_due(used.pk, now=dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC))
    assert (
        coming.number,
        coming.subtotal_nanos,
        coming.tax_nanos,
        coming.total_nanos,
        coming.lines,
    ) == (
        closed.invoice.number,
        closed.invoice.subtotal_nanos,
        closed.invoice.tax_nanos,
        closed.invoice.total_nanos,
        closed.invoice.lines.count(),
    )


def test_a_close_that_was_left_half_way_is_finished(finance, used):
    frozen = freeze_month(used.pk, month_on=dt.date(2026, 11, 1), now=CLOSES)
    draft_month(frozen.pk, now=CLOSES)
    shown = text_of(preview(finance, used, "close-month", month="2026-11"))
    assert "ACME-0001, 3 lines" in shown and "$48.77" in shown
    take(finance, used, "close-month", month="2026-11")
    made = Invoice.objects.get()
    assert (made.number, made.status, made.total_nanos) == (
        "ACME-0001",
        "open",
        usd("48.77"),
    )


def test_what_a_close_says_of_a_balance_is_its_statement(finance, now, time_machine):
    time_machine.move_to(now, tick=False)
    bolt = make_bolt(now=now)
    use_up_included(bolt)
    turn_on(bolt, now=now)
    sent = event("mia@bolt.example", at=now, usd="30")
    record_usage([sent], organization_id=bolt.pk, now=now)
    time_machine.move_to(CLOSES + dt.timedelta(hours=4), tick=False)
    shown = text_of(preview(finance, bolt, "close-month", month="2026-11"))
    assert "$0.00 → $70.00" in shown
    take(finance, bolt, "close-month", month="2026-11")
    made = Statement.objects.get()
    assert (made.opening_nanos, made.closing_nanos) == (0, usd(70))


def test_months_close_in_order(finance, used):
    shown = preview(finance, used, "close-month", month="2026-12")
    assert shown.status_code == 422
    assert not BillingMonth.objects.exists()


def test_a_close_pressed_twice_is_one(finance, used):
    seen = seen_in(preview(finance, used, "close-month", month="2026-11"))
    sent = {"month": "2026-11", "reason": "x", "seen": seen}
    for _press in range(2):
        answer = finance.post(step_url(used, "close-month"), sent)
    assert answer.status_code == 422 and Invoice.objects.count() == 1


def test_a_close_that_came_too_early_is_taken_back(finance, used, time_machine, now):
    close_november(used)
    time_machine.move_to(now + dt.timedelta(minutes=1), tick=False)
    shown = text_of(preview(finance, used, "reopen-month", month="2026-11"))
    assert "ACME-0001 over $48.77 becomes void; its number is not given out" in shown
    take(finance, used, "reopen-month", month="2026-11", reason="Clock")
    assert Invoice.objects.get().status == "void"
    assert not BillingMonth.objects.exists()
    entry = last("invoice.month")
    assert (entry.actor.name, entry.reason, entry.to_value) == (
        "Finance",
        "Clock",
        "open",
    )
    assert list(differences()) == []


def test_a_close_of_a_month_that_is_over_stays(finance, used):
    close_november(used)
    page = text_of(finance.get(page_url(used)))
    assert "November 2026 is over: credit notes correct it." in page
    shown = preview(finance, used, "reopen-month", month="2026-11")
    assert shown.status_code == 422 and "credit note" in text_of(shown)


@pytest.mark.parametrize("name", [*ON_INVOICES, *ON_MONTHS])
def test_support_takes_none(support, finance, acme, invoice, name):
    assert support.get(step_url(acme, name)).status_code == 403
    assert support.post(step_url(acme, name), {}).status_code == 403
    assert finance.get(step_url(acme, name)).status_code == 200
