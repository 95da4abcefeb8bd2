"""The takeover of S1, told from the side of whoever tries it: a member of one tenant who
wants the account of the next owner of another.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.factories.people import (
    PASSWORD,
    MembershipFactory,
    make_api_key,
    make_organization,
    make_user,
)

CEO = "newceo@acme.example"


@pytest.fixture
def mallory(acme, now) -> Client:
    """A plain member of Bolt, signed in."""
    bolt = make_organization("bolt", owner=make_user("o@bolt.example", "O"), now=now)
    person = make_user("mallory@bolt.example", "Mallory")
    MembershipFactory(organization=bolt, user=person)
    client = Client()
    client.force_login(person)
    return client


def test_s1_nobody_takes_the_address_of_who_comes_next(
    mallory, acme, alice, mailoutbox, django_capture_on_commit_callbacks
):
    # Mallory claims the address by every page the library has for it.
    forms = [
        {"email": CEO, "action_add": ""},
        {"email": CEO, "action_primary": ""},
        {"email": CEO, "password1": "x" * 20, "password2": "x" * 20},
        {"name": "Mallory", "language": "en", "email": CEO},
    ]
    for path in ("email/", "confirm-email/", "signup/", "password/set/"):
        for form in forms:
            assert mallory.post(f"/accounts/{path}", form).status_code in (404, 405)
    mallory.post("/me/", forms[-1])
    assert not User.objects.filter(email=CEO).exists() and mailoutbox == []

    # Alice invites the address as an owner; the real person joins by the mail.
    owner = Client()
    owner.force_login(alice.user)
    invitation = {"email": CEO, "role": "owner", "seat_tier": ""}
    with django_capture_on_commit_callbacks(execute=True):
        owner.post("/o/acme/settings/members/invite/", invitation)
    link = re.search(r"http\S+/invitations/\S+", mailoutbox[0].body)[0]
    ceo = Client()
    joined = ceo.post(
        urlsplit(link).path, {"name": "New Ceo", "password": "an-uncommon-phrase"}
    )
    assert joined.status_code == 302
    assert ceo.get("/o/acme/settings/billing/").status_code == 200

    # Nothing of Mallory's leads there: not the own address's reset, not the session.
    with django_capture_on_commit_callbacks(execute=True):
        Client().post("/accounts/password/reset/", {"email": "mallory@bolt.example"})
    assert mailoutbox[-1].to == ["mallory@bolt.example"]
    link = re.search(r"http\S+/reset/key/\S+", mailoutbox[-1].body)[0]
    page = mallory.get(urlsplit(link).path, follow=True)
    new = {"password1": "mallorys-new-phrase", "password2": "mallorys-new-phrase"}
    mallory.post(page.redirect_chain[-1][0], new)
    sign_in = {"login": "mallory@bolt.example", "password": "mallorys-new-phrase"}
    mallory.post("/accounts/login/", sign_in)
    assert mallory.get("/o/bolt/usage/").status_code == 200
    assert mallory.get("/o/acme/settings/billing/").status_code == 404
    assert User.objects.get(email=CEO).check_password("an-uncommon-phrase")


def test_s1_nobody_evades_metering_by_another_address(mallory, acme, client):
    bolt = User.objects.get(email="mallory@bolt.example").memberships.get().organization
    key = make_api_key(bolt, scopes="meter", now=timezone.now())
    for action in ("action_add", "action_primary", "action_remove"):
        mallory.post("/accounts/email/", {"email": "m2@bolt.example", action: ""})
    check = {"member": "mallory@bolt.example", "surface": "claude"}
    answer = client.post(
        "/api/v1/authorize",
        check,
        "application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 200
    sign_in = {"login": "mallory@bolt.example", "password": PASSWORD}
    assert Client().post("/accounts/login/", sign_in).status_code == 302
