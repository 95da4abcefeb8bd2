"""The modals of Settings › Usage: previews, wrong amounts, what is saved, what the page
is told; with and without HTMX.
"""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Membership, Plan
from billing.metering.actions.recording import record_usage
from billing.models import (
    BillingAccount,
    MemberMonth,
    OrganizationDay,
    SelectedMember,
    SpendCap,
)
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.people import MembershipFactory
from tests.factories.usage import enable_extra_usage, event
from tests.markup import flat

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def client(alice) -> Client:
    client = Client()
    client.force_login(alice.user)
    return client


def at(name: str, *args: object) -> str:
    return reverse(name, args=["acme", *args])


def toast(answer: HttpResponse) -> str:
    return json.loads(answer["HX-Trigger"])["toast"]["items"][-1]["text"]


def caps() -> dict[str, list[tuple[str, int | None]]]:
    return {
        cap.level: (cap.amount_nanos, cap.month_amount_nanos)
        for cap in SpendCap.objects.all()
    }


@pytest.fixture
def targets(bob):
    return {
        "organization": at("organization_cap"),
        "seat_tier": at("seat_cap", "standard"),
        "member": at("member_cap", bob.pk),
    }


@pytest.mark.parametrize("level", ["organization", "seat_tier", "member"])
def test_each_level_is_set_and_set_to_unlimited(client, targets, level):
    answer = client.post(targets[level], {"amount": " $1,250.50 "}, headers=HTMX)
    assert answer.status_code == 204
    assert set(json.loads(answer["HX-Trigger"])) == {
        "capChanged",
        "closeModal",
        "toast",
    }
    assert "$1,250.50" in toast(answer)
    assert caps() == {level: (usd("1250.50"), None)}
    assert (
        client.post(
            targets[level], {"amount": "abc", "unlimited": "1"}, headers=HTMX
        ).status_code
        == 204
    )
    assert caps() == {level: (None, None)}
    assert AuditEntry.objects.filter(action=f"cap.{level}").count() == 2


@pytest.mark.parametrize("level", ["organization", "seat_tier", "member"])
def test_this_month_only_keeps_what_comes_after(client, targets, level):
    client.post(targets[level], {"amount": "40"}, headers=HTMX)
    answer = client.post(
        targets[level], {"amount": "50", "this_month_only": "on"}, headers=HTMX
    )
    text = toast(answer)
    assert "$50.00" in text and text.endswith(", this month only.")
    assert caps() == {level: (usd(40), usd(50))}
    html = client.get(targets[level], headers=HTMX).content.decode()
    assert "It will be $40.00 again from 1 December." in html
    assert 'value="50.00"' in html and "checked" in html


