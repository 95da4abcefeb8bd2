"""Told in time, in a real browser: the bell by keyboard alone, and the story of a cap that
comes near (N1, N3).
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Membership
from accounts.tasks import send_due_mails
from billing.metering.actions.recording import record_usage
from billing.models import Notice, NoticeDelivery, SeatAllowance
from billing.notices.actions.telling import tell
from config.kit.money import usd
from tests.browser.test_usage_settings import WCAG
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

USAGE, OWN = "/o/acme/settings/usage/", "/o/acme/usage/"
ALICE, BOB = "alice@acme.example", "bob@acme.example"


def member(email: str) -> Membership:
    return Membership.objects.select_related("user", "organization").get(
        user__email=email
    )


def spend(email: str, amount: str) -> None:
    """An event, and what a worker does about what it reached."""
    one, now = member(email), timezone.now()
    record_usage(
        [event(one, usd=amount, at=now - dt.timedelta(seconds=1))],
        organization_id=one.organization_id,
        now=now,
    )
    for notice in Notice.objects.untold():
        tell(notice.pk, now=now)


def bell(page: Page):
    return page.locator("#bell-side")


def finds_nothing(page: Page) -> None:
    found = Axe().run(page, options=WCAG).response["violations"]
    assert [one["id"] for one in found] == []


def test_the_bell_by_keyboard_opens_says_what_is_new_and_leaving_it_marks_it_read(
    acme, open_page
):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    page = open_page(ALICE, USAGE)
    expect(bell(page)).to_have_accessible_name("Notices")
    spend(BOB, "76")
    page.evaluate("htmx.trigger('#usage-caps', 'capChanged')")
    expect(bell(page)).to_have_accessible_name(
        "Notices, 1 new"
    )  # with the page's parts
    bell(page).focus()
    page.keyboard.press("Space")
    popover = page.get_by_role("dialog", name="Notices")
    expect(popover).to_be_visible()
    expect(bell(page)).to_have_attribute("aria-expanded", "true")
    expect(popover.get_by_text("Acme has used 75 % of $100.00")).to_be_visible()
    finds_nothing(page)
    page.keyboard.press("ArrowDown")
    expect(popover.get_by_role("button", name="Adjust limit")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(popover.get_by_role("link", name="Show usage")).to_be_focused()
    assert NoticeDelivery.objects.filter(seen_at=None, channel="page").count() == 1
    page.keyboard.press("Escape")
    expect(popover).to_have_count(0)
    expect(bell(page)).to_be_focused()
    expect(bell(page)).to_have_attribute("aria-expanded", "false")
    expect(bell(page)).to_have_accessible_name("Notices")
    assert not NoticeDelivery.objects.filter(seen_at=None, channel="page").exists()


def test_a_link_out_of_the_bell_leaves_it_too_and_mark_as_read_needs_no_leaving(
    acme, open_page
):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    spend(BOB, "76")
    page = open_page(ALICE, OWN)
    bell(page).click()
    page.get_by_role("dialog", name="Notices").get_by_role(
        "link", name="All notices of"
    ).click()
    expect(page.get_by_role("heading", name="Deliveries", exact=True)).to_be_visible()
    finds_nothing(page)
    expect(bell(page)).to_have_accessible_name("Notices")
    spend(BOB, "20")
    page.reload()
    bell(page).click()
    page.get_by_role("button", name="Mark as read").click()
    expect(bell(page)).to_have_accessible_name("Notices")
    assert not NoticeDelivery.objects.filter(seen_at=None, channel="page").exists()


def test_the_owner_is_told_at_75_percent_and_raises_the_cap_by_the_mails_link(
    acme, open_page, mailoutbox
):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    spend(BOB, "76")
    page = open_page(ALICE, USAGE)
    expect(bell(page)).to_have_accessible_name("Notices, 1 new")
    banner = page.get_by_role("region", name="Notice", exact=True)
    expect(banner).to_contain_text("Acme has used 76 % of $100.00.")
    finds_nothing(page)
    send_due_mails()
    mail = next(one for one in mailoutbox if one.to == [ALICE])
    link = re.search(r"https?://[^/]+(/o/acme/settings/usage/caps/[^\s]*)", mail.body)
    assert link, mail.body
    page.goto(link[1])
    page.get_by_label("Amount").fill("200")
    page.get_by_role("button", name="Set cap").click()
    expect(page.get_by_text("Organization spend cap is now $200.00")).to_be_visible()
    expect(page.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
    expect(banner).to_have_count(0)
    expect(bell(page)).to_have_accessible_name("Notices")


def test_the_banner_goes_in_place_when_the_cap_is_raised_from_it(acme, open_page):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    spend(BOB, "91")
    page = open_page(ALICE, USAGE)
    banner = page.get_by_role("region", name="Notice", exact=True)
    expect(banner).to_contain_text("91 %")
    banner.get_by_role("link", name="Adjust limit").click()
    page.get_by_role("dialog").get_by_label("Amount").fill("500")
    page.get_by_role("button", name="Set cap").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(banner).to_have_count(0)
    expect(bell(page)).to_have_accessible_name("Notices")


def test_a_member_is_told_at_80_percent_of_what_their_seat_includes(acme, open_page):
    enable_extra_usage(acme)
    windows = SeatAllowance.objects.filter(plan=acme.plan, seat_tier="standard")
    windows.exclude(name="week").delete()
    windows.update(amount_nanos=usd(10))
    spend(BOB, "8.10")
    page = open_page(BOB, OWN)
    expect(bell(page)).to_have_accessible_name("Notices, 1 new")
    banner = page.get_by_role("region", name="Notice", exact=True)
    expect(banner).to_contain_text("You have used 81 % of this week’s included usage.")
    finds_nothing(page)
    bell(page).click()
    expect(
        page.get_by_text("You have used 80 % of this week’s included usage")
    ).to_be_visible()


def test_on_a_phone_and_in_the_dark_the_pages_have_no_fault(acme, open_page):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    spend(BOB, "91")
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    page = open_page(ALICE, "/o/acme/settings/notices/", **phone)
    finds_nothing(page)
    page.locator("#bell-topbar").click()
    expect(page.get_by_role("dialog", name="Notices")).to_be_visible()
    finds_nothing(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, "nothing scrolls sideways"
    page.goto("/o/acme/notices/")
    finds_nothing(page)
    page.goto("/me/")
    finds_nothing(page)


def test_without_scripts_the_bell_leads_to_the_list(acme, open_page):
    SeatAllowance.objects.all().delete()
    enable_extra_usage(acme, cap="100")
    spend(BOB, "91")
    page = open_page(ALICE, OWN, java_script_enabled=False)
    bell(page).click()
    expect(page.get_by_role("heading", name="Your notices")).to_be_visible()
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)
    assert not NoticeDelivery.objects.filter(seen_at=None, channel="page").exists()
