"""S12 in a real browser: what was private is gone once somebody signed out."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE
from tests.factories.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def keeping_browser(browser_type: Any, browser_type_launch_args: dict[str, Any]) -> Any:
    """Chromium as people have it: it keeps pages for Back, which tests usually forbid."""
    own = browser_type.launch(
        **browser_type_launch_args,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield own
    own.close()


def test_s12_back_after_signing_out_shows_nothing_of_the_members(
    keeping_browser, live_server, acme
):
    page = keeping_browser.new_page(base_url=live_server.url)
    page.set_default_timeout(PATIENCE)
    page.goto("/accounts/login/?next=/o/acme/settings/members/")
    page.fill("input[name=login]", "alice@acme.example")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    expect(page.get_by_text("bob@acme.example")).to_be_visible()
    page.goto("/accounts/logout/")
    page.locator("main form button").first.click()
    page.wait_for_url("**/accounts/login/**")
    for _twice in range(2):
        page.evaluate("history.back()")
        page.wait_for_timeout(2_000)
        assert "bob@acme.example" not in page.content()
    expect(page.locator("input[name=password]")).to_be_visible()
