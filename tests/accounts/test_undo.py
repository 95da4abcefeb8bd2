"""Undo in a message: an exact reversal by the same person, through the audit, only while
nobody changed the same since (C8, D3, D4).
"""

from __future__ import annotations

import json

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from accounts.actions.seats import assign_seat, set_bought_seats
from accounts.actions.undoing import changes_made
from accounts.models import AuditEntry, Membership, Role
from billing.caps.actions.caps import set_member_cap, set_organization_cap
from billing.metering.actions.recording import record_usage
from billing.models import Notice, SeatAllowance, SpendCap
from config.kit.money import usd
from tests.conftest import NOW
from tests.factories.usage import enable_extra_usage, event

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MEMBERS = "/o/acme/settings/members/"
CAP = "/o/acme/settings/usage/caps/organization/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def owner(alice) -> Client:
    """Alice, signed in."""
    return signed_in(alice)


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def toasts(response) -> list[dict[str, str]]:
    """What an answer to HTMX says."""
    return json.loads(response["HX-Trigger"])["toast"]["items"]


def act(client, url, **typed) -> str:
    """Do it in the dialog; where it is taken back."""
    return toasts(client.post(url, typed, headers=HTMX))[-1]["undo"]


def undo(client, url) -> str:
    """Press Undo; what it says."""
    return toasts(client.post(url, headers=HTMX))[-1]["text"]


def cap_url(member) -> str:
    return f"/o/acme/settings/usage/caps/members/{member.pk}/"


def test_c8_a_cap_is_as_it_was_and_both_changes_are_in_the_activity(owner, acme, alice):
    who = {"actor": Actor.person(alice.user), "now": NOW}
    set_organization_cap(acme, amount_nanos=usd("900"), **who)
    set_organization_cap(acme, amount_nanos=usd("950"), this_month_only=True, **who)
    back = act(owner, CAP, amount="5")
    assert undo(owner, back) == "Undone. Everything is as it was before."
    cap = SpendCap.objects.get(level="organization")
    assert (cap.amount_nanos, cap.month_amount_nanos) == (usd("900"), usd("950"))
    assert AuditEntry.objects.filter(action="change.undo").count() == 1
    page = owner.get("/o/acme/settings/activity/").content.decode()
    assert "Undone" in page


def test_n1_what_comes_after_this_month_holds_at_no_moment_of_an_undo(
    owner, acme, alice, bob
):
    """Nobody is told of a cap of $5 that never held."""
    who = {"actor": Actor.person(alice.user), "now": NOW}
    SeatAllowance.objects.filter(plan=acme.plan).delete()
    enable_extra_usage(acme)
    set_organization_cap(acme, amount_nanos=usd("5"), **who)
    set_organization_cap(acme, amount_nanos=usd("100"), this_month_only=True, **who)
    record_usage([event(bob, usd="9", at=NOW)], organization_id=acme.pk, now=NOW)
    back = act(owner, CAP, amount="200", this_month_only="on")
    undo(owner, back)
    cap = SpendCap.objects.get(level="organization")
    assert (cap.amount_nanos, cap.month_amount_nanos) == (usd("5"), usd("100"))
    assert not Notice.objects.filter(kind="organization_cap").exists()
    assert AuditEntry.objects.filter(action="cap.organization").count() == 4


def test_c2_a_first_cap_undone_leaves_the_seats_to_hold(owner, acme, bob):
    typed = {"amount": "60"}
    back = act(owner, cap_url(bob), **typed)
    undo(owner, back)
    assert SpendCap.objects.get(membership=bob).amount_nanos is None


def test_undone_twice_or_after_another_change_it_says_who_changed_it(
    owner, acme, alice, ada, bob
):
    Membership.objects.filter(pk=ada.pk).update(base_role=Role.OWNER)
    back = act(owner, CAP, amount="5")
    signed_in(ada).post(CAP, {"amount": "7"}, headers=HTMX)
    assert undo(owner, back).startswith(f"{ada.user} has changed this since")
    assert SpendCap.objects.get(level="organization").amount_nanos == usd("7")
    other = act(owner, cap_url(bob), amount="5")
    undo(owner, other)
    assert undo(owner, other) == "This has been undone already."


