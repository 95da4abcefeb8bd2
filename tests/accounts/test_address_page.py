"""The address one signs in with is read there, and changed by nobody but operators (row 5)."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse


def test_row_5_the_page_says_which_address_it_is(client, bob):
    client.force_login(bob.user)
    page = client.get(reverse("account_email")).content.decode()
    assert "You sign in with bob@acme.example." in page


@pytest.mark.parametrize(
    "form",
    [
        {"action_add": "", "email": "alice@elsewhere.example"},
        {"action_primary": "", "email": "alice@elsewhere.example"},
        {"action_remove": "", "email": "bob@acme.example"},
    ],
)
def test_row_5_nobody_makes_an_address_their_own_without_a_proof(client, bob, form):
    client.force_login(bob.user)
    EmailAddress.objects.create(
        user=bob.user, email="alice@elsewhere.example", verified=False
    )
    assert client.post("/accounts/email/", form).status_code == 405
    bob.user.refresh_from_db()
    assert bob.user.email == "bob@acme.example"
    assert EmailAddress.objects.count() == 1
