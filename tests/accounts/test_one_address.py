"""A person has one address: operators change it, and the one before opens nothing (S1,
S4).
"""

from __future__ import annotations

import importlib

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts.actions.addresses import change_address
from accounts.actions.invitations import accept_invitation, invite
from accounts.models import AuditEntry, FormerAddress, SecurityEvent, User
from config.kit.errors import BusinessError
from tests.factories.people import (
    PASSWORD,
    MembershipFactory,
    make_organization,
    make_user,
)

NEW = "robert@acme.example"


@pytest.fixture
def operator(db) -> User:
    """Who runs the installation."""
    return make_user("op@x.example", "Op", is_staff=True, is_superuser=True)


@pytest.fixture
def save(operator, bob, django_capture_on_commit_callbacks):
    """Save Bob's page in the admin with another address, as operators do."""

    def post(email: str, **fields: str):
        client = Client()
        client.force_login(operator)
        page = reverse("admin:accounts_user_change", args=[bob.user_id])
        data = {"email": email, "name": "Bob Feld", "language": "en", "is_active": "on"}
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(page, data | fields)

    return post


def signs_in(email: str) -> bool:
    """Whether the address with the factory's password opens an account."""
    data = {"login": email, "password": PASSWORD}
    return Client().post("/accounts/login/", data).status_code == 302


def test_s4_the_address_before_is_worth_nothing(save, bob):
    EmailAddress.objects.create(
        user=bob.user, email=bob.user.email, verified=True, primary=True
    )
    assert save(NEW).status_code == 302
    assert not EmailAddress.objects.exists()
    assert signs_in(NEW) and not signs_in("bob@acme.example")
    assert FormerAddress.objects.get().email == "bob@acme.example", "usage is theirs"


def test_s4_nothing_is_worth_more_than_the_persons_own_row(bob):
    """A row of the library that came back by whatever way, a command, say."""
    EmailAddress.objects.create(
        user=bob.user, email="old@acme.example", verified=True, primary=True
    )
    assert not signs_in("old@acme.example")
    client = Client()
    client.force_login(bob.user)
    again = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert again.status_code == 302


def test_s4_open_sessions_end(save, bob):
    session = Client()
    session.force_login(bob.user)
    save(NEW)
    assert session.get("/me/").status_code == 302
    session.force_login(User.objects.get(pk=bob.user_id))
    User.objects.filter(pk=bob.user_id).update(email="b3@acme.example")
    assert session.get("/me/").status_code == 302, "by whatever way it changed"


def test_s4_both_mailboxes_are_told_and_the_old_one_not_the_new_address(
    save, bob, mailoutbox
):
    User.objects.filter(pk=bob.user_id).update(language="ja")
    save(NEW, language="ja")
    told = {mail.to[0]: mail.body for mail in mailoutbox}
    assert set(told) == {"bob@acme.example", NEW}
    assert NEW not in told["bob@acme.example"]
    assert NEW in told[NEW] and "bob@acme.example" in told[NEW]


def test_s4_every_organization_of_theirs_says_who_changed_it(save, bob, now, operator):
    other = make_organization("bolt", owner=make_user("o@b.example", "O"), now=now)
    MembershipFactory(organization=other, user=bob.user)
    save(NEW)
    entries = AuditEntry.objects.filter(action="member.address")
    assert {entry.organization.slug for entry in entries} == {"acme", "bolt"}
    entry = entries[0]
    assert (entry.from_value, entry.to_value, entry.actor) == (
        "bob@acme.example",
        NEW,
        operator,
    )
    event = SecurityEvent.objects.get(kind="address_changed")
    assert (event.person, event.operator) == (bob.user, operator)


def test_s4_an_operators_own_session_goes_on(operator):
    client = Client()
    client.force_login(operator)
    page = reverse("admin:accounts_user_change", args=[operator.pk])
    data = {"email": "root@x.example", "name": "Op", "language": "en"}
    ticks = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(page, data | ticks).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_s4_an_address_somebody_has_is_refused_in_the_form_and_in_the_act(
    save, bob, ada, now, operator
):
    assert "already exists" in save("ADA@acme.example").content.decode()
    with pytest.raises(BusinessError) as refused:
        change_address(bob.user, email=" Ada@acme.example", by=operator, now=now)
    assert refused.value.code == "address_taken"
    assert User.objects.get(pk=bob.user_id).email == "bob@acme.example"
    assert (
        change_address(ada.user, email="ADA@acme.example", by=operator, now=now) == []
    )


def test_s4_the_librarys_addresses_are_no_page_of_the_admin(operator):
    client = Client()
    client.force_login(operator)
    assert client.get("/admin/account/emailaddress/").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "signup/",
        "confirm-email/",
        "confirm-email/x/",
        "password/set/",
        "login/code/",
        "login/code/confirm/",
    ],
)
def test_s1_pages_of_the_library_that_nobody_means_are_not_there(client, bob, path):
    client.force_login(bob.user)
    form = {"email": "newceo@acme.example", "action_add": "", "action_primary": ""}
    assert client.get(f"/accounts/{path}").status_code == 404
    assert client.post(f"/accounts/{path}", form).status_code == 404


def test_s4_an_invitations_mail_proves_the_address(acme, alice, now):
    _invitation, token = invite(
        acme, email="new@x.example", role="member", seat_tier=None, by=alice, now=now
    )
    EmailAddress.objects.create(user=alice.user, email="new@x.example", verified=True)
    joined = accept_invitation(
        token, user=None, name="New", password="an-uncommon-phrase", now=now
    )
    rows = EmailAddress.objects.values_list("user", "email", "verified", "primary")
    assert list(rows) == [(joined.user_id, "new@x.example", True, True)]


def test_s1_the_migration_keeps_what_was_proven_of_peoples_own_addresses(
    acme, alice, ada, bob, now
):
    _invitation, token = invite(
        acme, email="new@x.example", role="member", seat_tier=None, by=alice, now=now
    )
    new = accept_invitation(
        token, user=None, name="New", password="an-uncommon-phrase", now=now
    ).user
    EmailAddress.objects.all().delete()
    rows = [
        (alice.user, alice.user.email, True, False),
        (ada.user, "taken@acme.example", True, True),  # S1: by an attacker
        (bob.user, bob.user.email, False, True),
        (new, "new@x.example", False, False),
    ]
    for user, email, verified, primary in rows:
        EmailAddress.objects.create(
            user=user, email=email, verified=verified, primary=primary
        )
    importlib.import_module("accounts.migrations.0011_one_address").forwards(apps, None)
    left = EmailAddress.objects.values_list("email", "verified", "primary")
    assert sorted(left) == [
        ("alice@acme.example", True, True),
        ("new@x.example", True, True),
    ]
