"""S25, O5: sessions end by idling and by age, and people see and end their own."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.tasks import end_what_is_kept
from config.kit.browsers import browser_text
from tests.conftest import NOW
from tests.factories.people import PASSWORD, make_user

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " Version/18.0 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0"
    " Safari/537.36 Edg/140.0"
)


def signed_in(person, agent=FIREFOX):
    """A browser that went through the sign-in page."""
    client = Client(headers={"user-agent": agent})
    form = {"login": person.email, "password": PASSWORD}
    assert client.post("/accounts/login/", form).status_code == 302
    return client


def is_in(client):
    return client.get("/me/").status_code == 200


@pytest.fixture
def at(time_machine):
    """Moves the clock: hours after NOW."""

    def move(hours):
        time_machine.move_to(NOW + dt.timedelta(hours=hours), tick=False)

    move(0)
    return move


@pytest.mark.parametrize("who", ["alice", "ada", "operator"])
def test_s25_owners_admins_and_operators_are_out_after_12_idle_hours(at, request, who):
    if who == "operator":
        request.getfixturevalue("db")
        person = make_user("op@example.com", "Olga", is_staff=True)
    else:
        person = request.getfixturevalue(who).user
    client = signed_in(person)
    at(11)
    assert is_in(client)
    at(22)
    assert is_in(client)
    at(34.1)
    assert client.get("/me/")["Location"] == "/accounts/login/?next=/me/"
    page = client.get("/accounts/login/").content.decode()
    assert "You were signed out to be safe. Sign in again." in page


def test_s25_members_may_idle_but_sign_in_again_after_14_days(at, bob):
    client = signed_in(bob.user)
    for hours in (13, 13 * 24, 14 * 24 - 1):
        at(hours)
        assert is_in(client)
    at(14 * 24)
    assert not is_in(client)
    assert is_in(signed_in(bob.user))


def test_s25_who_becomes_an_admin_has_their_limit_at_once(at, bob):
    client = signed_in(bob.user)
    bob.base_role = "admin"
    bob.save(update_fields=["base_role"])
    at(13)
    assert not is_in(client)


def test_s25_signing_in_again_begins_anew(at, alice):
    client = signed_in(alice.user)
    at(20)
    assert not is_in(client)
    client.post("/accounts/login/", {"login": alice.user.email, "password": PASSWORD})
    assert is_in(client)


def test_s25_a_page_more_costs_nothing(at, alice, django_assert_max_num_queries):
    client = signed_in(alice.user)
    before = Session.objects.get().session_data
    at(0.05)
    with django_assert_max_num_queries(4):
        client.get("/accounts/2fa/")  # session, person, and twice authenticators
    assert Session.objects.get().session_data == before
    at(0.1)
    client.get("/accounts/2fa/")
    assert Session.objects.get().session_data != before
    assert UserSession.objects.get().last_seen_at == NOW + dt.timedelta(minutes=6)


def test_s25_an_open_page_that_refreshes_itself_is_nobody_there(at, alice):
    client = signed_in(alice.user)
    page = "/o/acme/settings/members/"
    for hours in (4, 8, 11.9):
        at(hours)
        assert client.get(page, headers={"HX-Request": "true"}).status_code == 200
    at(12)
    answer = client.get(page, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/accounts/login/")


def test_s25_the_api_has_none_of_it(at, alice, client):
    assert client.get("/api/v1/organization").status_code == 401


def test_o5_one_sees_where_one_is_signed_in(at, alice, bob):
    here, phone, _other = (
        signed_in(alice.user),
        signed_in(alice.user, SAFARI),
        signed_in(bob.user, EDGE),
    )
    html = here.get("/me/").content.decode()
    assert "Firefox, Windows" in html and "Safari, iPhone" in html
    assert "Edge" not in html and html.count("This one") == 1
    assert "session_key" not in html
    assert is_in(phone)


def test_o5_one_ends_a_session_of_ones_own(at, alice, bob):
    here, phone, other = (
        signed_in(alice.user),
        signed_in(alice.user, SAFARI),
        signed_in(bob.user),
    )
    theirs = UserSession.objects.get(user=bob.user)
    here.post(f"/me/sessions/{theirs.pk}/end/")
    assert is_in(other)
    phones = UserSession.objects.get(user=alice.user, user_agent=SAFARI)
    assert here.get(f"/me/sessions/{phones.pk}/end/").status_code == 405
    assert is_in(phone)
    here.post(f"/me/sessions/{phones.pk}/end/")
    assert not is_in(phone) and is_in(here)


def test_o5_one_ends_all_others(at, alice, bob):
    clients = [signed_in(alice.user) for _ in range(3)]
    other = signed_in(bob.user)
    answer = clients[0].post("/me/sessions/end-others/", follow=True)
    assert "2 other sessions have been ended." in answer.content.decode()
    assert [is_in(client) for client in (*clients, other)] == [True, False, False, True]


def test_o5_a_new_password_ends_the_others(at, alice):
    here, phone = signed_in(alice.user), signed_in(alice.user, SAFARI)
    form = {
        "oldpassword": PASSWORD,
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert is_in(here) and not is_in(phone)
    html = here.get("/me/").content.decode()
    assert "Firefox, Windows" in html and "iPhone" not in html


def test_o5_what_was_kept_of_sessions_that_ran_out_goes_with_them(at, alice):
    signed_in(alice.user)
    Session.objects.all().delete()
    end_what_is_kept()
    assert not UserSession.objects.exists()


@pytest.mark.parametrize(
    "agent, text",
    [
        (FIREFOX, "Firefox, Windows"),
        (SAFARI, "Safari, iPhone"),
        (EDGE, "Edge, macOS"),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named(agent, text):
    assert browser_text(agent) == text


def test_s25_with_https_cookies_belong_to_this_very_host():
    code = (
        "import os; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings');"
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME)"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "SECRET_KEY": "ab1cd2ef3gh4ij5kl6mn7op8qr9st0" * 2,
        "SITE_URL": "https://usage.example.com",
        "VAR_DIR": "/tmp",
        "DATABASE_URL": "sqlite:///:memory:",
    }
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split() == [
        "__Host-sessionid",
        "__Host-csrftoken",
        "__Host-language",
    ]
    assert configured.SESSION_COOKIE_NAME == "sessionid"
