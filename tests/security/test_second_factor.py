"""S13, S16, O5: two-factor secrets are sealed, can be reset, and can be required of
operators and of an organization's people.
"""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.apps import apps
from django.contrib import admin
from django.core import mail as outbox
from django.core.management import call_command
from django.test import Client

from accounts.actions.two_factor import require_two_factor
from accounts.models import AuditEntry, Organization, TwoFactor
from accounts.second_factor import MfaAdapter
from config.kit.errors import BusinessError
from tests.factories.people import PASSWORD, make_api_key, make_user
from tests.markup import flat

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, SET_UP = "/accounts/login/", "/accounts/2fa/totp/activate/"
OLD, NEW, OWN = "o" * 60, "n" * 60, "m" * 60


def code_for(secret):
    """What an app shows now."""
    [counter] = yield_hotp_counters_from_time()
    return format_hotp_value(hotp_value(secret, counter))


@pytest.fixture
def olga(db):
    return make_user("op@example.com", "Olga", is_staff=True, is_superuser=True)


def add_factor(person):
    """An authenticator app and recovery codes."""
    TOTP.activate(person, SECRET)
    RecoveryCodes.activate(person)


def sign_in(client, person):
    return client.post(LOGIN, {"login": person.email, "password": PASSWORD})


# -- sealed ----------------------------------------------------------------------------


def test_s13_neither_secret_nor_seed_is_readable_in_the_database(bob):
    add_factor(bob.user)
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in kept
    assert kept.count("gAAAA") == 2


def test_s13_codes_made_from_sealed_secrets_sign_in(client, bob):
    add_factor(bob.user)
    assert sign_in(client, bob.user)["Location"] == "/accounts/2fa/authenticate/"
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_for(SECRET)})
    assert answer["Location"] == "/"
    client.post("/accounts/logout/")
    [first, *_rest] = RecoveryCodes.activate(bob.user).get_unused_codes()
    sign_in(client, bob.user)
    answer = client.post("/accounts/2fa/authenticate/", {"code": first})
    assert answer["Location"] == "/"


@pytest.mark.parametrize(
    "before, after",
    [
        ({"SECRET_KEY": OLD}, {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]}),
        ({"SECRET_KEY": OLD}, {"SECRET_KEY": OLD, "MFA_ENCRYPTION_KEY": OWN}),
        (
            {"MFA_ENCRYPTION_KEY": OLD},
            {"MFA_ENCRYPTION_KEY": NEW, "MFA_ENCRYPTION_KEY_FALLBACKS": [OLD]},
        ),
        ({"MFA_ENCRYPTION_KEY": OWN}, {"MFA_ENCRYPTION_KEY": OWN, "SECRET_KEY": NEW}),
    ],
    ids=["secret key", "a key of its own", "its own key", "secret key beside it"],
)
def test_s13_a_key_can_be_replaced(settings, before, after):
    for name, value in before.items():
        setattr(settings, name, value)
    sealed = MfaAdapter().encrypt(SECRET)
    for name, value in after.items():
        setattr(settings, name, value)
    assert MfaAdapter().decrypt(sealed) == SECRET


def test_s13_without_its_key_no_code_is_right_and_nothing_breaks(client, bob, settings):
    add_factor(bob.user)
    settings.SECRET_KEY, settings.MFA_ENCRYPTION_KEY = NEW, ""
    assert MfaAdapter().decrypt("") != MfaAdapter().decrypt("")
    sign_in(client, bob.user)
    for code in (code_for(SECRET), code_for(""), "000000"):
        answer = client.post("/accounts/2fa/authenticate/", {"code": code})
        assert "Incorrect code." in answer.content.decode()


def test_s13_the_migration_seals_what_is_there_once_and_goes_back(bob):
    migration = import_module("accounts.migrations.0014_sealed_second_factors")
    Authenticator.objects.create(user=bob.user, type="totp", data={"secret": SECRET})
    plain = Authenticator.objects.create(
        user=bob.user,
        type="recovery_codes",
        data={"seed": "a1b2", "used_mask": 3},
    )
    migration.forwards(apps, None)
    first = Authenticator.objects.get(type="totp").data["secret"]
    assert MfaAdapter().decrypt(first) == SECRET
    migration.forwards(apps, None)
    assert Authenticator.objects.get(type="totp").data["secret"] == first
    plain.refresh_from_db()
    assert plain.data["used_mask"] == 3 and plain.data["seed"] != "a1b2"
    migration.backwards(apps, None)
    plain.refresh_from_db()
    assert plain.data == {"seed": "a1b2", "used_mask": 3}


