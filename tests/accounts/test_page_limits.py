"""S30: pages that anybody can open, and files that take long to make, have limits."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _two_a_minute(settings):
    settings.RATE_LIMITS = {
        **settings.RATE_LIMITS,
        "anonymous": "2/minute",
        "reports": "2/minute",
    }


def assert_too_many(response) -> None:
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    page = response.content.decode()
    assert "That was a lot in a short time" in page
    assert f"Wait {response['Retry-After']} second" in page


@pytest.mark.parametrize(
    "path", ["/invitations/guess/", "/digest/off/guess/", "/notices/agree/guess/"]
)
def test_s30_pages_for_strangers_are_limited_by_address(client, db, path):
    answers = [client.get(path).status_code for _ in range(2)]
    assert 429 not in answers
    assert_too_many(client.get(path))
    assert_too_many(client.post(path))
    elsewhere = client.get(path, REMOTE_ADDR="203.0.113.5")
    assert elsewhere.status_code == answers[0]


def test_s30_resets_are_limited_by_address_with_a_page_that_says_so(client, db):
    """allauth's own limit: twenty a minute an address."""
    answers = []
    for number in range(21):
        typed = {"email": f"person{number}@nowhere.example"}
        answers.append(client.post("/accounts/password/reset/", typed))
    assert [one.status_code for one in answers] == [302] * 20 + [429]
    assert_too_many(answers[-1])


def test_s30_files_are_limited_by_person(client, acme, alice, ada):
    client.force_login(alice.user)
    path = f"/o/{acme.slug}/settings/activity.csv"
    assert [client.get(path).status_code for _ in range(2)] == [200, 200]
    assert_too_many(client.get(path))
    client.force_login(ada.user)
    usage = f"/o/{acme.slug}/settings/usage/people.csv"
    assert client.get(usage).status_code == 200


def test_s30_every_file_that_people_load_has_the_limit():
    from tests.house.test_layout import OURS, patterns

    ours = [one for one in patterns() if one.callback.__module__.startswith(OURS)]
    files = [
        one for one in ours if str(one.pattern).rstrip("$").endswith((".csv", ".pdf"))
    ]
    assert len(files) > 8
    assert [str(one.pattern) for one in files if not is_limited(one.callback)] == []


def is_limited(view) -> bool:
    while view is not None:
        if getattr(view, "is_much_to_make", False):
            return True
        view = getattr(view, "__wrapped__", None)
    return False
