"""Months and days by mouse and keyboard in a real browser: bars that say what they are,
open and close, with an address that goes along.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Membership
from billing.metering.actions.recording import record_usage
from billing.models import SeatAllowance
from config.kit.dates import day_text
from config.kit.months import local_day
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

USAGE = "/o/acme/settings/usage/"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def today(acme) -> dt.date:
    """The local day on which Bob spent $10 on Claude Code and $2 on Claude."""
    now = timezone.now()
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme)
    bob = Membership.objects.select_related("user").get(user__email="bob@acme.example")
    events = [
        event(bob, usd="10", at=now),
        event(bob, usd="2", at=now, surface="claude"),
    ]
    record_usage(events, organization_id=acme.pk, now=now)
    return local_day(now, acme.timezone)


def chart(page: Page):
    return page.locator("#month-chart")


def day_part(page: Page):
    return page.locator("#month-day")


def test_a_chart_is_read_and_opened_by_keyboard(today, open_page):
    page = open_page("alice@acme.example", USAGE)
    chart(page).focus()
    for _step in range(today.day):
        page.keyboard.press("ArrowRight")
    said = page.locator(".xu-chart [role=status]")
    expect(said).to_have_text(
        f"{day_text(today)}: Claude Code $10.00, Claude $2.00, Spent $12.00"
    )
    tip = page.locator(".xu-tip")
    expect(tip).to_contain_text("$12.00")
    assert tip.bounding_box()["width"] == 212
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    page.keyboard.press("Enter")
    expect(day_part(page)).to_contain_text("Bob Feld")
    assert page.url.endswith(f"?day={today.day}")
    expect(chart(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(day_part(page)).to_have_count(0)
    expect(chart(page)).to_be_focused()
    assert page.url.endswith(USAGE)


def test_a_pressed_bar_opens_its_day_and_back_closes_it(today, open_page):
    page = open_page("alice@acme.example", USAGE)
    bar = page.evaluate(
        """(index) => {
          const one = Chart.getChart("month-chart").getDatasetMeta(0).data[index];
          return [one.x, one.y];
        }""",
        today.day - 1,
    )
    chart(page).click(position={"x": bar[0], "y": bar[1] + 4})
    expect(day_part(page)).to_contain_text("$12.00")
    found = Axe().run(page, options=WCAG)
    assert not found.violations_count, found.generate_report()
    page.go_back()
    expect(day_part(page)).to_have_count(0)
    page.go_forward()
    expect(day_part(page)).to_contain_text("Bob Feld")
    page.get_by_role("link", name="Close the day").click()
    expect(day_part(page)).to_have_count(0)
    expect(chart(page)).to_be_focused()
    shown = page.evaluate("Boolean(Chart.getChart('month-chart'))")
    assert shown, "it is drawn whichever way one comes"


def test_months_are_chosen_from_a_list_that_escape_closes(today, open_page):
    page = open_page("alice@acme.example", USAGE)
    listed = page.locator("[data-month-list]")
    listed.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(listed.get_by_role("link").first).to_contain_text("$12.00")
    page.keyboard.press("Escape")
    expect(listed.get_by_role("link").first).to_be_hidden()
    expect(listed.locator("summary")).to_be_focused()
    later = page.locator(".xu-months [aria-disabled=true]").last
    expect(later).to_have_attribute("aria-label", re.compile("has not begun$"))