@pytest.mark.parametrize("level", ["organization", "seat_tier", "member"])
@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("", "Enter an amount in dollars, such as 25.00."),
        ("   ", "Enter an amount in dollars, such as 25.00."),
        ("12.505", "“12.505” has 3 decimal places."),
        ("-5", "“-5” is below zero."),
        ("1,000,000.01", "is over the maximum of $1,000,000.00."),
        ("fifty", "“fifty” is not an amount."),
        ("1,00", "“1,00” is not an amount."),
        ("NaN", "“NaN” is not an amount."),
        ("<script>", "“&lt;script&gt;” is not an amount."),
        ("9" * 50, "is over the maximum of"),
    ],
)
def test_a_wrong_amount_stays_in_the_modal_with_its_message(
    client, targets, level, amount, sentence
):
    answer = client.post(targets[level], {"amount": amount}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert html.lstrip().startswith("<dialog")
    assert (
        sentence in html
        and 'aria-invalid="true"' in html
        and 'id="amount-error"' in html
    )
    assert "Enter a valid amount to see its effect here." in html
    assert not SpendCap.objects.exists() and not AuditEntry.objects.exists()


def test_without_javascript_the_same_address_is_a_page_and_leads_back(client, targets):
    html = client.get(targets["organization"]).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    assert "<h1" in main and "<dialog" not in main and "Monthly spend cap" in main
    answer = client.post(targets["organization"], {"amount": "25"}, follow=True)
    assert answer.redirect_chain == [("/o/acme/settings/usage/", 302)]
    assert "The organization spend cap is now $25.00." in answer.content.decode()
    wrong = client.post(targets["organization"], {"amount": "x"})
    assert wrong.status_code == 422 and "<html" in wrong.content.decode()


def preview(
    client: Client, name: str, *args: object, amount: str, month_only: bool = False
) -> str:
    query = {"amount": amount, **({"this_month_only": "on"} if month_only else {})}
    return " ".join(
        client.get(at(f"{name}_preview", *args), query, headers=HTMX)
        .content.decode()
        .split()
    )


def test_the_preview_of_the_organizations_cap(client, acme, bob):
    enable_extra_usage(acme)
    for day, dollars in ((5, 100), (20, 300)):
        OrganizationDay.objects.create(
            organization=acme,
            day_on=dt.date(2026, 10, day),
            surface="claude",
            extra_nanos=usd(dollars),
        )
    for amount in ("1.00", "90.00"):
        record_usage([event(bob, usd=amount, at=NOW)], organization_id=acme.pk, now=NOW)
    below = preview(client, "organization_cap", amount="80", month_only=True)
    assert "At $80.00, extra usage stops now for all 3 people." in below
    assert (
        "$90.00 is already spent, $10.00 more than this cap. It will still be billed;"
        in below
    )
    assert (
        "xu-preview--warn" in below
        and "It will be $12,000.00 again from 1 December." in below
    )
    soon = preview(client, "organization_cap", amount="350")
    assert "In October, everyone would have been paused from Tue 20 Oct on." in soon
    assert "If checked, it will be $12,000.00 again from 1 December." in soon
    assert "In October, no one would have been paused." in preview(
        client, "organization_cap", amount="5000"
    )


def test_the_preview_of_a_seat_cap_counts_people_now_and_last_month(
    client, acme, ada, bob
):
    enable_extra_usage(acme)
    MemberMonth.objects.create(
        membership=bob, month_on=dt.date(2026, 11, 1), extra_nanos=usd(45)
    )
    MemberMonth.objects.create(
        membership=ada, month_on=dt.date(2026, 10, 1), extra_nanos=usd(60)
    )
    stops = preview(client, "seat_cap", "standard", amount="40")
    assert "At $40.00, extra usage stops now for 1 of 2 people." in stops
    assert "At $40.00, 1 of 2 people would have been paused last month." in stops
    assert "xu-preview--warn" in stops
    fine = preview(client, "seat_cap", "standard", amount="50")
    assert (
        "<strong>At $50.00, 1 of 2 people would have been paused last month.</strong>"
        in fine
    )
    assert "the most anyone has spent this month is $45.00." in fine
    SpendCap.objects.create(
        organization=acme, level="seat_tier", seat_tier="standard", amount_nanos=usd(40)
    )
    assert "At $61.00, 1 paused person can continue right away." in preview(
        client, "seat_cap", "standard", amount="61"
    )


def test_the_preview_of_a_persons_cap(client, acme, bob):
    enable_extra_usage(acme)
    MemberMonth.objects.create(
        membership=bob, month_on=dt.date(2026, 11, 1), extra_nanos=usd("40.12")
    )
    MemberMonth.objects.create(
        membership=bob, month_on=dt.date(2026, 10, 1), extra_nanos=usd("33.60")
    )
    SpendCap.objects.create(
        organization=acme, level="seat_tier", seat_tier="standard", amount_nanos=usd(40)
    )
    goes = preview(client, "member_cap", bob.pk, amount="60", month_only=True)
    assert "At $60.00, Bob can continue right away." in goes
    assert (
        "$40.12 spent; $19.88 would be left for 7 days. In October, Bob spent $33.60."
        in goes
    )
    assert "From 1 December, the seat cap of $40.00 applies again." in goes
    assert "At $30.00, Bob stays paused." in preview(
        client, "member_cap", bob.pk, amount="30"
    )
    SpendCap.objects.filter(level="organization").update(amount_nanos=0)
    assert "because the organization cap has been reached." in preview(
        client, "member_cap", bob.pk, amount="60"
    )


@pytest.mark.parametrize("amount", ["", " ", "\0"])
def test_the_preview_waits_for_an_amount(client, targets, amount):
    assert "Enter a valid amount to see its effect here." in preview(
        client, "organization_cap", amount=amount
    )


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("x", "“x” is not an amount."),
        ("1.234", "“1.234” has 3 decimal places."),
        ("%00", "“%00” is not an amount."),
        ("-5", "“-5” is below zero."),
    ],
)
def test_h13_the_preview_says_why_it_can_t_read_an_amount(client, targets, amount, why):
    assert why in preview(client, "organization_cap", amount=amount)


