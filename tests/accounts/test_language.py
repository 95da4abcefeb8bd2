"""B1: one setting for the language of pages and mails, the same on every machine."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Membership

JAPANESE = {"Accept-Language": "ja"}


def signed_in(member: Membership) -> Client:
    client = Client(headers=JAPANESE)
    client.force_login(member.user)
    return client


def language_of(client: Client, path: str = "/me/") -> str:
    html = client.get(path).content.decode()
    return html.split('<html lang="')[1].split('"')[0]


def test_pages_are_in_the_persons_language_whatever_the_browser_prefers(acme, bob):
    client = signed_in(bob)
    assert language_of(client) == "en"
    assert language_of(client, "/o/acme/usage/") == "en"
    bob.user.language = "ja"
    bob.user.save(update_fields=["language"])
    assert language_of(client) == "ja"
    other_machine = Client(headers={"Accept-Language": "en"})
    other_machine.force_login(bob.user)
    assert language_of(other_machine) == "ja"


def test_saving_your_settings_changes_pages_at_once_and_says_so_in_the_new_language(
    acme, bob
):
    client = Client()
    client.force_login(bob.user)
    answer = client.post("/me/", {"name": "Bob", "language": "ja"}, follow=True)
    html = answer.content.decode()
    assert '<html lang="ja"' in html and "Your settings are saved." not in html
    assert language_of(client, "/o/acme/usage/") == "ja"


def test_the_link_in_the_sidebar_writes_the_setting_that_mails_follow_too(acme, bob):
    client = signed_in(bob)
    client.post("/i18n/setlang/", {"language": "ja", "next": "/me/"})
    bob.user.refresh_from_db()
    assert bob.user.language == "ja" and language_of(client) == "ja"
    client.post("/i18n/setlang/", {"language": "en", "next": "/me/"})
    assert language_of(client) == "en"


def test_before_signing_in_cookie_and_browser_choose_and_the_cookie_stays(db):
    client = Client(headers=JAPANESE)
    assert language_of(client, "/accounts/login/") == "ja"
    answer = client.post(
        "/i18n/setlang/", {"language": "en", "next": "/accounts/login/"}
    )
    assert language_of(client, "/accounts/login/") == "en"
    cookies = list(answer.cookies.values())
    assert [int(cookie["max-age"]) > 0 for cookie in cookies] == [True]


@pytest.mark.parametrize("language", ["", "de", "xx'--"])
def test_a_language_we_do_not_speak_changes_nobodys_setting(acme, bob, language):
    client = signed_in(bob)
    client.post("/i18n/setlang/", {"language": language, "next": "/me/"})
    client.get("/i18n/setlang/", {"language": "ja"})
    bob.user.refresh_from_db()
    assert bob.user.language == "en"


def test_charlies_choice_changes_nobody_elses(acme, bob, charlie):
    signed_in(charlie).post("/i18n/setlang/", {"language": "ja", "next": "/me/"})
    bob.user.refresh_from_db()
    assert bob.user.language == "en"
