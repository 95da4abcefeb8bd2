"""Somebody who comes back: what was theirs holds again, and it is said (bugs row 25)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.actions.members import remove_member
from accounts.models import Membership
from billing.caps.actions.caps import set_member_cap
from billing.funding.queries import standing_of
from billing.models import SelectedMember
from config.kit.money import usd
from tests.factories.people import PASSWORD
from tests.factories.usage import enable_extra_usage

CAP = "Their own spend cap of $777.00 applies again"
SELECTED = "They are again selected for extra usage."


@pytest.fixture
def as_alice(client, alice, now, time_machine):
    """The owner's browser."""
    time_machine.move_to(now, tick=False)
    form = {"login": alice.user.email, "password": PASSWORD}
    assert client.post("/accounts/login/", form).status_code == 302
    return client


@pytest.fixture
def gone(acme, alice, bob, now) -> Membership:
    """Bob, removed, with a cap of his own and selected."""
    enable_extra_usage(acme, scope="selected")
    SelectedMember.objects.create(membership=bob)
    cap(bob, now=now)
    return remove_member(bob, by=alice, now=now)


def cap(bob: Membership, *, now, **extra: bool) -> None:
    """$777 of his own."""
    set_member_cap(
        bob.organization,
        membership=bob,
        amount_nanos=usd(777),
        actor=Actor(label="owner"),
        now=now,
        **{"this_month_only": False, **extra},
    )


def said(response) -> list[str]:
    """The messages of a page that is opened next, but for the one of signing in."""
    texts = [str(message) for message in response.context["messages"]]
    return [text for text in texts if not text.startswith("Successfully")]


def test_row_25_bringing_back_says_what_holds_again(as_alice, gone, now):
    url = reverse("member_return", args=["acme", gone.pk])
    page = as_alice.get(url).content.decode()
    assert f"{CAP}." in page
    assert SELECTED in page
    done = as_alice.post(url, {"seat_tier": "standard"}, follow=True)
    assert said(done) == [f"Bob Feld is back. {CAP}. {SELECTED}"]
    standing = standing_of(gone.pk, organization_id=gone.organization_id, now=now)
    assert (standing.cap.amount_nanos, standing.is_enabled) == (usd(777), True)


def test_row_25_inviting_somebody_who_was_removed_says_it_too(as_alice, gone):
    form = {"email": "Bob@acme.example", "role": "member", "seat_tier": "standard"}
    url = reverse("member_invite", args=["acme"])
    done = as_alice.post(url, form, follow=True)
    assert said(done) == [f"Invitation sent to bob@acme.example. {CAP}. {SELECTED}"]


def test_where_nothing_outlived_the_removal_nothing_is_said(as_alice, alice, bob, now):
    remove_member(bob, by=alice, now=now)
    url = reverse("member_return", args=["acme", bob.pk])
    assert "applies again" not in as_alice.get(url).content.decode()
    done = as_alice.post(url, {"seat_tier": "standard"}, follow=True)
    assert said(done) == ["Bob Feld is back."]


def test_a_cap_of_this_month_is_told_as_one(as_alice, alice, bob, now):
    cap(bob, now=now, this_month_only=True)
    remove_member(bob, by=alice, now=now)
    page = as_alice.get(reverse("member_return", args=["acme", bob.pk]))
    assert f"{CAP} this month." in page.content.decode()


def test_the_removal_says_that_the_cap_is_kept(as_alice, bob):
    page = as_alice.get(reverse("member_remove", args=["acme", bob.pk]))
    assert "own spend cap" in page.content.decode()
