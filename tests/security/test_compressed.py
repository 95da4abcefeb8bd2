"""Pages are sent compressed and are kept by nobody (S12); what programs send and files
that are made while they are sent are left as they are.
"""

from __future__ import annotations

import gzip

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage

ACCEPTS = {"Accept-Encoding": "gzip"}


@pytest.fixture
def client(alice) -> Client:
    client = Client(headers=ACCEPTS)
    client.force_login(alice.user)
    return client


@pytest.mark.parametrize("name", ["usage_settings", "own_usage", "usage_people"])
def test_pages_and_their_parts_are_compressed_and_private(acme, client, name):
    enable_extra_usage(acme)
    path = reverse(name, args=["acme"])
    answer = client.get(path, headers={"HX-Request": "true"})
    plain = client.get(path, headers={"HX-Request": "true", "Accept-Encoding": ""})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(answer.content) == int(answer.headers["Content-Length"])
    assert len(answer.content) < len(plain.content) / 3
    assert b"Alice" in gzip.decompress(answer.content)
    for one in (answer, plain):
        assert one.headers["Cache-Control"] == "private, no-store"


def test_the_same_page_has_another_length_each_time(client):
    """The length of what is compressed says nothing exact about the page (BREACH)."""
    path = reverse("own_usage", args=["acme"])
    assert len({len(client.get(path).content) for _ in range(12)}) > 3


def test_signing_in_is_compressed_too(db):
    answer = Client().get(reverse("account_login"), headers=ACCEPTS)
    assert answer.headers["Content-Encoding"] == "gzip"


def test_files_made_while_they_are_sent_are_not(acme, client):
    enable_extra_usage(acme)
    answer = client.get(reverse("usage_people_csv", args=["acme"]))
    assert answer.streaming
    assert "Content-Encoding" not in answer.headers


def test_programs_pay_nothing_for_it(acme, now):
    secret = make_api_key(acme, scopes="read", now=now)
    headers = {**ACCEPTS, "Authorization": f"Bearer {secret}"}
    for path in ("/api/v1/members", "/healthz", "/api/v1/openapi.json"):
        assert "Content-Encoding" not in Client().get(path, headers=headers).headers
