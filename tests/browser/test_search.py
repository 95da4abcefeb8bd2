"""The search over the page and the keys, by keyboard alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.factories.usage import enable_extra_usage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

USAGE = "/o/acme/settings/usage/"
AXE: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
}


def search(page: Page) -> Any:
    return page.get_by_role("dialog", name="Search Acme")


def type_in_search(page: Page, text: str) -> None:
    field = search(page).get_by_role("combobox")
    expect(field).to_be_focused()
    with page.expect_response(re.compile(r"/palette/\?q=" + text.replace(" ", ".*"))):
        page.keyboard.type(text)


def test_a_person_is_found_and_their_limit_is_edited_without_a_mouse(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", USAGE)
    page.keyboard.press("Control+k")
    type_in_search(page, "feld")
    options = search(page).get_by_role("option")
    expect(options.first).to_contain_text("Bob Feld")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(search(page).get_by_role("combobox")).to_have_attribute(
        "aria-activedescendant", "palette-acts-1"
    )
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Monthly spend cap")
    expect(dialog).to_contain_text("Bob Feld")
    expect(dialog.get_by_label("Amount")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")


def test_escape_gives_the_focus_back_and_keys_are_silent_in_fields(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", USAGE)
    limit = page.get_by_role("button", name="Adjust limit")
    limit.focus()
    page.keyboard.press("/")
    expect(search(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(search(page)).to_have_count(0)
    expect(limit).to_be_focused()
    field = page.get_by_role("searchbox", name="Search by name or e-mail")
    field.focus()
    page.keyboard.type("/?jke")
    expect(field).to_have_value("/?jke")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_search_and_the_list_of_keys(acme, open_page, scheme):
    look = {"color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_page("alice@acme.example", USAGE, **look)
    page.keyboard.press("/")
    type_in_search(page, "a")
    expect(search(page).get_by_role("option").first).to_be_visible()
    found = [Axe().run(page, options=AXE)]
    page.keyboard.press("Control+a")
    type_in_search(page, "qqq")
    expect(search(page)).to_contain_text("Nobody named “qqq” in Acme")
    found.append(Axe().run(page, options=AXE))
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    found.append(Axe().run(page, options=AXE))
    for one in found:
        assert one.violations_count == 0, one.generate_report()


def test_where_nothing_is_typed_the_last_places_stand(acme, open_page):
    page = open_page("alice@acme.example", USAGE)
    page.goto("/o/acme/settings/members/")
    page.goto("/o/acme/usage/")
    page.keyboard.press("/")
    options = search(page).get_by_role("option")
    expect(options).to_have_text([re.compile("Members"), re.compile("Usage")])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/members/$"))


def test_keys_walk_rows_edit_a_limit_and_press_what_says_so(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", f"{USAGE}?sort=person")
    page.keyboard.press("j")
    page.keyboard.press("j")
    row = page.get_by_role("row").filter(has_text="Alice Nakamura")
    expect(row).to_be_focused()
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Monthly spend cap")
    expect(dialog).to_contain_text("Alice Nakamura")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Usage", exact=True).click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("e")
    expect(dialog).to_contain_text("Acme")


def test_without_scripts_the_search_is_a_page(acme, open_page):
    page = open_page("alice@acme.example", USAGE, java_script_enabled=False)
    page.get_by_role("link", name="Search").click()
    page.get_by_role("searchbox", name="Search Acme").fill("bob")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Edit limit for Bob Feld").click()
    expect(page.get_by_role("heading", name="Monthly spend cap")).to_be_visible()
