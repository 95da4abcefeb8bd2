"""The owner's path through Settings › Usage in a real browser, by accessible names alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import Membership
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions.recording import record_usage
from billing.models import BillingAccount, SelectedMember
from config.kit.money import usd
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

USAGE = "/o/acme/settings/usage/"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def member(name: str) -> Membership:
    return Membership.objects.select_related("user", "organization").get(
        user__email=f"{name}@acme.example"
    )


def spend(name: str, *amounts: str) -> None:
    """The first amount uses up the included usage, the others are extra usage."""
    one, now = member(name), timezone.now()
    for amount in amounts:
        record_usage(
            [event(one, usd=amount, at=now)],
            organization_id=one.organization_id,
            now=now,
        )


def refusal(name: str) -> str | None:
    one = member(name)
    return decide(
        standing_of(one.pk, organization_id=one.organization_id, now=timezone.now())
    ).reason


def set_amount(page: Page, amount: str) -> None:
    page.get_by_role("dialog").get_by_label("Amount").fill(amount)
    page.get_by_role("button", name="Set cap").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def edit_limit(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"More for {name}").click()
    page.get_by_role("menuitem", name="Edit limit").click()
    expect(page.get_by_role("dialog", name="Monthly spend cap")).to_be_visible()


def without_seat_caps(form: Any) -> None:
    """Unlimited is a press, never an empty field."""
    for tier in ("Standard", "Premium"):
        form.get_by_label(f"{tier}: without a cap").check()


def test_enable_set_each_cap_and_set_each_to_unlimited(acme, open_page):
    spend("bob", "500", "1")
    assert refusal("bob") == "extra_usage_disabled"
    page = open_page("alice@acme.example", USAGE)
    page.get_by_role("button", name="Enable").click()
    dialog = page.get_by_role("dialog", name="Enable extra usage")
    dialog.get_by_label("Organization spend cap").fill("12,000")
    without_seat_caps(dialog)
    dialog.get_by_role("radio", name="Everyone").check()
    assert not BillingAccount.objects.filter(extra_usage_enabled=True).exists(), (
        "nothing is on until confirmed"
    )
    dialog.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("Extra usage on, for everyone")).to_be_visible()
    assert refusal("bob") is None
    spend("bob", "6.00")

    page.get_by_role("button", name="Adjust limit").click()
    set_amount(page, "5")
    expect(
        page.get_by_role("status").filter(
            has_text="The organization spend cap is now $5.00."
        )
    ).to_be_visible()
    expect(
        page.get_by_text(re.compile("Extra usage is paused for all 3 people"))
    ).to_be_visible()
    assert refusal("bob") == "organization_cap_reached"
    page.get_by_role("button", name="Adjust limit").click()
    page.get_by_role("button", name="Set to unlimited").click()
    expect(page.get_by_text("spent, Unlimited")).to_be_visible()
    assert refusal("bob") is None

    page.get_by_role("button", name="Edit limit for Standard seats").click()
    set_amount(page, "5.50")
    row = page.get_by_role("row").filter(has_text="Bob Feld")
    expect(row).to_contain_text("Paused: reached seat cap")
    assert refusal("bob") == "seat_tier_cap_reached"
    edit_limit(page, "Bob Feld")
    set_amount(page, "60")
    expect(row).to_contain_text("$60.00")
    assert refusal("bob") is None
    edit_limit(page, "Bob Feld")
    page.get_by_role("button", name="Set to unlimited").click()
    expect(row).to_contain_text("from seat")
    assert refusal("bob") == "seat_tier_cap_reached"
    page.get_by_role("button", name="Edit limit for Standard seats").click()
    page.get_by_role("button", name="Set to unlimited").click()
    expect(row).to_contain_text("Unlimited")
    assert refusal("bob") is None


def test_a_wrong_amount_stays_with_its_message_and_escape_gives_the_focus_back(
    acme, open_page
):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", USAGE)
    opener = page.get_by_role("button", name="Adjust limit")
    opener.press("Space")
    amount = page.get_by_role("dialog").get_by_label("Amount")
    expect(amount).to_be_focused()
    expect(amount).to_have_value("12,000.00")
    amount.fill("12.505")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“12.505” has 3 decimal places.")
    expect(amount).to_be_focused()
    expect(amount).to_have_value("12.505")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_preview_follows_the_typing(acme, open_page):
    enable_extra_usage(acme)
    spend("bob", "500", "9.00")
    page = open_page("alice@acme.example", USAGE)
    edit_limit(page, "Bob Feld")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount").fill("8")
    expect(dialog).to_contain_text("At $8.00, extra usage stops now for Bob.")
    dialog.get_by_label("Amount").fill("10")
    expect(dialog).to_contain_text("At $10.00, nothing changes for Bob.")
    dialog.get_by_label("This month only").check()
    expect(dialog).to_contain_text("It will be unlimited again from")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="More for Bob Feld")).to_be_focused()


def test_a_change_shows_in_the_other_tab_after_its_refresh(acme, open_page):
    enable_extra_usage(acme)
    mine, other = (open_page("alice@acme.example", USAGE) for _ in range(2))
    refreshes: list[Route] = []
    # held back, if its timer is faster than we
    other.route("**/usage/people/*", lambda route: refreshes.append(route))
    edit_limit(mine, "Bob Feld")
    set_amount(mine, "33")
    row = other.get_by_role("row").filter(has_text="Bob Feld")
    expect(row).not_to_contain_text("$33.00")
    other.unroute_all()
    for refresh in refreshes:
        refresh.continue_()
    # as its timer does every 30 s
    other.evaluate("document.body.dispatchEvent(new Event('capChanged'))")
    expect(row).to_contain_text("$33.00")


def test_search_filter_and_sort_keep_address_and_focus(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", USAGE)
    search = page.get_by_role("searchbox", name="Search by name or e-mail")
    search.focus()
    page.keyboard.type("o")
    expect(page.get_by_text("1–2 of 2")).to_be_visible()
    expect(search).to_be_focused()
    page.get_by_role("button", name="Person").click()
    expect(page.get_by_role("columnheader", name="Person")).to_have_attribute(
        "aria-sort", "ascending"
    )
    expect(page).to_have_url(re.compile(r"\?q=o&sort=person$"))
    page.reload()
    expect(page.get_by_text("1–2 of 2")).to_be_visible()


def test_choosing_members_by_search_and_ticks(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", USAGE)
    page.get_by_text("Selected members", exact=True).click()
    dialog = page.get_by_role("dialog", name="Selected members")
    for name in ("Ada", "Bob"):
        dialog.get_by_role("searchbox").fill(name.lower())
        expect(dialog.get_by_role("checkbox")).to_have_count(1)
        dialog.get_by_role("checkbox", name=name).check()
    dialog.get_by_role("button", name="Save selection").click()
    expect(page.get_by_text("Extra usage on, for 2 of 3")).to_be_visible()
    assert set(
        SelectedMember.objects.values_list("membership__user__name", flat=True)
    ) == {"Ada Okafor", "Bob Feld"}


@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
        {"viewport": {"width": 390, "height": 844}},
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ],
    ids=["wide", "wide dark", "phone", "phone dark"],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(acme, open_page, look):
    enable_extra_usage(acme, cap="50")
    spend("bob", "500", "9.00")
    page = open_page("alice@acme.example", USAGE, **look)
    assert (
        page.evaluate("document.documentElement.scrollWidth")
        <= look["viewport"]["width"]
    )
    assert_accessible(page)
    for opener, dialog in (
        ("Adjust limit", "Monthly spend cap"),
        ("Turn off", "Turn off extra usage"),
    ):
        page.get_by_role("button", name=opener).click()
        expect(page.get_by_role("dialog", name=dialog)).to_be_visible()
        assert_accessible(page)
        page.keyboard.press("Escape")
    page.goto(USAGE + "selected-members/")
    assert_accessible(page)


def assert_accessible(page: Page) -> None:
    # A toast or dialog that is half faded in has other colours than the one people
    # read; it fades once it is painted.
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    page.evaluate(
        "() => Promise.race([Promise.allSettled(document.getAnimations()"
        ".map((one) => one.finished)), new Promise((late) => setTimeout(late, 2000))])"
    )
    found = Axe().run(page, options=WCAG).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_without_javascript_the_owner_gets_just_as_far(acme, open_page):
    page = open_page("alice@acme.example", USAGE, java_script_enabled=False)
    page.get_by_role("button", name="Enable").click()
    page.get_by_label("Organization spend cap").fill("100")
    without_seat_caps(page)
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("Extra usage on, for everyone")).to_be_visible()
    page.get_by_role("button", name="Adjust limit").click()
    page.get_by_label("Amount").fill("250")
    page.get_by_role("button", name="Set cap").click()
    expect(
        page.get_by_text("The organization spend cap is now $250.00.")
    ).to_be_visible()
    expect(page.get_by_text("of $250.00 organization cap")).to_be_visible()
    assert acme.spend_caps.get(level="organization").amount_nanos == usd(250)
