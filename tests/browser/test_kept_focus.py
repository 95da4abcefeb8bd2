"""H14: what a keyboard holds is never lost. After each part that is drawn anew the focus is
on something, and what one unfolded stays so; while something is sent, its button says so
and is not pressed twice.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.actions.audit import Actor
from accounts.models import Membership
from billing.caps.actions.caps import set_seat_tier_cap
from billing.models import SpendCap
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from tests.factories.people import MembershipFactory
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import spend

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OWN, USAGE = "/o/acme/usage/", "/o/acme/settings/usage/"
WATCH = """
window.lost = [];
document.addEventListener("htmx:afterRequest", () => setTimeout(() => {
  if (document.activeElement === document.body) window.lost.push("lost");
}));
"""


def watched(page: Page) -> Page:
    """Notes each answer after which nothing has the focus."""
    page.evaluate(WATCH)
    return page


def focused(page: Page) -> str:
    return str(
        page.evaluate(
            "(document.activeElement.getAttribute('aria-label')"
            " || document.activeElement.textContent).trim().replace(/\\s+/g, ' ')"
        )
    )


def redrawn(page: Page, event: str) -> None:
    """What a timer does every 30 s, once something has changed."""
    with page.expect_response("**/usage/people/*"), page.expect_response("**/caps/*"):
        page.evaluate(f"document.body.dispatchEvent(new Event('{event}'))")
    page.wait_for_timeout(200)


def nothing_was_lost(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.lost") == []


def blocked(acme: Any, *people: Membership) -> None:
    now = timezone.now()
    enable_extra_usage(acme)
    set_seat_tier_cap(
        acme,
        tier="standard",
        amount_nanos=usd("40"),
        actor=Actor(label="owner"),
        now=now,
    )
    for person in people:
        spend(person, "1", "40.12", at=now)


def bob() -> Membership:
    return Membership.objects.select_related("user", "organization").get(
        user__email="bob@acme.example"
    )


def test_asking_for_more_leads_on_to_the_note_and_back(acme, open_page):
    blocked(acme, bob())
    page = watched(open_page("bob@acme.example", OWN))
    page.get_by_role("button", name="Request more usage").focus()
    page.keyboard.press("Enter")
    sent = page.get_by_text("Request sent to your admins")
    expect(sent).to_be_visible()
    assert focused(page).startswith("Request sent to your admins")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.type("Soon")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "Add to request"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    page.get_by_role("button", name="Withdraw request").focus()
    page.keyboard.press("Enter")
    expect(sent).not_to_be_visible()
    nothing_was_lost(page)


def test_paging_filtering_and_saving_a_cap_keep_the_focus(acme, open_page):
    MembershipFactory.create_batch(60, organization=acme)
    enable_extra_usage(acme)
    page = watched(open_page("alice@acme.example", f"{USAGE}?sort=person"))
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("^51–63 of 63"))).to_be_visible()
    expect(page.get_by_role("button", name="Previous")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("^1–50 of 63"))).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.get_by_role("button", name="Person", exact=True).focus()
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("columnheader", name="Person", exact=True)
    ).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("button", name="Person", exact=True)).to_be_focused()
    page.get_by_role("searchbox").fill("bob")
    expect(page.get_by_text(re.compile("^1–1 of 1"))).to_be_visible()
    more = page.get_by_role("button", name="More for Bob Feld")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Monthly spend cap")
    expect(dialog.get_by_label("Amount")).to_be_focused()
    page.keyboard.type("33")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="Bob")).to_contain_text("$33.00")
    expect(more).to_be_focused()
    nothing_was_lost(page)


def test_a_refresh_keeps_the_focus_where_it_is_and_an_open_menu_open(acme, open_page):
    enable_extra_usage(acme)
    page = watched(open_page("alice@acme.example", USAGE))
    for name in ("Adjust limit", "Turn off", "Edit limit for Standard seats"):
        button = page.get_by_role("button", name=name)
        button.focus()
        Membership.objects.filter(pk=bob().pk).update(
            seat_tier="premium" if name == "Adjust limit" else "standard"
        )
        redrawn(page, "capChanged")
        expect(button).to_be_focused()
    page.get_by_role("button", name="More for Bob Feld").focus()
    page.keyboard.press("Enter")
    redrawn(page, "capChanged")
    expect(page.get_by_role("menuitem", name="Edit limit")).to_be_focused()
    nothing_was_lost(page)


def test_deciding_and_closing_the_review_keep_the_focus(acme, open_page):
    people = [bob(), *MembershipFactory.create_batch(1, organization=acme)]
    blocked(acme, *people)
    for person in people:
        send_request(person, now=timezone.now())
    page = watched(open_page("ada@acme.example", USAGE))
    page.get_by_role("button", name="Review requests").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Review requests")
    for left in (1, 0):
        dialog.get_by_role("button", name="Dismiss", exact=True).first.focus()
        page.keyboard.press("Enter")
        dialog.get_by_role("button", name="Dismiss request").focus()
        page.keyboard.press("Enter")
        undecided = dialog.get_by_role("button", name="Dismiss", exact=True)
        expect(undecided).to_have_count(left)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")
    nothing_was_lost(page)


def test_a_slow_save_says_so_and_is_sent_once(acme, open_page):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", USAGE)
    sent: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route)
        else:
            route.continue_()

    page.route("**/caps/organization/", hold)
    page.get_by_role("button", name="Adjust limit").click()
    dialog = page.get_by_role("dialog", name="Monthly spend cap")
    dialog.get_by_label("Amount").fill("900")
    save = dialog.get_by_role("button", name="Set cap")
    page.keyboard.press("Enter")
    expect(save).to_have_attribute("aria-busy", "true")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Amount")).to_be_focused()
    expect(save).to_have_css("position", "relative")
    for route in list(sent):
        route.continue_()
    expect(dialog).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert len(sent) == 1
    assert SpendCap.objects.filter(organization=acme).count() == 1


@pytest.mark.parametrize(
    ("path", "button", "posts_to"),
    [
        (USAGE, "Everyone", "**/for-whom/"),
        ("/o/acme/settings/api-keys/", "Create key", "**/api-keys/"),
    ],
    ids=["in place", "leaving the page"],
)
def test_a_button_pressed_three_times_sends_one_request(
    acme, open_page, path, button, posts_to
):
    enable_extra_usage(acme)
    page = open_page("alice@acme.example", path)
    sent: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route)
        else:
            route.continue_()

    page.route(posts_to, hold)
    if path != USAGE:
        page.get_by_label("Name").fill("gateway")
    pressed = page.get_by_role("button", name=button, exact=True)
    pressed.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
    if path == USAGE:  # the other page is being left
        expect(pressed).to_have_attribute("aria-busy", "true")
    for route in list(sent):
        route.continue_()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    assert len(sent) == 1
