"""S12: nothing that a session, a key or a link with a token opened is kept by a browser
or a proxy; pages for everybody and static files are left as they are.
"""

from __future__ import annotations

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from tests.conftest import NOW
from tests.factories.people import make_api_key

SAMPLES = {
    "slug": "acme",
    "tier": "standard",
    "step": "cap",
    "number": "A-1",
    "month": "2026-11",
    "member": "bob@acme.example",
    "token": "x",
    "key": "x",
    "uidb36": "1",
    "request_id": "1",
    "event_id": "1",
}
KEPT = "private, no-store"
PUBLIC = {"/healthz", "/readyz", "/metrics", "/webhooks/stripe/"}


def paths(resolver=None, prefix="/"):
    """A path for every route, with something in each place."""
    for one in (resolver or get_resolver()).url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from paths(one, route)
        elif isinstance(one, URLPattern) and "(?P" not in route:
            path = route
            for part in route.split("<")[1:]:
                whole = part.split(">")[0]
                name = whole.split(":")[-1]
                path = path.replace(f"<{whole}>", SAMPLES.get(name, "1"))
            yield path


PATHS = sorted(set(paths()))


@pytest.mark.django_db
def test_s12_nothing_that_a_session_opens_is_kept(client, alice):
    client.raise_request_exception = False
    assert len(PATHS) > 150
    loud = []
    for path in PATHS:
        if path in ("/accounts/logout/", *PUBLIC) or path.startswith("/api/"):
            continue
        client.force_login(alice.user)
        response = client.get(path)
        if response.headers.get("Cache-Control") != KEPT:
            loud.append((path, response.status_code, response.headers))
    assert loud == []


@pytest.mark.django_db
def test_s12_nothing_that_an_operator_opens_is_kept(client, acme):
    client.force_login(User.objects.create_superuser("op@host.example", name="Op"))
    for path in PATHS:
        if path.startswith("/admin/") and not path.endswith("/logout/"):
            assert client.get(path).headers["Cache-Control"] == KEPT, path


@pytest.mark.django_db
def test_s12_nothing_that_a_key_opens_is_kept(client, acme):
    headers = {"Authorization": f"Bearer {make_api_key(acme, now=NOW)}"}
    for path in PATHS:
        if path.startswith("/api/v1/"):
            for method in ("get", "post"):
                response = getattr(client, method)(path, headers=headers)
                assert response.headers["Cache-Control"] == KEPT, path


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/invitations/x/",
        "/digest/off/x/",
        "/notices/stop/x/",
        "/accounts/password/reset/key/1-x/",
    ],
)
def test_s12_what_a_link_with_a_token_shows_is_not_kept(client, path):
    assert client.get(path).headers["Cache-Control"] == KEPT


@pytest.mark.django_db
def test_s12_the_answer_that_begins_a_session_is_not_kept(client, alice):
    sign_in = {"login": "alice@acme.example", "password": "a-good-password"}
    response = client.post("/accounts/login/", sign_in)
    assert response.status_code == 302
    assert response.headers["Cache-Control"] == KEPT


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/v1/docs", "/api/v1/openapi.json", "/healthz", "/nowhere/"]
)
def test_s12_what_is_for_everybody_stays_as_it_is(client, path):
    assert "no-store" not in client.get(path).headers.get("Cache-Control", "")


@pytest.mark.django_db
def test_s12_static_files_stay_as_they_are(client, alice):
    client.force_login(alice.user)
    response = client.get("/static/css/base.css")
    assert response.status_code == 200
    assert "no-store" not in response.headers.get("Cache-Control", "")
