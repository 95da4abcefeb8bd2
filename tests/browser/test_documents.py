"""Invoices and statements in a real browser: from the billing page to the events,
billing details, no findings by axe.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Organization
from billing.documents.closing import close_due
from billing.models import Invoice, Statement
from config.kit.months import previous_month
from tests.browser.test_usage_settings import assert_accessible
from tests.factories.balances import make_bolt, turn_on, use_up_included
from tests.factories.documents import use, use_november

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BILLING = "/o/acme/settings/billing/"
GRACE = dt.timedelta(days=1)


@pytest.fixture
def closes():
    """A moment at which the last month is over, with its grace time, in every zone:
    also on the first of a month.
    """
    now = timezone.now()
    return (
        dt.datetime.combine(
            (now - dt.timedelta(days=2)).date().replace(day=1), dt.time(), dt.UTC
        )
        + GRACE
    )


@pytest.fixture
def last_month(closes):
    """A moment in the middle of that month."""
    return dt.datetime.combine(
        previous_month(closes.date()) + dt.timedelta(days=14), dt.time(18), dt.UTC
    )


@pytest.fixture
def invoice(acme, last_month, closes) -> Invoice:
    """Last month's, of Ada and Bob."""
    Organization.objects.filter(pk=acme.pk).update(created_at=last_month)
    use_november(acme, at=last_month)
    close_due(acme.pk, now=closes)
    return Invoice.objects.get()


@pytest.fixture
def statement(acme, last_month, closes) -> Statement:
    """Bolt's of last month."""
    bolt = make_bolt(now=last_month)
    use_up_included(bolt)
    turn_on(bolt, now=last_month)
    use(bolt, "mia", "12.34567", at=last_month)
    close_due(bolt.pk, now=closes)
    return Statement.objects.get()


def test_from_the_billing_page_through_an_invoice_to_the_events_behind_a_line(
    invoice, open_page
):
    page = open_page("alice@acme.example", BILLING)
    assert_accessible(page)
    page.get_by_role("link", name="ACME-0001", exact=True).click()
    expect(page.get_by_role("heading", name="Invoice ACME-0001")).to_be_visible()
    expect(page.get_by_text("Each line is rounded to cents")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Claude Code · claude-sonnet-5").last.click()
    expect(page.get_by_role("cell", name="bob-code")).to_be_visible()
    expect(page.get_by_text("$12.345000000").first).to_be_visible()
    assert_accessible(page)


def test_owners_edit_who_is_billed_in_a_dialog_and_the_page_shows_it(
    invoice, open_page
):
    page = open_page("alice@acme.example", BILLING)
    page.get_by_role("button", name="Edit billing details").click()
    dialog = page.get_by_role("dialog", name="Billing details")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    dialog.get_by_label("Legal name").fill("Acme Holdings, Inc.")
    dialog.get_by_label("Billing e-mail").fill("nobody")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Enter a valid email address.")).to_be_visible()
    dialog.get_by_label("Billing e-mail").fill("ap@acme.example")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).not_to_be_visible()
    expect(
        page.locator("#billing-documents").get_by_text("Acme Holdings, Inc.")
    ).to_be_visible()
    expect(page.get_by_role("button", name="Edit billing details")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    invoice, statement, open_page, width, scheme
):
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    invoice_path = f"{BILLING}invoices/ACME-0001/"
    page = open_page("alice@acme.example", BILLING, **look)
    for path in (
        BILLING,
        invoice_path,
        f"{invoice_path}lines/1/",
        f"{BILLING}details/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert_accessible(page)
    bolt = open_page(
        "bea@bolt.example", f"/o/bolt/settings/billing/statements/{statement}/", **look
    )
    assert bolt.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(bolt)