def test_s13_after_sealing_anew_the_old_key_can_be_forgotten(
    bob, alice, settings, capsys
):
    settings.SECRET_KEY = OLD
    add_factor(bob.user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    call_command("reseal_two_factor")
    settings.SECRET_KEY_FALLBACKS = []
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert MfaAdapter().decrypt(kept) == SECRET
    assert "Encrypted anew: 2." in capsys.readouterr().out
    settings.SECRET_KEY = OWN
    call_command("reseal_two_factor")
    said = capsys.readouterr()
    assert "Encrypted anew: 0." in said.out and "bob@acme.example" in said.err


def test_s13_no_page_of_the_admin_shows_them(client, olga, bob):
    labels = {model._meta.label for model in admin.site._registry}
    assert not labels & {"mfa.Authenticator", "usersessions.UserSession"}
    add_factor(bob.user)
    client.force_login(olga)
    html = client.get(f"/admin/accounts/user/{bob.user_id}/change/").content.decode()
    sealed = [row.data for row in Authenticator.objects.all()]
    assert SECRET not in html and not any(
        str(text) in html
        for data in sealed
        for text in data.values()
        if len(str(text)) > 9
    )
    assert "/steps/two-factor/" in html


# -- reset -----------------------------------------------------------------------------


def test_s13_an_operator_resets_it_after_asking_once_more(
    client, olga, bob, django_capture_on_commit_callbacks
):
    add_factor(bob.user)
    client.force_login(olga)
    page = f"/admin/accounts/user/{bob.user_id}/reset-two-factor/"
    assert "Make sure that it is really them" in client.get(page).content.decode()
    assert Authenticator.objects.count() == 2
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page)
    assert Authenticator.objects.count() == 0
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == (
        "person.two_factor_reset",
        olga,
        "Bob Feld",
    )
    assert entry.organization == bob.organization
    [told] = outbox.outbox
    assert (told.to, told.subject) == (
        ["bob@acme.example"],
        "Your two-factor sign-in was reset",
    )
    assert "http://127.0.0.1:8000/accounts/2fa/" in told.body
    assert "has no two-factor" in client.post(page, follow=True).content.decode()


def test_s13_the_persons_sessions_end_with_it(client, olga, bob):
    theirs = Client()
    sign_in(theirs, bob.user)
    add_factor(bob.user)
    client.force_login(olga)
    assert theirs.get("/me/").status_code == 200
    client.post(f"/admin/accounts/user/{bob.user_id}/reset-two-factor/")
    assert theirs.get("/me/").status_code == 302


# -- required of operators ----------------------------------------------------------------


def test_s16_an_operator_without_it_sets_it_up_before_anything_else(
    client, olga, settings
):
    settings.REQUIRE_OPERATOR_2FA = True
    sign_in(client, olga)
    for page in ("/admin/", "/admin/accounts/user/", "/admin/billing/payment/"):
        assert client.get(page)["Location"] == SET_UP, page
        assert client.post(page)["Location"] == SET_UP, page
    html = flat(client.get("/admin/", follow=True).content.decode())
    assert "This installation requires two-factor sign-in. Set it up to go on." in html


def test_s16_the_whole_way_from_password_to_admin(client, olga, settings):
    settings.REQUIRE_OPERATOR_2FA = True
    sign_in(client, olga)
    confirm = client.get(client.get("/admin/")["Location"])
    client.post(confirm["Location"], {"password": PASSWORD})
    page = client.get(SET_UP)
    assert page.status_code == 200, page.get("Location")
    secret = page.context["form"].secret
    answer = client.post(SET_UP, {"code": code_for(secret)})
    codes = client.get(answer["Location"]).content.decode()
    assert 'href="/admin/">Continue</a>' in codes
    assert client.get("/admin/").status_code == 200
    assert client.get("/accounts/2fa/totp/deactivate/").status_code == 200
    answer = client.post("/accounts/2fa/totp/deactivate/")
    assert "required of you" in answer.content.decode()
    assert Authenticator.objects.filter(type="totp").exists()