def test_a_member_learns_what_unlimited_means_under_a_seat_cap(client, acme, targets):
    client.post(targets["seat_tier"], {"amount": "40"})
    html = client.get(targets["member"], headers=HTMX).content.decode()
    assert 'name="unlimited"' not in html, "there is no own cap to take away"
    client.post(targets["member"], {"amount": "90"})
    html = client.get(targets["member"], headers=HTMX).content.decode()
    assert "Without their own cap, the seat cap of $40.00 applies." in html
    assert "Set to unlimited (the seat cap applies)" in html
    answer = client.post(targets["member"], {"unlimited": "1"}, headers=HTMX)
    assert (
        toast(answer)
        == "Bob Feld no longer has a cap of their own; the seat cap of $40.00 applies."
    )


def test_h10_what_the_button_takes_away_follows_the_tick(client, acme, targets):
    client.post(targets["organization"], {"amount": "50", "this_month_only": "on"})
    html = client.get(targets["organization"], headers=HTMX).content.decode()
    assert "Set to unlimited, this month only" in html
    for_good = preview(client, "organization_cap", amount="50")
    assert ">Set to unlimited</span>" in for_good
    client.post(targets["organization"], {"unlimited": "1"})
    html = client.get(targets["organization"], headers=HTMX).content.decode()
    assert 'name="unlimited"' not in html, "it is unlimited already"


