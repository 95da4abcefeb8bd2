"""A Team in a real browser: enabled from nothing to running, drawn down by a replay,
reloaded, declined, put right.
"""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from billing.books import differences
from billing.models import BillingAccount, LedgerEntry, Payment, SandboxPayment
from config.kit.money import NANOS_PER_CENT, usd
from tests.browser.test_usage_settings import assert_accessible
from tests.factories.balances import (
    balance,
    buy,
    give_card,
    make_bolt,
    turn_on,
    use_up_included,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
USAGE, BILLING = "/o/bolt/settings/usage/", "/o/bolt/settings/billing/"
BEA = "bea@bolt.example"


def step_is(page: Page, name: str) -> None:
    """The flow shows this step, and axe finds nothing on it."""
    expect(page.get_by_role("heading", level=2, name=name, exact=True)).to_be_visible()
    assert_accessible(page)


def enter_card(page: Page, number: str) -> None:
    """On the test gateway's own page."""
    expect(page.get_by_text("Test gateway: no money moves")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Card number").fill(number)
    page.get_by_role("button", name="Save card").click()


@pytest.fixture
def bolt(acme):
    """A new Team that has bought nothing; its seats include nothing, so that all usage
    is extra.
    """
    made = make_bolt(now=timezone.now(), card=None)
    use_up_included(made)
    return made


def test_t1_a_new_team_is_enabled_from_nothing_to_running_and_a_replay_draws_the_balance_down(
    bolt, open_page, live_server, tmp_path
):
    page = open_page(BEA, USAGE)
    page.get_by_role("button", name="Enable").click()
    step_is(page, "Pay")
    page.get_by_role("link", name="Add card").first.click()
    page.get_by_role("button", name="Continue to the card form").click()
    enter_card(page, "4242 4242 4242 4242")
    step_is(page, "Pay")
    page.get_by_label("Amount").fill("50")
    page.get_by_role("button", name="Buy extra usage").click()
    step_is(page, "Auto-reload")
    page.goto(USAGE)  # left half-way
    expect(page.get_by_text("Extra usage is off", exact=True)).to_be_visible()
    expect(page.locator("#usage-balance").get_by_text("$50.00")).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    step_is(page, "Auto-reload")
    page.get_by_label("Reload when balance reaches").fill("25")
    page.get_by_label("Reload amount").fill("50")
    page.get_by_role("button", name="Set auto-reload").click()
    step_is(page, "Monthly spend cap")
    page.get_by_label("Organization spend cap").fill("400")
    page.get_by_role("button", name="Continue").click()
    step_is(page, "Who gets it")
    page.get_by_label("Everyone").check()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("Extra usage on, for everyone")).to_be_visible()
    expect(
        page.get_by_text("Reload when balance reaches $25.00. Reload amount $50.00.")
    ).to_be_visible()
    _replay_draws_down(bolt, live_server, tmp_path)
    page.goto(BILLING)
    expect(page.get_by_role("cell", name="+$50.00").first).to_be_visible()
    assert_accessible(page)


def _replay_draws_down(bolt, live_server, tmp_path) -> None:
    """300 requests of about 50 cents at full speed: $150, so that $50 needs reloads;
    everything adds up.
    """
    lines = [
        f"2023-11-16 18:{n // 60 % 60:02d}:{n % 60:02d}.0000000,{1000 + n},{50_000 + 7 * n}"
        for n in range(300)
    ]
    trace = tmp_path / "trace.csv"
    trace.write_text(
        "\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines]) + "\n"
    )
    out = StringIO()
    call_command(
        "replay",
        "bolt",
        str(trace),
        "--members",
        "3",
        "--no-wait",
        "--server",
        live_server.url,
        "--model",
        "claude-sonnet-5",
        stdout=out,
    )
    charged = re.search(r"charged now, extra_usage: \$([0-9.]+)", out.getvalue())
    assert charged and usd(charged[1]) > usd(100), out.getvalue()
    reloads = Payment.objects.filter(purpose="reload")
    assert reloads.count() >= 2 and {one.status for one in reloads} == {"succeeded"}
    paid = sum(
        SandboxPayment.objects.filter(status="succeeded").values_list(
            "amount_cents", flat=True
        )
    )
    assert balance(bolt) == paid * NANOS_PER_CENT - usd(charged[1])
    call_command(
        "audit_books", stdout=StringIO()
    )  # exits 1 with the differences, if there are any


@pytest.fixture
def running(bolt):
    """$100 bought, auto-reload of $50 at $25."""
    now = timezone.now()
    give_card(bolt, "works", now=now)
    turn_on(bolt, reload=("25", "50"), now=now)
    return bolt


def test_buying_and_auto_reload_in_their_dialogs_update_the_page_in_place(
    running, open_page
):
    page = open_page(BEA, USAGE)
    page.get_by_role("button", name="Buy extra usage").click()
    dialog = page.get_by_role("dialog", name="Buy extra usage")
    expect(dialog.get_by_label("Amount")).to_be_focused()
    assert_accessible(page)
    dialog.get_by_label("Amount").fill("3")
    dialog.get_by_role("button", name="Buy extra usage").click()
    expect(
        dialog.get_by_text("$3.00 is below the minimum purchase of $5.00.")
    ).to_be_visible()
    expect(dialog.get_by_label("Amount")).to_be_focused()
    dialog.get_by_label("Amount").fill("20")
    dialog.get_by_role("button", name="Buy extra usage").dblclick()
    expect(
        page.get_by_text("$20.00 bought. The balance is now $120.00.").first
    ).to_be_visible()
    expect(page.locator("#usage-balance").get_by_text("$120.00")).to_be_visible()
    assert Payment.objects.count() == 2 and balance(running) == usd(120)
    page.get_by_role("button", name="Edit auto-reload").click()
    dialog = page.get_by_role("dialog", name="Auto-reload")
    dialog.get_by_label("Reload amount").fill("75")
    assert_accessible(page)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Reload amount $75.00.")).to_be_visible()
    assert BillingAccount.objects.get(organization=running).reload_amount_nanos == usd(
        75
    )


def test_t5_a_declined_card_is_changed_from_the_banner_and_the_reload_follows(
    running, open_page
):
    from billing.metering.actions.recording import record_usage
    from billing.payments import processing
    from tests.factories.usage import event

    now = timezone.now()
    give_card(running, "declines", now=now)
    record_usage(
        [event("mia@bolt.example", at=now, usd="90")],
        organization_id=running.pk,
        now=now,
    )
    processing.reload_if_due(running.pk, now=now)
    page = open_page(BEA, USAGE)
    expect(page.get_by_text("Visa 0341 was declined")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Change card").click()
    page.get_by_role("button", name="Continue to the card form").click()
    enter_card(page, "4242424242424242")
    expect(
        page.get_by_text("Visa ending in 4242 will be charged from now on.")
    ).to_be_visible()
    page.reload()  # the worker had answered by then
    expect(page.locator("#usage-balance").get_by_text("$60.00")).to_be_visible()
    assert list(differences()) == []


def test_t6_the_bank_asks_and_a_purchase_is_confirmed(running, open_page):
    give_card(running, "action", now=timezone.now())
    page = open_page(BEA, f"{BILLING}buy/")
    page.get_by_label("Amount").fill("30")
    page.get_by_role("button", name="Buy extra usage").click()
    expect(
        page.get_by_role("heading", name="Confirm the payment of $30.00")
    ).to_be_visible()
    assert_accessible(page)
    page.goto(USAGE)  # gone elsewhere, and back to it
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Confirm").click()
    expect(
        page.get_by_text("$30.00 bought. The balance is now $130.00.")
    ).to_be_visible()
    assert LedgerEntry.objects.filter(kind="purchase").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    running, open_page, width, scheme
):
    now = timezone.now()
    buy(running, "20", now=now)
    page = open_page(
        BEA, BILLING, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    entry = LedgerEntry.objects.first()
    for path in (
        BILLING,
        f"{BILLING}ledger/{entry.pk}/",
        f"{BILLING}auto-reload/",
        f"{BILLING}card/",
        USAGE,
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert_accessible(page)
