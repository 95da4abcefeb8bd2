"""Faults 7, 8, 15: a broker or cache that is away turns nothing that was committed into a
failure, and error pages ask for nothing.
"""

from __future__ import annotations

import ast

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import OperationalError
from django.test import Client, RequestFactory

from accounts.tasks import send_mail
from config import errors
from config.kit import jobs, places
from config.outages import again
from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage
from tests.house.layers import ROOT, code


class Broker(Exception):
    """No such error is known to anybody."""


@pytest.fixture
def broker_away(monkeypatch):
    """Sending a message fails, as without Redis."""
    tries = []

    def fail(*args, **options):
        tries.append(args)
        raise jobs.OperationalError("Error 111 connecting to 127.0.0.1:9.")

    monkeypatch.setattr(send_mail, "apply_async", fail)
    yield tries
    jobs._broker_away.forget()


def test_fault_7_a_broker_that_is_away_fails_nobody_and_is_asked_once(db, broker_away):
    for number in range(3):
        jobs.enqueue(send_mail, number)
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        for number in range(3):
            jobs.enqueue(send_mail, number)
    assert len(broker_away) == 1


def test_fault_7_only_jobs_send_messages_by_themselves():
    """Whoever answers a person or a program uses `kit.jobs.enqueue`."""
    ways = {"delay", "delay_on_commit", "apply_async", "send_task"}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in code()
        if path.name != "tasks.py" and path.relative_to(ROOT) not in senders()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ways
    ]
    assert found == []


def senders():
    from pathlib import Path

    return {Path("config/kit/jobs.py"), Path("config/beat.py")}


def test_fault_7_a_cache_that_fails_after_the_commit_is_no_failure(
    client, acme, bob, now, monkeypatch
):
    from accounts import key_use

    def fail(*args, **options):
        raise Broker

    enable_extra_usage(acme)
    monkeypatch.setattr(key_use.cache, "set", fail)
    monkeypatch.setattr(key_use, "_noted", {})
    answer = client.post(
        "/api/v1/authorize",
        {"member": bob.user.email, "surface": "claude"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {make_api_key(acme, now=now)}"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("GET", "/api/v1/members", "Nothing was changed"),
        ("POST", "/api/v1/authorize", "Nothing was changed"),
        ("POST", "/api/v1/usage", "counts once"),
        ("PUT", "/api/v1/caps/organization", "Look whether"),
    ],
)
def test_fault_7_a_500_promises_only_what_is_known(method, path, sentence):
    assert sentence in again(RequestFactory().generic(method, path))


def test_fault_15_pages_of_errors_ask_no_database():
    """No database is allowed here at all, and somebody seems to be signed in."""
    client = Client()
    client.cookies["sessionid"] = "anything"
    assert client.get("/static/missing").status_code == 404
    for answer in (errors.not_found, errors.bad_request, errors.forbidden):
        assert answer(client.get("/static/missing").wsgi_request).status_code >= 400


def test_fault_15_the_pages_of_500_and_503_need_no_collected_files(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": f"{ManifestStaticFilesStorage.__module__}.ManifestStaticFilesStorage"
        },
    }
    settings.STATIC_ROOT = "/nonexistent"
    answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500 and b"/static/css/tokens.css" in answer.content
    try:
        raise OperationalError("gone")
    except OperationalError:
        away = errors.server_error(RequestFactory().get("/"))
    assert (away.status_code, away["Retry-After"]) == (503, "2")


def test_fault_5_places_are_limited_and_given_back(settings):
    settings.ORGANIZATION_PLACES = 1
    places.also_called("slug", 7)
    places.also_called("digest", 7)
    with places.place_for("slug"):
        places.waited_in_vain("digest", True)
        with pytest.raises(places.NoPlace), places.place_for("digest"):
            pass
        with places.place_for("another"):
            pass
    with places.place_for("digest"):
        pass
    places.waited_in_vain("digest", False)
    assert not places._taken