def test_enabling_sets_caps_and_scope_together(client, acme):
    html = client.get(at("enable_extra_usage"), headers=HTMX).content.decode()
    assert "<dialog" in html and not BillingAccount.objects.exists()
    form = {
        "organization_cap": "12,000",
        "standard": "40",
        "premium": "",
        "premium_unlimited": "on",
        "scope": "everyone",
    }
    answer = client.post(at("enable_extra_usage"), form, headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (
        204,
        "/o/acme/settings/usage/",
    )
    account = BillingAccount.objects.get()
    assert (account.extra_usage_enabled, account.scope) == (True, "everyone")
    assert set(SpendCap.objects.values_list("level", "seat_tier", "amount_nanos")) == {
        ("organization", None, usd(12_000)),
        ("seat_tier", "standard", usd(40)),
        ("seat_tier", "premium", None),
    }


@pytest.mark.parametrize(
    "form",
    [
        {"organization_cap": "1.234", "scope": "everyone"},
        {"organization_cap": "100", "scope": "nobody"},
        {"organization_cap": "", "scope": "everyone"},
        {"scope": "everyone"},
        {},
    ],
)
def test_enabling_with_something_wrong_leaves_it_off(client, acme, form):
    answer = client.post(at("enable_extra_usage"), form, headers=HTMX)
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert not BillingAccount.objects.exists() and not SpendCap.objects.exists()


def test_enabling_for_selected_members_leads_to_choosing_them(client, acme):
    answer = client.post(
        at("enable_extra_usage"),
        {"organization_cap": "", "unlimited": "1", "scope": "selected"},
    )
    assert (answer.status_code, answer["Location"]) == (302, at("selected_members"))


def test_turning_off_is_confirmed_and_keeps_caps(client, acme):
    enable_extra_usage(acme)
    html = client.get(at("turn_off_extra_usage"), headers=HTMX).content.decode()
    assert (
        "Caps and history are kept" in html
        and BillingAccount.objects.get().extra_usage_enabled
    )
    client.post(at("turn_off_extra_usage"))
    assert not BillingAccount.objects.get().extra_usage_enabled
    assert SpendCap.objects.exists()


def test_d2_nothing_can_be_switched_on_a_usage_based_plan(client, acme):
    type(acme).objects.update(plan=Plan.ENTERPRISE_USAGE)
    answer = client.post(at("turn_off_extra_usage"), headers=HTMX)
    assert (
        answer.status_code == 422
        and "no extra usage to turn on or off" in answer.content.decode()
    )


def select(client: Client, **form: object) -> str:
    return client.post(at("selected_members"), form, headers=HTMX).content.decode()


def test_ticks_are_kept_while_one_searches_on(client, acme, ada, bob):
    enable_extra_usage(acme)
    first = select(client, action="search", q="ada", shown="", add="", remove="")
    assert "Ada Okafor" in first and "Bob Feld" not in first
    second = select(
        client, action="search", q="bob", shown=str(ada.pk), member=str(ada.pk)
    )
    assert f'name="add" value="{ada.pk}"' in second and "Bob Feld" in second
    answer = client.post(
        at("selected_members"),
        {
            "action": "save",
            "shown": str(bob.pk),
            "member": str(bob.pk),
            "add": str(ada.pk),
        },
    )
    assert answer.status_code == 302
    assert set(SelectedMember.objects.values_list("membership_id", flat=True)) == {
        ada.pk,
        bob.pk,
    }
    assert BillingAccount.objects.get().scope == "selected"
    client.post(
        at("selected_members"),
        {"action": "save", "shown": f"{ada.pk},{bob.pk}", "member": str(ada.pk)},
    )
    assert set(SelectedMember.objects.values_list("membership_id", flat=True)) == {
        ada.pk
    }


def test_all_found_are_ticked_at_once_beyond_the_page(client, acme):
    enable_extra_usage(acme)
    many = [
        member.pk for member in MembershipFactory.create_batch(60, organization=acme)
    ]
    html = select(client, action="all", q="person")
    add = html.split('name="add" value="')[1].split('"')[0]
    assert {int(one) for one in add.split(",")} == set(many)
    client.post(at("selected_members"), {"action": "save", "add": add})
    assert SelectedMember.objects.count() == 60


def test_d1_strangers_and_nonsense_cannot_be_selected(client, acme, charlie):
    enable_extra_usage(acme)
    client.post(
        at("selected_members"),
        {"action": "save", "add": f"{charlie.pk},99999,x,-1,{'9' * 30},"},
    )
    assert not SelectedMember.objects.exists()


def test_everyone_is_one_press_and_selected_members_opens_the_list_first(
    client, acme, bob
):
    enable_extra_usage(acme)
    answer = client.post(at("extra_usage_scope"), {"scope": "selected"}, headers=HTMX)
    html = answer.content.decode()
    assert answer["HX-Retarget"] == "#modal" and "<dialog" in html
    page = flat(client.get(at("usage_settings")).content.decode())
    assert 'value="everyone" id="scope-everyone" aria-pressed="true"' in page, (
        "the choice shows what is stored until it is saved"
    )
    assert BillingAccount.objects.get().scope == "everyone"
    client.post(at("selected_members"), {"action": "save", "add": str(bob.pk)})
    client.post(at("extra_usage_scope"), {"scope": "everyone"})
    assert BillingAccount.objects.get().scope == "everyone"
    assert SelectedMember.objects.count() == 1, "the selection is kept"


def test_d3_the_acts_are_refused_to_admins(acme, ada, bob):
    client = Client()
    client.force_login(ada.user)
    enable_extra_usage(acme)
    before = (SpendCap.objects.count(), BillingAccount.objects.values().get())
    for name, args in (
        ("organization_cap", []),
        ("seat_cap", ["standard"]),
        ("member_cap", [bob.pk]),
        ("turn_off_extra_usage", []),
        ("extra_usage_scope", []),
        ("selected_members", []),
    ):
        form = {
            "amount": "5",
            "scope": "everyone",
            "action": "save",
            "add": str(bob.pk),
        }
        assert client.post(at(name, *args), form).status_code == 403
    assert (SpendCap.objects.count(), BillingAccount.objects.values().get()) == before


def test_a_removed_person_has_no_cap_to_edit(client, acme, bob):
    Membership.objects.filter(pk=bob.pk).update(
        status="removed", seat_tier=None, removed_at=NOW
    )
    assert client.get(at("member_cap", bob.pk)).status_code == 404
