"""C1, C7: enabling with the caps of the organization, the seat tiers and single members;
all at once or nothing, and nothing typed is lost.
"""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEntry
from billing.models import BillingAccount, IncludedWindow, MemberMonth, SpendCap
from config.kit.money import usd
from tests.conftest import NOW

URL = "/o/acme/settings/usage/enable/"
CAPS = {
    "organization_cap": "400",
    "standard": "40",
    "premium_unlimited": "on",
    "scope": "everyone",
}
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(alice) -> Client:
    """Alice, signed in."""
    client = Client()
    client.force_login(alice.user)
    return client


def words(response) -> str:
    """Its text with white space folded."""
    return " ".join(response.content.decode().split())


def is_on() -> bool:
    """Whether Acme has extra usage."""
    return BillingAccount.objects.filter(extra_usage_enabled=True).exists()


def test_c1_switch_and_all_caps_are_set_at_once_each_in_the_activity(owner, ada, bob):
    typed = CAPS | {
        "member": [ada.pk, bob.pk],
        f"member-{ada.pk}-amount": "60",
        f"member-{bob.pk}-amount": "25.50",
        "go": "1",
    }
    assert owner.post(URL, typed).status_code == 302
    assert is_on()
    caps = SpendCap.objects.filter(membership__isnull=False)
    amounts = dict(caps.values_list("membership_id", "amount_nanos"))
    assert amounts == {ada.pk: usd("60"), bob.pk: usd("25.50")}
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert actions.count("cap.member") == 2
    assert {"extra_usage.switch", "cap.organization", "cap.seat_tier"} <= set(actions)


def test_a_mistake_in_one_field_loses_nothing_and_sets_nothing(owner, bob):
    typed = CAPS | {"member": bob.pk, f"member-{bob.pk}-amount": "lots", "go": "1"}
    response = owner.post(URL, typed)
    page = words(response)
    assert response.status_code == 422 and not is_on()
    assert 'value="lots"' in page and 'value="400"' in page and 'value="40"' in page
    assert "Bob" in page and not SpendCap.objects.exists()


def test_c3_unlimited_is_a_press_never_an_empty_field(owner, bob):
    for left in ("organization_cap", "premium_unlimited"):
        typed = {name: text for name, text in CAPS.items() if name != left}
        assert owner.post(URL, typed | {"go": "1"}).status_code == 422
    empty = {"member": bob.pk, f"member-{bob.pk}-amount": "", "go": "1"}
    assert owner.post(URL, CAPS | empty).status_code == 422
    assert not is_on()
    assert owner.post(URL, CAPS | {"unlimited": "1"}).status_code == 302
    assert is_on()


def test_people_are_found_added_and_taken_off_again_without_scripts(owner, bob):
    found = words(owner.post(URL, CAPS | {"q": "bob"}))  # Enter in the search
    assert f'value="add-{bob.pk}"' in found and 'value="400"' in found
    added = words(owner.post(URL, CAPS | {"member_action": f"add-{bob.pk}"}))
    assert f'name="member-{bob.pk}-amount"' in added and not is_on()
    off = {"member": bob.pk, "member_action": f"drop-{bob.pk}"}
    gone = words(owner.post(URL, CAPS | off))
    assert f'name="member-{bob.pk}-amount"' not in gone and 'value="400"' in gone


def test_htmx_gets_the_part_that_changed(owner, bob):
    part = words(
        owner.post(URL, CAPS | {"member_action": f"add-{bob.pk}"}, headers=HTMX)
    )
    assert part.startswith("<fieldset") and "first-effect" in part
    effect = owner.post(
        URL,
        CAPS
        | {
            "member": bob.pk,
            f"member-{bob.pk}-amount": "25",
            "member_action": "effect",
        },
        headers=HTMX,
    )
    assert "Set here for 1 person: at most $25.00 a month." in words(effect)
    assert "Acme: At $400.00" in words(effect)


def test_who_ran_out_is_proposed_with_what_was_really_spent(owner, ada, bob):
    for member in (ada, bob):
        IncludedWindow.objects.create(
            membership=member,
            name="session",
            opened_at=NOW - dt.timedelta(hours=3),
            resets_at=NOW + dt.timedelta(hours=2),
            exhausted_at=NOW - dt.timedelta(hours=1),
        )
    MemberMonth.objects.create(
        membership=bob, month_on=dt.date(2026, 10, 1), extra_nanos=usd("41.20")
    )
    page = words(owner.get(URL))
    assert "Ran out 1 time this month. Spent $41.20 of extra usage in October" in page
    assert "Add, $42.00" in page
    assert "No extra usage in October to propose an amount from." in page
    added = words(owner.post(URL, CAPS | {"member_action": f"add-{bob.pk}"}))
    assert 'value="42.00"' in added
    bare = words(owner.post(URL, CAPS | {"member_action": f"add-{ada.pk}"}))
    assert f'name="member-{ada.pk}-amount" value=""' in bare


def test_strangers_and_nonsense_in_what_is_posted_change_nothing(owner, charlie, bob):
    for odd in (str(charlie.pk), "x", "-1", "9" * 30):
        page = owner.post(URL, CAPS | {"member": odd, "member_action": f"add-{odd}"})
        assert page.status_code == 200 and "Charlie" not in words(page)
    typed = CAPS | {"member": charlie.pk, f"member-{charlie.pk}-amount": "5", "go": "1"}
    assert owner.post(URL, typed).status_code == 422
    assert not is_on() and not SpendCap.objects.exists()
