"""Wrong passwords are limited by the account alone, and who knows the right one is not
locked out where they signed in before (S8).
"""

from __future__ import annotations

import time

import pytest
from django.test import Client

from accounts.known_devices import COOKIE
from tests.factories.people import PASSWORD

LOGIN = "/accounts/login/"


def tries(client: Client, password: str, email: str = "bob@acme.example", **meta):
    """Sign in once; whether it worked, was wrong, or was one too many."""
    data = {"login": email, "password": password}
    page = client.post(LOGIN, data, **meta)
    if page.status_code == 302:
        return "in"
    return "locked" if "Too many failed" in page.content.decode() else "wrong"


def guess(times: int, **meta) -> list[str]:
    """Wrong passwords, each from another address, by a browser nobody knows."""
    return [
        tries(Client(REMOTE_ADDR=f"203.0.113.{turn}"), "wrong", **meta)
        for turn in range(times)
    ]


def test_s8_other_ports_and_spellings_of_the_account_are_one_limit(bob):
    assert guess(5) == ["wrong"] * 5
    for turn, host in enumerate(("127.0.0.1:9001", "127.0.0.1:9002", "localhost")):
        visitor = Client(REMOTE_ADDR=f"198.51.100.{turn}")
        assert tries(visitor, PASSWORD, headers={"Host": host}) == "locked"
    assert guess(1, email=" BOB@Acme.Example") == ["locked"]


def test_s8_at_most_a_hundred_guesses_an_hour_over_all_addresses(bob, monkeypatch):
    known = Client()
    assert tries(known, PASSWORD) == "in"
    known.post("/accounts/logout/")
    clock = [time.time()]
    monkeypatch.setattr(
        "allauth.core.internal.ratelimit.time.time", lambda: clock[0], raising=True
    )
    heard = []
    for _minute in range(60):
        clock[0] += 60
        heard += guess(3)
        heard += [tries(known, "wrong") for _turn in range(2)]
    assert 50 < heard.count("wrong") <= 100


def test_s8_whoever_guesses_does_not_lock_out_the_browser_one_signed_in_with(bob):
    own = Client()
    assert tries(own, PASSWORD) == "in"
    own.post("/accounts/logout/")
    assert guess(6)[-1] == "locked"
    assert tries(Client(), PASSWORD) == "locked", "elsewhere it is"
    assert tries(own, PASSWORD) == "in"


def test_s8_the_known_browser_has_a_limit_of_its_own(bob):
    own = Client()
    tries(own, PASSWORD)
    own.post("/accounts/logout/")
    heard = [tries(own, "wrong") for _turn in range(6)]
    assert heard == ["wrong"] * 5 + ["locked"]
    assert guess(1) == ["wrong"], "and does not use up that of others"


@pytest.mark.parametrize("forged", ["x", "W10:1x:y", ""])
def test_s8_a_forged_or_foreign_cookie_passes_nothing(bob, ada, forged):
    other = Client()
    tries(other, PASSWORD, email="ada@acme.example")
    foreign = other.cookies[COOKIE].value
    guess(5)
    for value in (forged, foreign):
        visitor = Client()
        visitor.cookies[COOKIE] = value
        assert tries(visitor, PASSWORD) == "locked"


def test_s8_a_new_password_makes_the_browser_a_stranger(bob):
    own = Client()
    tries(own, PASSWORD)
    cookie = own.cookies[COOKIE]
    assert (cookie["httponly"], cookie["path"], cookie["samesite"]) == (
        True,
        "/accounts/",
        "Lax",
    )
    bob.user.set_password("an-uncommon-phrase")
    bob.user.save(update_fields=["password"])
    own.post("/accounts/logout/")
    guess(5)
    assert tries(own, "an-uncommon-phrase") == "locked"


PAGES = ["/accounts/login/", "/accounts/password/reset/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("usage.example", 200),
        ("usage.example:443", 200),
        ("usage.example:8443", 200),
        ("usage.example:9001", 400),
        ("usage.example:80", 400),
        ("other.example", 400),
    ],
)
def test_s8_pages_answer_at_the_ports_of_their_site_alone(
    db, settings, path, host, status
):
    settings.SITE_URL, settings.LOOPBACK = "https://usage.example", False
    settings.ALLOWED_HOSTS = ["usage.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://usage.example:8443"]
    assert Client().get(path, headers={"Host": host}).status_code == status


def test_s8_the_demo_answers_at_any_port(db):
    for host in ("127.0.0.1:8123", "localhost:9000"):
        assert Client().get(LOGIN, headers={"Host": host}).status_code == 200


def test_s33_health_is_asked_under_any_name_and_the_api_at_any_port(db, settings):
    settings.SITE_URL, settings.LOOPBACK = "https://usage.example", False
    settings.ALLOWED_HOSTS = ["usage.example"]
    inside = {"Host": "127.0.0.1:8000"}
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Client().get(path, headers=inside).status_code in (200, 503)
    api = Client().get("/api/v1/organization", headers={"Host": "usage.example:8000"})
    assert api.status_code == 401