def test_s16_they_may_sign_out_of_the_admin(client, olga, settings):
    settings.REQUIRE_OPERATOR_2FA = True
    client.force_login(olga)
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session


def test_s16_others_are_not_asked_and_it_can_be_off(client, olga, bob, settings):
    client.force_login(olga)
    assert client.get("/admin/").status_code == 200  # off on loopback
    settings.REQUIRE_OPERATOR_2FA = True
    client.force_login(bob.user)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/o/acme/usage/").status_code == 200


# -- required by an organization ---------------------------------------------------------


def require(organization, of):
    Organization.objects.filter(pk=organization.pk).update(two_factor=of)


@pytest.mark.parametrize(
    "of, held_up",
    [
        (TwoFactor.NOBODY, []),
        (TwoFactor.ADMINS, ["alice", "ada"]),
        (TwoFactor.EVERYBODY, ["alice", "ada", "bob"]),
    ],
)
def test_o5_of_whom_it_is_required(client, acme, request, of, held_up):
    require(acme, of)
    for name in ("alice", "ada", "bob"):
        client.force_login(request.getfixturevalue(name).user)
        answer = client.get("/o/acme/usage/")
        assert (answer.get("Location") == SET_UP) == (name in held_up), name
        assert client.get("/me/").status_code == 200


def test_o5_whoever_has_it_goes_on_and_so_do_other_organizations_and_keys(
    client, acme, bob, charlie, now
):
    require(acme, TwoFactor.EVERYBODY)
    add_factor(bob.user)
    client.force_login(bob.user)
    assert client.get("/o/acme/usage/").status_code == 200
    client.force_login(charlie.user)
    assert client.get("/o/umbrella/usage/").status_code == 200
    bearer = {"Authorization": f"Bearer {make_api_key(acme, now=now)}"}
    assert client.get("/api/v1/members", headers=bearer).status_code == 200


def test_o5_strangers_still_see_nothing(client, acme, charlie):
    require(acme, TwoFactor.EVERYBODY)
    client.force_login(charlie.user)
    assert client.get("/o/acme/usage/").status_code == 404


def test_o5_an_owner_requires_it_and_the_audit_has_it(client, acme, alice):
    add_factor(alice.user)
    client.force_login(alice.user)
    page = "/o/acme/settings/security/"
    html = client.get(page).content.decode()
    assert "Bob Feld" in html and "Alice Nakamura" not in html.split("<main")[1]
    client.post(page, {"two_factor": "everybody"})
    assert Organization.objects.get(pk=acme.pk).two_factor == "everybody"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.from_value, entry.to_value) == (
        "organization.two_factor",
        "",
        "everybody",
    )
    assert "Everybody" in client.get("/o/acme/settings/activity/").content.decode()
    client.post(page, {"two_factor": ""})
    assert Organization.objects.get(pk=acme.pk).two_factor == ""


def test_o5_nobody_requires_what_they_lack_themselves(client, acme, alice, now):
    client.force_login(alice.user)
    answer = client.post("/o/acme/settings/security/", {"two_factor": "admins"})
    assert answer.status_code == 422
    assert "for yourself first" in answer.content.decode()
    with pytest.raises(BusinessError, match="is not a choice"):
        require_two_factor(acme, of="all", by=alice, now=now)


def test_o5_admins_and_members_dont_decide_it(client, ada, bob):
    for person in (ada, bob):
        client.force_login(person.user)
        assert client.get("/o/acme/settings/security/").status_code == 403


def test_o5_it_cant_be_turned_off_while_it_is_required(client, acme, bob):
    add_factor(bob.user)
    factor = Authenticator.objects.get(type="totp")
    assert MfaAdapter().can_delete_authenticator(factor)
    require(acme, TwoFactor.ADMINS)
    assert MfaAdapter().can_delete_authenticator(factor)
    require(acme, TwoFactor.EVERYBODY)
    assert not MfaAdapter().can_delete_authenticator(factor)
