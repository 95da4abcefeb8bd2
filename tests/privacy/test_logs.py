"""S11: no log holds a token, a key, a query string or a person's address, and the
address it holds of a client is the one that counts.
"""

from __future__ import annotations

import io
import logging

import pytest
import structlog
from django.db import IntegrityError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from config.kit.masking import masked
from config.kit.middleware import PrivateAnswers
from config.logging import logging_settings
from tests.house.layers import ROOT

SECRET = "Uj0gSecretPartOfALink99"


@pytest.fixture
def logged(monkeypatch):
    """What production writes at DEBUG, Django's own lines among it."""
    kept = structlog.get_config()
    formatter = logging_settings(json_lines=True, level="DEBUG")["formatters"]["lines"]
    structlog.configure(
        **{**structlog.get_config(), "cache_logger_on_first_use": False}
    )
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=formatter["processor"],
            foreign_pre_chain=formatter["foreign_pre_chain"],
        )
    )
    root, request = logging.getLogger(), logging.getLogger("django.request")
    monkeypatch.setattr(root, "level", logging.DEBUG)
    monkeypatch.setattr(request, "level", logging.DEBUG)
    root.addHandler(handler)
    yield written.getvalue
    root.removeHandler(handler)
    structlog.configure(**kept)


def routes(resolver=None, prefix="/"):
    """Every route but the admin's, with the names in it."""
    for one in (resolver or get_resolver()).url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            if not route.startswith("/admin/"):
                yield from routes(one, route)
        elif isinstance(one, URLPattern):
            yield route, one


def token_paths():
    """A path with SECRET in each route that takes a token or key from a link."""
    for route, pattern in routes():
        names = set(pattern.pattern.converters) | set(pattern.pattern.regex.groupindex)
        if not names & PrivateAnswers.SECRETS or "<slug:key>" in route:
            continue
        path = route.replace("^", "").replace("$", "").replace("<str:token>", SECRET)
        path = path.replace("(?P<uidb36>[0-9A-Za-z]+)", "1w")
        yield path.replace("(?P<key>.+)", SECRET).replace(r"(?P<key>[-:\w]+)", SECRET)


@pytest.mark.django_db
def test_s11_no_link_with_a_token_is_logged(client, logged):
    paths = list(token_paths())
    assert len(paths) >= 3, paths
    for path in paths:
        for method in ("get", "post"):
            getattr(client, method)(path)
        client.get(path.rstrip("/"))  # mistyped: redirected or not found
        client.get(f"/x{path}")
    assert "request_started" in logged() and "/invitations/<str:token>/" in logged()
    assert SECRET not in logged()


@pytest.mark.django_db
def test_s11_no_query_string_is_logged(client, logged, alice, charlie):
    client.force_login(alice.user)
    client.get("/o/acme/settings/members/?q=Nakamura&session=cs_test_1")
    client.get("/o/umbrella/settings/members/?q=Nakamura")
    client.get("/nowhere/?token=Nakamura")
    assert "/o/<slug:slug>/settings/members/" in logged()
    assert "Nakamura" not in logged() and "cs_test_1" not in logged()


@pytest.mark.django_db
def test_s11_a_forbidden_form_names_the_route_alone(logged):
    browser = Client(enforce_csrf_checks=True)
    browser.post(f"/invitations/{SECRET}/", {"name": "Bob"})
    assert "Forbidden" in logged() and SECRET not in logged()


@pytest.mark.django_db
def test_s11_a_fault_is_logged_without_what_the_path_and_the_database_tell(
    client, logged, monkeypatch
):
    def taken(*args, **kwargs):
        raise IntegrityError(
            'duplicate key value violates unique constraint "accounts_user_email_key"\n'
            "DETAIL:  Key (email)=(bob@acme.example) already exists."
        )

    monkeypatch.setattr("accounts.views.home.open_invitation", taken)
    client.raise_request_exception = False
    assert client.get(f"/invitations/{SECRET}/").status_code == 500
    text = logged()
    assert "accounts_user_email_key" in text and "Traceback" in text
    assert "bob@acme.example" not in text and SECRET not in text


@pytest.mark.django_db
def test_s11_an_address_in_the_api_s_path_or_error_is_not_logged(
    client, logged, acme, bob, monkeypatch
):
    from tests.conftest import NOW
    from tests.factories.people import make_api_key

    key = make_api_key(acme, now=NOW)

    def fault(*args, **kwargs):
        raise ValueError(f"bob@acme.example with {key}")

    monkeypatch.setattr("accounts.api_access.member_by_ref", fault)
    client.raise_request_exception = False
    headers = {"Authorization": f"Bearer {key}"}
    client.get("/api/v1/members/bob@acme.example", headers=headers)
    client.get("/api/v1/members/bob%40acme.example?x=bob@acme.example", headers=headers)
    assert "ValueError" in logged()
    assert "bob@" not in logged() and "bob%40" not in logged() and key not in logged()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_s11_postgresql_s_own_words_are_masked(acme, bob, logged):
    log = structlog.get_logger("test")
    clash = {"email": "bob@acme.example", "name": "Bob\nDETAIL"}
    for break_it in (
        lambda: User.objects.create(**clash),
        lambda: User.objects.create(email="Eve@acme.example", name="Eve"),
        lambda: User.objects.filter(pk=bob.user_id).update(name=None),
    ):
        try:
            break_it()
        except IntegrityError:
            log.exception("failed", who="bob@acme.example")
    assert "accounts_user" in logged()
    for told in ("bob@acme", "Bob Feld", "eve@"):
        assert told not in logged().lower().replace("bob feld", "Bob Feld"), told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "ip"), [(0, "127.0.0.1"), (1, "9.9.9.9"), (2, "6.6.6.6")]
)
def test_s11_the_logged_address_is_the_one_that_counts(
    client, logged, settings, proxies, ip
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    client.get("/accounts/login/", headers={"X-Forwarded-For": "6.6.6.6, 9.9.9.9"})
    assert f'"ip": "{ip}"' in logged()
    assert logged().count('"ip"') == logged().count(f'"ip": "{ip}"')


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET /o/acme/?q=Bob HTTP/1.1", "GET /o/acme/ HTTP/1.1"),
        (
            '"GET /invitations/abc/ HTTP/1.1" 200',
            '"GET /invitations/[masked]/ HTTP/1.1" 200',
        ),
        ("key xu_abcdefghij and sk_live_123456", "key xu_[masked] and sk_[masked]"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [masked]"),
        ("<Bob.O'F+x@bücher.example>: refused", "<[address]>: refused"),
        ("what? nothing at 5 @ all", "what? nothing at 5 @ all"),
        ("DETAIL:  Failing row contains (1, Bob\nFeld, x).", "DETAIL: [masked]"),
        (
            "a\nDETAIL:  Key (a)=(b).\nCONTEXT:  q\n\nThe above",
            "a\nDETAIL: [masked]\nCONTEXT: [masked]\n\nThe above",
        ),
        (
            'invalid input syntax for type bigint: "Bob"',
            "invalid input syntax for type bigint: [masked]",
        ),
    ],
)
def test_s11_masks_take_out_this_and_no_more(text, kept):
    assert masked(text) == kept


def test_s11_no_process_is_started_with_an_access_log_of_whole_paths():
    for name in ("Procfile", "compose.yaml", "Dockerfile", "config/demo/serve.py"):
        assert "access-log" not in (ROOT / name).read_text(), name
