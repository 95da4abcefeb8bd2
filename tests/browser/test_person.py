"""One person in a real browser: from a name in the table to one receipt and back by presses
alone, and a cap that is set where one reads.
"""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Membership
from billing.metering.actions.recording import record_usage
from billing.models import SeatAllowance
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

USAGE = "/o/acme/settings/usage/"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def used(acme):
    """Bob spent $12 this month."""
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme)
    bob = Membership.objects.get(user__email="bob@acme.example")
    now = timezone.now()
    record_usage(
        [event(bob, usd="10", at=now), event(bob, usd="2", at=now, surface="claude")],
        organization_id=acme.pk,
        now=now,
    )
    return acme


def fine(page: Page) -> None:
    found = Axe().run(page, options=WCAG)
    assert not found.violations_count, found.generate_report()


@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ],
    ids=["1280-light", "390-dark"],
)
def test_from_a_name_to_one_receipt_and_back_by_presses_alone(used, open_page, look):
    page = open_page("alice@acme.example", USAGE, **look)
    page.get_by_role("link", name="Bob Feld").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bob Feld")
    expect(page.locator(".xu-figure").first).to_have_text("$12.00")
    fine(page)
    page.get_by_role("link", name="All receipts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Receipts")
    fine(page)
    page.locator(".xu-receipt-time a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^\$\d"))
    fine(page)
    page.locator(".xu-crumbs").get_by_role("link", name="Bob Feld").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bob Feld")


def test_a_cap_is_set_where_one_reads(used, open_page):
    page = open_page("alice@acme.example", USAGE)
    page.get_by_role("link", name="Bob Feld").first.click()
    page.get_by_role("link", name="Edit limit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill("100")
    dialog.get_by_role("button", name="Set cap").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("of $100.00 own cap")).to_be_visible()
    expect(page.locator("#story")).to_contain_text("$100.00")
    focused = page.evaluate("document.activeElement?.tagName")
    assert focused != "BODY"
