"""The operators' site in a browser: "/" finds the search, axe finds nothing, nothing
scrolls sideways, the console stays silent.
"""

from __future__ import annotations

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from accounts.models import OutgoingMail, User
from tests.browser.test_usage_settings import WCAG, spend
from tests.factories.people import make_user
from tests.factories.usage import enable_extra_usage

pytestmark = pytest.mark.browser

LOOKS = [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
]


@pytest.fixture
def operator(acme):
    """Olga, and something that needs somebody."""
    enable_extra_usage(acme, cap="50")
    spend("bob", "500", "9.00")
    now = dt.datetime.now(dt.UTC)
    OutgoingMail.objects.create(
        organization=acme,
        address="gone@acme.example",
        kind="x",
        key="k",
        message_id="m",
        created_at=now,
        next_try_at=now,
        expires_at=now,
        dropped_at=now,
        attempts=9,
        last_error="550 no such mailbox",
    )
    return make_user("op@example.com", "Olga Tan", is_staff=True, is_superuser=True)


@pytest.mark.parametrize(
    "look", LOOKS, ids=["wide", "wide dark", "phone", "phone dark"]
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    acme, operator, open_page, look
):
    bob = User.objects.get(email="bob@acme.example")
    page = open_page(operator.email, "/admin/", **look)
    for address in (
        "/admin/",
        "/admin/search/?q=acme",
        "/admin/tables/",
        "/admin/billing/usageevent/",
        "/admin/accounts/auditentry/",
        "/admin/accounts/outgoingmail/",
        "/admin/billing/modelprice/",
        f"/admin/accounts/user/{bob.pk}/change/",
        f"/admin/accounts/organization/{acme.pk}/change/",
        f"/admin/accounts/organization/{acme.pk}/steps/extra-usage-off/",
        "/admin/accounts/organization/",
        "/admin/billing/unknownmodel/",
    ):
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= look["viewport"]["width"], address
        # Without reading styles anew: Django's import each other, which axe stumbles over.
        found = Axe().run(page, options={**WCAG, "preload": False})
        wrong = [
            (one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]
        ]
        assert wrong == [], address


def test_on_a_phone_the_steps_are_one_press_away_and_a_list_can_be_taken(
    acme, operator, open_page
):
    page = open_page(
        operator.email,
        f"/admin/accounts/organization/{acme.pk}/change/",
        viewport={"width": 390, "height": 844},
    )
    page.get_by_role("link", name="Steps", exact=True).click()
    expect(page.get_by_role("link", name="Stop extra usage")).to_be_in_viewport()
    page.goto("/admin/billing/usageevent/")
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    assert taken.value.suggested_filename.startswith("usageevent-")


def test_slash_finds_the_search_and_a_whole_id_comes_first(acme, operator, open_page):
    page = open_page(operator.email, "/admin/")
    page.keyboard.press("/")
    page.keyboard.type("bob@acme.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("exactly this")).to_be_visible()