def test_only_the_same_person_within_ten_minutes_who_still_may(
    owner, acme, alice, ada, bob, charlie, clock
):
    back = act(owner, CAP, amount="5")
    Membership.objects.filter(pk=ada.pk).update(base_role=Role.OWNER)
    assert "nothing of yours" in undo(signed_in(ada), back)
    assert signed_in(bob).post(back, headers=HTMX).status_code == 403
    assert signed_in(charlie).post(back, headers=HTMX).status_code == 404
    theirs = back.replace("acme", "umbrella")
    assert "nothing of yours" in undo(signed_in(charlie), theirs)
    of_ada = act(signed_in(ada), CAP, amount="6")
    Membership.objects.filter(pk=ada.pk).update(base_role=Role.ADMIN)
    assert "right to change" in undo(signed_in(ada), of_ada)
    late = act(owner, CAP, amount="8")
    clock.shift(601)
    assert "too late" in undo(owner, late)
    assert SpendCap.objects.get(level="organization").amount_nanos == usd("8")


def test_nonsense_in_the_address_is_not_found(owner, acme):
    for odd in ("x", "1-x", "9" * 30, "-", "1-2-3-4-5"):
        assert owner.post(f"/o/acme/settings/undo/{odd}/").status_code == 404
    assert owner.get("/o/acme/settings/undo/1/").status_code == 405


def test_d3_role_and_seat_come_back_together(owner, bob):
    back = act(owner, f"{MEMBERS}{bob.pk}/edit/", seat_tier="premium", role="admin")
    bob.refresh_from_db()
    assert (bob.seat_tier, bob.base_role) == ("premium", Role.ADMIN)
    undo(owner, back)
    bob.refresh_from_db()
    assert (bob.seat_tier, bob.base_role) == ("standard", Role.MEMBER)


def test_d3_a_removal_undone_brings_back_role_seat_and_cap(owner, acme, alice, ada):
    set_member_cap(
        acme,
        membership=ada,
        amount_nanos=usd("60"),
        actor=Actor.person(alice.user),
        now=NOW,
    )
    back = act(owner, f"{MEMBERS}{ada.pk}/remove/")
    ada.refresh_from_db()
    assert not ada.is_active
    undo(owner, back)
    ada.refresh_from_db()
    assert ada.is_active and ada.role is Role.ADMIN and ada.seat_tier == "standard"
    assert SpendCap.objects.get(membership=ada).amount_nanos == usd("60")


def test_d4_a_seat_taken_meanwhile_is_not_given_twice(owner, acme, alice, ada, bob):
    who = {"actor": Actor.person(alice.user), "now": NOW}
    assign_seat(bob, tier=None, **who)
    set_bought_seats(acme, tier="standard", bought=1, **who)
    back = act(owner, f"{MEMBERS}{ada.pk}/remove/")
    assign_seat(bob, tier="standard", **who)
    assert "Their Standard seat is taken" in undo(owner, back)
    ada.refresh_from_db()
    assert ada.is_active and ada.seat_tier is None


def test_one_does_not_undo_what_one_did_to_oneself(alice, ada):
    Membership.objects.filter(pk=ada.pk).update(base_role=Role.OWNER)
    ada.refresh_from_db()
    remove_member(ada, by=ada, now=NOW)
    assert changes_made(ada, by=ada, at=NOW) == []


def test_without_scripts_undo_is_a_button_in_the_message_and_leads_back(owner, acme):
    page = owner.post(CAP, {"amount": "5"}, follow=True)
    html = page.content.decode()
    entry = AuditEntry.objects.get(action="cap.organization")
    address = f"/o/acme/settings/undo/{entry.pk}/"
    assert f'action="{address}"' in html and ">Undo</button>" in html
    answer = owner.post(address, {"back": "/o/acme/settings/usage/"})
    assert answer["Location"] == "/o/acme/settings/usage/"
    assert [str(one) for one in get_messages(answer.wsgi_request)]
    elsewhere = owner.post(address, {"back": "https://evil.example/"})
    assert elsewhere["Location"] == "/o/acme/"
