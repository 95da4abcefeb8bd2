"""S20: the signing secret can be changed without anybody noticing, and what the old one
signed is void once it is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.tasks import send_due_mails
from billing.funding.promises import read_promise, sign_authorization
from requests_inbox.digest_links import membership_id_of, unsubscribe_url
from tests.conftest import NOW

OLD, NEW = "old-" + "s3cret7" * 8, "new-" + "s3cret9" * 8


@pytest.fixture
def rotate(settings: LazySettings) -> Callable[..., None]:
    """`rotate()`: a new secret beside the old one; `rotate(keep=False)`: the new one alone."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []

    def change(*, keep: bool = True) -> None:
        settings.SECRET_KEY = NEW
        settings.SECRET_KEY_FALLBACKS = [OLD] if keep else []

    return change


def test_s20_an_authorization_outlives_the_secret_that_signed_it(rotate, alice):
    about = {"organization_id": 1, "membership_id": 2, "now": NOW}
    token = sign_authorization("included", **about)
    rotate()
    assert read_promise(token).funding == "included"
    assert read_promise(token + "x") is None
    newer = sign_authorization("extra_usage", **about)
    rotate(keep=False)
    assert read_promise(token) is None
    assert read_promise(newer).funding == "extra_usage"


def test_s20_a_link_that_stops_the_digest_outlives_it(rotate):
    token = unsubscribe_url(7).rstrip("/").rsplit("/", 1)[1]
    rotate()
    assert membership_id_of(token) == 7
    rotate(keep=False)
    assert membership_id_of(token) is None


def test_s20_whoever_came_back_meanwhile_stays_signed_in(rotate, alice):
    came, stayed_away = Client(), Client()
    for browser in (came, stayed_away):
        browser.force_login(alice.user)
    rotate()
    assert came.get("/me/").status_code == 200
    rotate(keep=False)
    assert came.get("/me/").status_code == 200
    assert stayed_away.get("/me/").status_code == 302


def test_s20_a_link_to_a_new_password_outlives_it(rotate, alice, mailoutbox, client):
    client.post("/accounts/password/reset/", {"email": alice.user.email})
    send_due_mails()
    found = re.search(r"/accounts/password/reset/key/\S+", mailoutbox[0].body)
    assert found
    rotate()
    assert Client().get(found[0]).status_code == 302  # to the form
    rotate(keep=False)
    assert Client().get(found[0]).status_code == 200  # “no longer valid”
