"""Connecting a gateway in a real browser: the key is made and copied whole, the first
event arrives by itself, and axe finds nothing, light and dark, wide and on a phone.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.test_usage_settings import assert_accessible
from tests.factories.usage import enable_extra_usage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CONNECT = "/o/acme/settings/connect/"
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
LOOKS = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
]


def pasted(page: Page) -> str:
    return page.evaluate("navigator.clipboard.readText()")


def report(secret: str) -> None:
    """What a gateway does after a request."""
    used = {
        "id": "req-1",
        "member": "bob@acme.example",
        "surface": "claude",
        "model": "claude-haiku-4-5",
        "occurred_at": timezone.now().isoformat(),
        "usage": {"input_tokens": 412, "output_tokens": 198},
    }
    answer = Client().post(
        "/api/v1/usage",
        {"events": [used]},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.json()["recorded"] == 1


def test_a_key_is_made_copied_whole_and_its_first_event_arrives(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", CONNECT, **CLIPBOARD)
    expect(page.get_by_text("Nothing connected yet")).to_be_visible()
    page.get_by_role("button", name="Make the key").click()
    copy = page.get_by_role("button", name="Copy", exact=True)
    expect(copy).to_be_focused()
    copy.click()
    expect(page.get_by_role("status").get_by_text("Copied")).to_be_attached()
    secret = pasted(page)
    assert secret.startswith("xu_") and len(secret) == 46
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    page.get_by_role("button", name="Copy: Environment").click()
    assert f"EXTRA_USAGE_KEY={secret}\n" in pasted(page)
    assert f"EXTRA_USAGE_KEY={secret}" not in page.locator("#lines-3").inner_text()
    # so do those who mark the lines and press Ctrl C
    page.evaluate(
        "getSelection().selectAllChildren(document.getElementById('lines-3'))"
    )
    page.keyboard.press("Control+c")
    assert f"EXTRA_USAGE_KEY={secret}\n" in pasted(page)
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    report(secret)
    expect(page.get_by_text("by bob@acme.example")).to_be_visible()
    expect(page.locator("#lines-step").get_by_text("Done")).to_be_attached()
    expect(page.get_by_text("1 event today")).to_be_visible()
    expect(
        page.get_by_role("row", name="LiteLLM").get_by_text("Reports, does not ask")
    ).to_be_visible()
    expect(page.get_by_text(secret)).to_be_visible()  # nothing took it away meanwhile
    page.get_by_role("link", name="Receipt").click()
    expect(page.get_by_text("API key", exact=True)).to_be_visible()


def test_arrows_move_in_the_list_and_the_address_keeps_the_way(acme, open_page):
    page = open_page("alice@acme.example", CONNECT)
    page.get_by_role("link", name="LiteLLM").focus()
    for _press in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Any language")).to_be_visible()
    assert page.url.endswith("?way=code")
    page.get_by_role("link", name="LiteLLM").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("link", name="OpenTelemetry")).to_be_focused()


@pytest.mark.parametrize(
    "look", LOOKS, ids=lambda look: "-".join(map(str, look.values()))
)
def test_every_way_is_accessible_and_nothing_scrolls_sideways(acme, open_page, look):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", CONNECT, **look)
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    assert_accessible(page)
    for way in ("envoy", "code", "claude-code", "opentelemetry", "litellm"):
        page.goto(f"{CONNECT}?way={way}")
        assert_accessible(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"]
    expect(page.get_by_role("link", name="Make another")).to_be_visible()
