"""S17: operators erase with a rehearsal before, a typed address and a permission."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from accounts.models import AuditEntry, Erasure, User
from tests.privacy.bob import BOB, live

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client, db):
    person = User.objects.create_superuser("op@host.example", name="Op")
    client.force_login(person)
    return person


@pytest.fixture
def page(acme, now, operator):
    return f"/admin/accounts/user/{live(acme, now=now).user_id}/"


def test_s17_the_page_says_what_would_be_replaced_and_changes_nothing(client, page):
    text = client.get(f"{page}erase/").content.decode()
    assert "Invoice lines" in text and "Type their address" in text
    assert not Erasure.objects.exists()
    assert f"{page}erase/" in client.get(f"{page}change/").content.decode()


def test_s17_a_wrong_address_erases_nobody(client, page):
    response = client.post(f"{page}erase/", {"address": "alice@acme.example"})
    assert response.status_code == 422
    assert f"That is not {BOB}." in response.content.decode()
    assert not Erasure.objects.exists()


def test_s17_the_typed_address_erases(client, page, operator):
    response = client.post(f"{page}erase/", {"address": f" {BOB.upper()}"}, follow=True)
    erasure = Erasure.objects.get()
    text = response.content.decode()
    assert "Erased. In the books they are" in text and erasure.email in text
    assert "Feld" not in text and 'name="_save"' not in text
    assert AuditEntry.objects.filter(action="member.erase", actor=operator).exists()
    assert client.post(f"{page}change/", {"email": BOB}).status_code == 403
    assert client.get(f"{page}password/").status_code == 403
    again = client.get(f"{page}erase/")
    assert again.status_code == 409 and "was erased before" in again.content.decode()


def test_s17_it_takes_a_permission(client, page):
    looker = User.objects.create_user("look@host.example", name="Look", is_staff=True)
    looker.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_user", "change_user"])
    )
    client.force_login(looker)
    for act in ("erase", "export"):
        assert client.get(f"{page}{act}/").status_code == 403
        assert client.post(f"{page}{act}/", {"address": BOB}).status_code == 403
        assert f"/{act}/" not in client.get(f"{page}change/").content.decode()
    assert not Erasure.objects.exists()


def test_s17_a_member_is_refused_with_the_way_on(client, acme, bob, operator):
    response = client.get(f"/admin/accounts/user/{bob.user_id}/erase/")
    assert response.status_code == 409
    assert "Remove them there first." in response.content.decode()


def test_s17_owners_see_the_pseudonym_and_no_way_to_bring_them_back(
    client, page, alice
):
    client.post(f"{page}erase/", {"address": BOB})
    client.force_login(alice.user)
    text = client.get("/o/acme/settings/members/?status=removed").content.decode()
    assert Erasure.objects.get().name in text and "Bring back" not in text
    assert "Person erased" in client.get("/o/acme/settings/activity/").content.decode()
