"""B2, B5, B10, H4: parts of pages lead to their page when they are opened by themselves,
signing in leads back to the page one was on, and everything works without scripts.
"""

from __future__ import annotations

import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.actions.invitations import invite
from accounts.models import Membership, SeatTier
from tests.factories.balances import buy, make_bolt
from tests.factories.usage import enable_extra_usage

HTMX = {"HX-Request": "true"}
PARTS = ["usage_month", "usage_caps", "usage_people", "requests_banner"]


def sign_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.mark.parametrize("name", PARTS)
def test_b2_a_part_opened_by_itself_leads_to_its_page(acme, alice, charlie, name):
    enable_extra_usage(acme)
    path = reverse(name, args=["acme"])
    page = reverse("usage_settings", args=["acme"])
    assert sign_in(alice).get(path)["Location"] == page
    assert "<html" not in sign_in(alice).get(path, headers=HTMX).content.decode()
    assert sign_in(charlie).get(path).status_code == 404, "strangers learn nothing"


def test_b2_the_balance_opened_by_itself_leads_to_its_page(acme, now):
    bolt = make_bolt(now=now)
    buy(bolt, "50", now=now)
    client = Client()
    client.force_login(bolt.primary_owner)
    path = reverse("usage_balance", args=["bolt"])
    assert client.get(path)["Location"] == reverse("usage_settings", args=["bolt"])


def test_b2_signing_in_again_leads_back_to_the_page_and_not_to_a_part_of_it(acme):
    part = "/o/acme/settings/usage/caps/organization/preview/?amount=1800"
    shown = "http://testserver/o/acme/settings/usage/?status=paused"
    answer = Client().get(part, headers={**HTMX, "HX-Current-URL": shown})
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == (
        "/accounts/login/?next=/o/acme/settings/usage/%3Fstatus%3Dpaused"
    )


@pytest.mark.parametrize("shown", ["https://evil.example/o/acme/", "", None])
def test_b2_nobody_is_led_to_another_site_after_signing_in(acme, shown):
    headers = HTMX if shown is None else {**HTMX, "HX-Current-URL": shown}
    answer = Client().get("/o/acme/settings/usage/month/", headers=headers)
    assert "evil" not in answer["HX-Redirect"]
    assert answer["HX-Redirect"].startswith("/accounts/login/?next=/o/acme/")


def test_b2_other_redirects_lead_where_they_say(acme, alice):
    headers = {**HTMX, "HX-Current-URL": "http://testserver/o/acme/settings/usage/"}
    answer = sign_in(alice).get("/", headers=headers)
    assert "login" not in answer["HX-Redirect"]


def test_b5_the_seats_in_the_head_are_counted_anew_with_the_list(acme, alice, bob):
    client = sign_in(alice)
    path = reverse("members", args=["acme"])
    assert 'id="seat-counts"' in client.get(path).content.decode()
    part = client.get(path, headers=HTMX).content.decode()
    assert re.search(r'<span id="seat-counts"\s+hx-swap-oob="true"', part)
    assert re.search(r"<b>2 of \d+</b>\s+Standard", part)
    bob.seat_tier = None
    bob.save(update_fields=["seat_tier"])
    after = client.get(path, headers=HTMX).content.decode()
    assert re.search(r"<b>1 of \d+</b>\s+Standard", after)


def test_b10_without_scripts_each_act_of_a_menu_is_a_plain_link(acme, alice, ada, bob):
    enable_extra_usage(acme)
    pages = {
        "members": ["member_edit", "member_remove", "member_hand_over"],
        "usage_settings": ["member_cap"],
    }
    for page, acts in pages.items():
        html = sign_in(alice).get(reverse(page, args=["acme"])).content.decode()
        plain = " ".join(re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL))
        for act in acts:
            assert f'href="{reverse(act, args=["acme", bob.pk])}"' in plain, act
    html = sign_in(ada).get(reverse("members", args=["acme"])).content.decode()
    assert "<noscript>" not in html, "an admin reads them and edits nothing"


def test_h4_who_invites_reads_what_is_free_and_what_invitations_promise(
    acme, alice, now
):
    SeatTier.objects.filter(organization=acme, tier="premium").update(bought=2)
    held = acme.memberships.filter(seat_tier="premium").count()
    path = reverse("member_invite", args=["acme"])
    client = sign_in(alice)
    assert f"Premium: {2 - held} of 2 free." in client.get(path).content.decode()
    for number in range(2 - held + 1):
        who = {"email": f"p{number}@acme.example", "role": "member"}
        invite(acme, seat_tier="premium", by=alice, now=now, **who)
    waiting = 2 - held + 1
    assert (
        f"Premium: {2 - held} of 2 free, {waiting} promised by invitations."
        in client.get(path).content.decode()
    )


def test_h4_an_invitation_beyond_the_seats_is_sent_and_says_so(acme, alice, now):
    held = acme.memberships.filter(seat_tier="standard").count()
    SeatTier.objects.filter(organization=acme, tier="standard").update(bought=held + 1)
    path, client = reverse("member_invite", args=["acme"]), sign_in(alice)
    who = {"email": "early@acme.example", "role": "member", "seat_tier": "standard"}
    html = client.post(path, who, follow=True).content.decode()
    assert (
        "Invitation sent to early@acme.example." in html and "is free for" not in html
    )
    who["email"] = "late@acme.example"
    html = client.post(path, who, follow=True).content.decode()
    assert "Only 1 Standard seat is free for 2 open invitations" in html


def polls_of(html: str) -> list[str]:
    """What the parts of a page ask for by themselves, with what was seen."""
    found = re.findall(r'hx-get="([^"]*seen=[^"]*)"', html)
    return [address.replace("&amp;", "&") for address in found]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("usage_settings", 4),  # requests, month, caps, people
        ("own_usage", 1),
        ("notices", 1),
    ],
)
def test_h14_the_first_refresh_of_an_open_page_redraws_nothing(
    acme, alice, name, parts, now
):
    enable_extra_usage(acme)
    with time_machine.travel(now, tick=False):
        client = sign_in(alice)
        polls = polls_of(client.get(reverse(name, args=["acme"])).content.decode())
        assert len(polls) == parts
        for poll in polls:
            assert client.get(poll, headers=HTMX).status_code == 204, poll


def test_h14_the_balance_is_not_redrawn_either(acme, now):
    bolt = make_bolt(now=now)
    buy(bolt, "50", now=now)
    client = Client()
    client.force_login(bolt.primary_owner)
    with time_machine.travel(now, tick=False):
        for name in ("usage_settings", "billing"):
            html = client.get(reverse(name, args=["bolt"])).content.decode()
            polls = [one for one in polls_of(html) if "balance" in one]
            assert [client.get(one, headers=HTMX).status_code for one in polls] == [204]


def test_h14_what_changed_is_redrawn_and_what_did_not_is_not(acme, alice, now):
    enable_extra_usage(acme)
    with time_machine.travel(now, tick=False):
        client = sign_in(alice)
        page = client.get(reverse("usage_settings", args=["acme"])).content.decode()
        assert page.count('id="nav-count"') == page.count('id="count-all"') == 1, (
            "what is swapped around stands in the page once"
        )
        cap = reverse("seat_cap", args=["acme", "standard"])
        client.post(cap, {"amount": "12", "set": "amount"}, headers=HTMX)
        codes = {
            poll.partition("?")[0].split("/")[-2]: client.get(poll, headers=HTMX)
            for poll in polls_of(page)
        }
        changed = {name for name, one in codes.items() if one.status_code == 200}
        assert changed == {"caps", "people"}
        assert "<!--around-->" not in codes["people"].content.decode()
