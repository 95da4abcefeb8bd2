"""Every page at the edges: nothing scrolls sideways at 320 px, lines stay readable at
2560 px, landmarks have names of their own, and columns stand still.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Membership, User
from tests.factories.people import MembershipFactory, make_user
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import spend

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Wolfeschlegelsteinhausenbergerdorff Ellen-Katharina von und zu Hohenlohe"
PAGES = [
    "/o/acme/usage/",
    "/o/acme/usage/requests/",
    "/o/acme/prices/",
    "/o/acme/notices/",
    "/o/acme/palette/?q=a",
    "/o/acme/settings/usage/",
    "/o/acme/settings/usage/caps/organization/",
    "/o/acme/settings/usage/requests/",
    "/o/acme/settings/requests/",
    "/o/acme/settings/reports/",
    "/o/acme/settings/members/",
    "/o/acme/settings/members/invite/",
    "/o/acme/settings/billing/",
    "/o/acme/settings/notices/",
    "/o/acme/settings/notices/channels/",
    "/o/acme/settings/connect/",
    "/o/acme/settings/connect/unattributed/",
    "/o/acme/settings/api-keys/",
    "/o/acme/settings/security/",
    "/o/acme/settings/activity/",
    "/me/",
    "/me/tokens/",
    "/me/security/",
]
# The widest line of running text, in px; a figure or a name alone is no line to read.
WIDEST_LINE = """
Math.max(0, ...[...document.querySelectorAll("main p, main li, main dd")].flatMap((one) => {
  if (one.closest("td, th, .xu-sr") || one.textContent.trim().length < 120) return [];
  const range = document.createRange();
  range.selectNodeContents(one);
  return [...range.getClientRects()].map((line) => line.width);
}))
"""


WHO = """
[...document.querySelectorAll("main *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest(".xu-sr"))
  .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 40)}`)
  .slice(0, 3)
"""


@pytest.fixture
def busy(acme) -> None:
    """People with long names, and spending."""
    now = timezone.now()
    acme.name = "Gesellschaft für Informationsverarbeitung und Rechnungswesen"
    acme.save(update_fields=["name"])
    enable_extra_usage(acme)
    long = MembershipFactory(
        organization=acme, user=make_user(f"{'long.' * 11}name@acme.example", LONG)
    )
    bob = Membership.objects.select_related("user", "organization").get(
        user__email="bob@acme.example"
    )
    spend(bob, "1", "40.12", at=now)
    spend(long, "1", "12345.67", at=now)


def failures(page: Page, script: str, *, most: float) -> list[str]:
    found = []
    for path in PAGES:
        page.goto(path)
        value = page.evaluate(script)
        if value > most:
            found.append(f"{path}: {value} {page.evaluate(WHO)}")
    return found


@pytest.mark.parametrize("language", ["en", "ja"])
def test_h22_no_page_scrolls_sideways_at_320(busy, open_page, language):
    User.objects.update(language=language)
    look: dict[str, Any] = {"viewport": {"width": 320, "height": 640}}
    page = open_page("alice@acme.example", PAGES[0], **look)
    script = "document.documentElement.scrollWidth"
    assert failures(page, script, most=320) == []


def test_lines_are_not_wider_than_one_reads_at_2560(busy, open_page):
    look: dict[str, Any] = {"viewport": {"width": 2560, "height": 1440}}
    page = open_page("alice@acme.example", PAGES[0], **look)
    assert failures(page, WIDEST_LINE, most=760) == []


def test_h23_a_long_name_of_the_organization_fits_the_phones_bar(busy, open_page):
    look: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
    page = open_page("alice@acme.example", PAGES[5], **look)
    mark = page.locator(".xu-topbar .xu-mark").bounding_box()
    assert (mark["width"], mark["height"]) == (28, 28)
    name = page.locator(".xu-topbar > span").nth(1)
    assert name.bounding_box()["height"] < 30
    expect(page.get_by_role("button", name="Menu")).to_be_in_viewport(ratio=1)


def test_h24_columns_stand_still_while_one_searches(busy, open_page):
    page = open_page("alice@acme.example", PAGES[5])
    heads = page.locator(".xu-people thead th")

    def edges() -> list[int]:
        boxes = [one.bounding_box() for one in heads.all()]
        return [round(box["x"]) for box in boxes if box]

    before = edges()
    page.get_by_role("searchbox", name="Search by name or e-mail").fill("bob")
    expect(page.locator(".xu-people tbody tr")).to_have_count(1)
    assert edges() == before


def test_p16_landmarks_have_names_of_their_own(busy, open_page):
    page = open_page("alice@acme.example", PAGES[5])
    for path in ("/o/acme/settings/usage/", "/o/acme/usage/"):
        page.goto(path)
        rules = {"runOnly": {"type": "rule", "values": ["landmark-unique"]}}
        found = Axe().run(page, options=rules)
        assert found.violations_count == 0, found.generate_report()


def test_p10_arrow_keys_do_not_act_on_for_whom(busy, open_page):
    page = open_page("alice@acme.example", PAGES[5])
    everyone = page.get_by_role("button", name="Everyone", exact=True)
    expect(everyone).to_have_attribute("aria-pressed", "true")
    everyone.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Selected members")).to_be_visible()
    page.keyboard.press("Escape")
    expect(everyone).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Selected members")).to_be_focused()


def test_p9_what_is_chosen_can_be_told_in_forced_colors(busy, open_page):
    page = open_page("alice@acme.example", PAGES[5], forced_colors="active")
    color = "(one) => getComputedStyle(one).backgroundColor"
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    here = page.locator(".xu-nav a[aria-current=page]")
    assert here.evaluate(color) != links.first.evaluate(color)
    pressed = page.get_by_role("button", name="Everyone", exact=True)
    other = page.get_by_role("button", name="Selected members")
    assert pressed.evaluate(color) != other.evaluate(color)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_m6_axe_finds_nothing_in_the_apis_documentation(acme, open_page, scheme):
    page = open_page("alice@acme.example", "/api/v1/docs", color_scheme=scheme)
    page.get_by_role("button", name="/api/v1/usage").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": tags})
    assert found.violations_count == 0, found.generate_report()
