"""“Continue with extra usage” in a real browser (N5): pressed twice, by keyboard alone, and
without JavaScript.
"""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership
from billing.models import BillingAccount, ExtraUsageConfirmation
from tests.browser.test_usage_settings import assert_accessible
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import spend

pytestmark = pytest.mark.browser
BOB, OWN = "bob@acme.example", "/o/acme/usage/"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def bob(acme) -> Membership:
    """His session is used up, and Acme asks before extra usage begins."""
    enable_extra_usage(acme)
    BillingAccount.objects.update(confirmation_required=True)
    member = Membership.objects.select_related("user", "organization").get(
        user__email=BOB
    )
    spend(member, "1", at=timezone.now())
    return member


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desk", "phone"])
def test_n5_a_double_click_goes_on_once(bob, open_page, viewport):
    page = open_page(BOB, OWN, **({"viewport": viewport} if viewport else {}))
    title = page.get_by_role("heading", name="Continue with extra usage?")
    expect(title).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Until the month ends").check()
    page.get_by_role("button", name="Continue with extra usage").dblclick()
    began = page.get_by_role("heading", name="Extra usage begins with your next")
    expect(began).to_be_visible()
    expect(title).to_have_count(0)
    assert_accessible(page)
    assert ExtraUsageConfirmation.objects.get().confirmed_for == "month"


def test_n5_it_works_by_keyboard_and_without_javascript(bob, open_page):
    page = open_page(BOB, f"{OWN}#continue", java_script_enabled=False)
    page.get_by_label("Until my included usage resets").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    began = page.get_by_role("heading", name="Extra usage begins with your next")
    expect(began).to_be_visible()
    assert ExtraUsageConfirmation.objects.get().confirmed_for == "window"


def test_n5_an_owner_has_members_asked(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", "/o/acme/settings/usage/")
    page.click("#ask-first")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("also to members who are using extra usage now")
    assert_accessible(page)
    dialog.get_by_role("button", name="Ask first").click()
    expect(page.get_by_text("On; members confirm")).to_be_visible()
    assert BillingAccount.objects.get().confirmation_required
