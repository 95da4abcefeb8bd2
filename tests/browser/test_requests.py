"""The journey in a real browser: Bob asks, Ada sees it, increases his limit for this
month; next month his old cap is back.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from accounts.actions.audit import Actor
from accounts.delivery import deliver
from accounts.models import Membership, OutgoingMail, User
from billing.caps.actions.caps import set_seat_tier_cap
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from config.kit.money import usd
from requests_inbox.actions.asking import send_request
from requests_inbox.models import UsageRequest
from tests.browser.test_usage_settings import assert_accessible
from tests.factories.people import MembershipFactory, make_api_key
from tests.factories.usage import enable_extra_usage
from tests.requests_inbox.conftest import spend

pytestmark = pytest.mark.browser
OWN, SETTINGS = "/o/acme/usage/", "/o/acme/settings/usage/"


@pytest.fixture
def bob(acme) -> Membership:
    """Bob on a standard seat capped at $40, extra usage on."""
    enable_extra_usage(acme)
    set_seat_tier_cap(
        acme,
        tier="standard",
        amount_nanos=usd("40"),
        actor=Actor(label="owner"),
        now=timezone.now(),
    )
    return Membership.objects.select_related("user", "organization").get(
        user__email="bob@acme.example"
    )


def hit_the_limit(client, bob: Membership) -> None:
    """Through the API: check then charge until a check refuses."""
    key = {
        "Authorization": f"Bearer {make_api_key(bob.organization, now=timezone.now())}"
    }
    asked = {"member": "bob@acme.example", "surface": "claude_code"}
    for number in range(6):
        answer = client.post(
            "/api/v1/authorize", asked, content_type="application/json", headers=key
        ).json()
        if not answer["allowed"]:
            return
        used = {
            "id": f"b{number}",
            "member": "bob@acme.example",
            "surface": "claude_code",
            "model": "claude-sonnet-5",
            "occurred_at": timezone.now().isoformat(),
            "usage": {"output_tokens": 2_000_000},
            "authorization": answer["authorization"],
        }
        client.post(
            "/api/v1/usage",
            {"events": [used]},
            content_type="application/json",
            headers=key,
        )
    raise AssertionError("Bob was never blocked")


def allowed(bob: Membership, *, at: dt.datetime) -> bool:
    """What a check answers at a moment."""
    return decide(
        standing_of(bob.pk, organization_id=bob.organization_id, now=at)
    ).allowed


def test_bob_asks_ada_increases_and_next_month_the_old_cap_is_back(
    client, acme, bob, open_page
):
    hit_the_limit(client, bob)
    one, two = open_page("bob@acme.example", OWN), open_page("bob@acme.example", OWN)
    assert_accessible(one)
    one.get_by_role("button", name="Request more usage").dblclick()
    expect(one.get_by_text("Request sent to your admins")).to_be_visible()
    two.get_by_role(
        "button", name="Request more usage"
    ).click()  # the other tab still shows it
    expect(two.get_by_text("Request sent to your admins")).to_be_visible()
    assert UsageRequest.objects.count() == 1
    one.get_by_label("Note").fill("Finishing the migration.")
    one.get_by_label("Amount").fill("10")
    one.get_by_role("button", name="Add to request").click()
    expect(
        one.get_by_text("already spent $40.00 this month; ask for more than that")
    ).to_be_visible()
    one.get_by_label("Amount").fill("70")
    one.get_by_role("button", name="Add to request").click()
    expect(
        one.get_by_text("Your admins will see this with your request.")
    ).to_be_visible()
    assert_accessible(one)

    ada = open_page("ada@acme.example", SETTINGS)
    expect(ada.get_by_text("1 request for more usage")).to_be_visible()
    expect(
        ada.get_by_role("link", name=re.compile("Requests.*1 request waiting"))
    ).to_be_visible()
    ada.get_by_role("button", name="Review requests").click()
    dialog = ada.get_by_role("dialog", name="Review requests")
    expect(dialog.get_by_text("Finishing the migration.")).to_be_visible()
    dialog.get_by_role("button", name="Increase limit").click()
    field = dialog.get_by_label("New limit")
    expect(field).to_be_focused()
    expect(field).to_have_value("70.00")
    field.fill("5")
    dialog.get_by_role("button", name="Increase to $5.00").click()
    expect(dialog.get_by_text("must be higher than that")).to_be_visible()
    dialog.get_by_label("New limit").fill("75")
    assert_accessible(ada)
    dialog.get_by_role("button", name="Increase to $75.00").click()
    expect(
        ada.get_by_text("The limit for Bob Feld is now $75.00, this month only.")
    ).to_be_visible()
    expect(dialog).not_to_be_visible()
    expect(ada.get_by_text("for more usage")).not_to_be_visible()
    expect(ada.get_by_role("row").filter(has_text="Bob Feld")).to_contain_text("$75.00")

    now = timezone.now()
    zone = ZoneInfo("America/New_York")
    assert allowed(bob, at=now)
    following = standing_of(
        bob.pk, organization_id=bob.organization_id, now=now
    ).organization.month.end
    later = standing_of(
        bob.pk, organization_id=bob.organization_id, now=following.astimezone(zone)
    )
    assert (later.cap.amount_nanos, later.cap_source) == (usd("40"), "seat_tier")
    [held] = OutgoingMail.objects.filter(kind="request.answer")
    OutgoingMail.objects.filter(pk=held.pk).update(next_try_at=now)
    assert deliver(held.pk)
    # beside the notices of his cap
    [answer] = [one for one in mail.outbox if "increased" in one.subject]
    assert answer.to == ["bob@acme.example"]
    assert (
        answer.subject == "Ada Okafor increased your limit to $75.00, this month only"
    )
    one.reload()
    expect(
        one.get_by_text("Ada Okafor increased your limit to $75.00, this month only")
    ).to_be_visible()


def test_focus_goes_to_the_next_row_several_are_ticked_and_the_mails_link_opens_the_modal(
    acme, bob, open_page
):
    now = timezone.now()
    people = [bob, *MembershipFactory.create_batch(3, organization=acme)]
    for person in people:
        spend(person, "1", "40.12", at=now)
        send_request(person, now=now)
    page = open_page("ada@acme.example", f"{SETTINGS}?review=requests")
    dialog = page.get_by_role("dialog", name="Review requests")
    expect(dialog.get_by_role("listitem")).to_have_count(4)
    dialog.get_by_role("listitem").first.get_by_role("button", name="Dismiss").click()
    expect(dialog.get_by_label("Note to the member")).to_be_focused()
    dialog.get_by_role("button", name="Dismiss request").click()
    # Only the row that was decided is drawn anew; one is where one was.
    decided = dialog.get_by_role("listitem").first
    expect(decided.get_by_text("has been dismissed.")).to_be_focused()
    second = dialog.get_by_role("listitem").nth(1)
    page.keyboard.press("Tab")
    expect(second.get_by_role("checkbox")).to_be_focused()
    second.get_by_role("button", name="Increase limit").click()
    dialog.get_by_label("New limit").fill("77")
    for box in dialog.get_by_role("checkbox").all()[:2]:
        box.check()
    dialog.get_by_label("One limit for everyone selected").fill("50")
    assert_accessible(page)
    dialog.get_by_role("button", name="Increase 2 limits").click()
    expect(page.get_by_text("2 limits are now $50.00.")).to_be_visible()
    expect(dialog.get_by_label("New limit")).to_have_count(0)
    expect(dialog.get_by_role("checkbox")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.get_by_text("1 request for more usage")).to_be_visible()


@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
        {"viewport": {"width": 390, "height": 844}, "locale": "ja-JP"},
    ],
    ids=["phone dark", "phone Japanese"],
)
def test_the_phone_shows_it_all_and_axe_finds_nothing(acme, bob, open_page, look):
    now = timezone.now()
    spend(bob, "1", "40.12", at=now)
    send_request(bob, note="x" * 200, asked_nanos=usd("60"), now=now)
    if "locale" in look:
        User.objects.update(language="ja")
    page = open_page("ada@acme.example", f"{SETTINGS}requests/", **look)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_accessible(page)
    page = open_page("bob@acme.example", OWN, **look)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_accessible(page)
