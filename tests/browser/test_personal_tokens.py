"""Personal tokens and external ids in a real browser, on a phone and a wide screen: axe
finds nothing, nothing scrolls sideways.
"""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership
from tests.browser.test_usage_settings import assert_accessible
from tests.factories.people import make_external_id, make_token

pytestmark = pytest.mark.browser
LOOKS = [
    {"viewport": {"width": 1280, "height": 900}},
    {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
]


@pytest.fixture
def bob(acme) -> Membership:
    """Bob, with a token and two external ids, one as long as they can be."""
    member = Membership.objects.get(user__email="bob@acme.example")
    make_token(member, now=timezone.now(), days=3)
    make_external_id(member, "https://login.acme.example", "00u1ab2c")
    make_external_id(member, "i" * 200, "s" * 200)
    return member


def fits(page) -> None:
    """Nothing sticks out, and axe finds nothing."""
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)


@pytest.mark.parametrize("look", LOOKS, ids=["wide", "phone dark"])
def test_x3_a_token_is_made_and_copied(acme, bob, open_page, look):
    page = open_page("bob@acme.example", "/me/tokens/", **look)
    page.get_by_label("Name").fill("MacBook")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    fits(page)
    page = open_page("alice@acme.example", "/o/acme/settings/api-keys/", **look)
    expect(page.get_by_role("heading", name="Personal tokens")).to_be_visible()
    fits(page)


@pytest.mark.parametrize("look", LOOKS, ids=["wide", "phone dark"])
def test_x2_external_ids_are_edited_in_a_modal(acme, bob, open_page, look):
    page = open_page("alice@acme.example", "/o/acme/settings/members/", **look)
    page.get_by_role("button", name="Actions for Bob Feld").click()
    page.get_by_role("menuitem", name="External ids").click()
    dialog = page.get_by_role("dialog", name="External ids")
    dialog.get_by_label("External ids").fill("github")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("has no colon")).to_be_visible()
    fits(page)
    dialog.get_by_label("External ids").fill("github:bob-feld")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("The external ids of Bob Feld are saved.")).to_be_visible()
    assert bob.external_ids.get().name == "github:bob-feld"
