"""Undo in a real browser: by keyboard, and in a dialog, whose scrim covers no message."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from billing.models import SpendCap
from config.kit.money import usd
from tests.browser.test_usage_settings import assert_accessible
from tests.factories.usage import enable_extra_usage

pytestmark = pytest.mark.browser
SETTINGS = "/o/acme/settings/usage/"


def test_a_cap_is_taken_back_by_keyboard_and_the_page_follows(acme, open_page):
    enable_extra_usage(acme, cap="900")
    page = open_page("alice@acme.example", SETTINGS)
    page.get_by_role("button", name="Adjust limit").first.click()
    dialog = page.get_by_role("dialog", name="Monthly spend cap")
    dialog.get_by_role("textbox").fill("500")
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    assert_accessible(page)
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undone. Everything is as it was before.")).to_be_visible()
    expect(page.get_by_text("$900.00").first).to_be_visible()
    assert SpendCap.objects.get(level="organization").amount_nanos == usd("900")


def test_enabling_with_a_single_members_cap(acme, open_page):
    page = open_page("alice@acme.example", SETTINGS)
    page.get_by_role("button", name="Enable").first.click()
    dialog = page.get_by_role("dialog", name="Enable extra usage")
    dialog.get_by_label("Organization spend cap").fill("400")
    dialog.get_by_label("Standard: without a cap").check()
    dialog.get_by_label("Premium: without a cap").check()
    dialog.get_by_label("Add a person by name or e-mail").fill("bob")
    dialog.get_by_role("button", name="Add a cap for Bob Feld").click()
    expect(dialog.get_by_label("Spend cap for Bob Feld")).to_be_focused()
    page.keyboard.type("25")
    expect(dialog.get_by_text("Set here for 1 person: at most $25.00")).to_be_visible()
    expect(dialog.get_by_label("Organization spend cap")).to_have_value("400")
    assert_accessible(page)
    dialog.get_by_role("button", name="Enable", exact=True).click()
    expect(page.get_by_text("Extra usage is on for everyone.")).to_be_visible()
    assert SpendCap.objects.get(level="member").amount_nanos == usd("25")
