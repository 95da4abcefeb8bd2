"""S26: passwords of twelve characters that are not the person's own words."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.actions.invitations import accept_invitation, invite
from accounts.models import User
from config.kit.errors import BusinessError
from tests.factories.people import PASSWORD


def codes(password, user):
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {problem.code for problem in error.error_list}
    return set()


@pytest.mark.parametrize(
    "password",
    [
        "acmeacmeacme",
        "ACME-acme-2026!",
        "bobfeld@acme1234",
        "bob@acme.example",
        "Feld.Bob.Acme.7",
        "acme.example.1",
    ],
)
def test_s26_ones_own_words_are_no_password(bob, password):
    assert "password_of_own_words" in codes(password, bob.user)


@pytest.mark.parametrize("password", ["Passw0rd!!", "kd93jf02mdq"])
def test_s26_eleven_characters_are_too_few(bob, password):
    assert "password_too_short" in codes(password, bob.user)


@pytest.mark.parametrize(
    "password",
    [PASSWORD, "demo-password", "correct horse battery", "acme staples keep well"],
)
def test_s26_others_are_fine(bob, password):
    assert codes(password, bob.user) == set()
    assert codes(password, None) == set()


def test_s26_a_new_person_can_use_neither_the_name_of_what_they_join(acme, alice, now):
    token = invite(
        acme, email="zed@x.example", role="member", seat_tier=None, by=alice, now=now
    )[1]
    with pytest.raises(BusinessError) as error:
        accept_invitation(
            token, user=None, name="Zed", password="acmeacmeacme", now=now
        )
    assert error.value.code == "weak_password"
    assert not User.objects.filter(email="zed@x.example").exists()
    accept_invitation(token, user=None, name="Zed", password=PASSWORD, now=now)


def test_s26_a_link_to_a_new_password_lasts_a_day():
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 60 * 60
