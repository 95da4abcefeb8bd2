"""S2, S19 and their siblings, inside Django: what is refused costs little, and no file
is written.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from config.front.bodies import TOO_LONG
from config.kit import strict_json
from config.kit.keys import PREFIX, is_bearer
from tests.factories.people import make_api_key

SECONDS = 20  # far more than one pass takes on a busy machine, far less than a square
MANY = "&".join(f"k{number}=1" for number in range(10_000))


def repeated(count: int) -> bytes:
    """An object of `count` keys whose last one stands there twice."""
    names = [f'"k{number}":1' for number in range(count)]
    return f"{{{','.join(names)},{names[-1]}}}".encode()


def test_S2_a_repeated_key_is_found_in_one_pass():
    began = time.monotonic()
    with pytest.raises(strict_json.InvalidJson, match="“k99999” appears twice"):
        strict_json.loads(repeated(100_000))
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize("path", ["/authorize", "/usage"])
@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5"])
def test_S2_the_key_is_looked_for_before_the_body_is_read(db, client, path, header):
    answer = client.post(
        f"/api/v1{path}",
        b"{ no json",
        content_type="application/json",
        headers={"Authorization": header},
    )
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header, may_be",
    [
        (f"Bearer {PREFIX}abc-_9", True),
        (f"bearer  {PREFIX}abc ", True),
        (f"Bearer {PREFIX}", False),
        (f"Bearer {PREFIX}a b", False),
        ("Bearer abc", False),
        (f"Basic {PREFIX}abc", False),
        ("", False),
    ],
)
def test_S2_what_a_key_looks_like(header, may_be):
    assert is_bearer(header) is may_be


@pytest.mark.parametrize(
    "query, status",
    [(MANY, 400), ("group_by=" + "day," * 15_000, 422), ("from=" + "2" * 60_000, 422)],
)
def test_S2_long_queries_of_the_api_are_refused_soon(client, acme, now, query, status):
    headers = {"Authorization": f"Bearer {make_api_key(acme, now=now)}"}
    began = time.monotonic()
    answer = client.get(f"/api/v1/usage?{query}", headers=headers)
    assert (answer.status_code, json.loads(answer.content)["status"]) == (status,) * 2
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
    "headers, query, status",
    [
        ({}, MANY, 400),
        ({"Accept-Language": "aa-bb-cc;q=0.5," * 5_000}, "", 200),
        ({"Cookie": ";".join(f"a{n}=b" for n in range(8_000))}, "", 200),
        ({"Cookie": f"django_language={'a-' * 30_000}"}, "", 200),
    ],
)
def test_S2_long_heads_of_pages_are_read_soon(client, db, headers, query, status):
    began = time.monotonic()
    answer = client.get(f"/accounts/login/?{query}", headers=headers)
    assert answer.status_code == status
    assert time.monotonic() - began < SECONDS


def test_S2_labels_and_unknown_names_are_read_in_one_pass(client, acme, now):
    headers = {"Authorization": f"Bearer {make_api_key(acme, now=now)}"}
    names = {f"k{number}": 1 for number in range(50_000)}
    for event in ({"labels": names}, {"usage": names}, names):
        began = time.monotonic()
        answer = client.post(
            "/api/v1/usage",
            {"events": [event]},
            content_type="application/json",
            headers=headers,
        )
        assert (answer.status_code, answer.json()["invalid"]) == (200, 1)
        assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize("path", ["/accounts/login/", "/i18n/setlang/"])
def test_S19_a_file_is_refused_and_not_written(db, path, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client = Client()
    client.cookies["csrftoken"] = "a" * 32
    sent = {"file": SimpleUploadedFile("f", b"x" * 900_000), "login": "a"}
    assert client.post(path, sent).status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["csrftoken"] = "a" * 32
    sent = {"file": SimpleUploadedFile("f", b"x" * 900_000), "login": "a"}
    assert strict.post(path, sent).status_code in (400, 403)
    assert list(Path(tmp_path).iterdir()) == []


def test_S19_no_form_of_ours_takes_a_file():
    from django.apps import apps
    from django.db.models import FileField

    fields = [
        field for model in apps.get_models() for field in model._meta.get_fields()
    ]
    assert not [field for field in fields if isinstance(field, FileField)]


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/accounts/login/", "text/html; charset=utf-8"),
        ("/api/v1/usage", "application/problem+json"),
        ("/webhooks/stripe/", "application/problem+json"),
    ],
)
def test_S19_a_body_over_the_limit_is_told_so(db, client, path, kind):
    answer = client.post(path, b"", content_type="text/plain", **{TOO_LONG: True})
    assert (answer.status_code, answer["Content-Type"]) == (413, kind)
    if "problem" in kind:
        assert "1 MiB" in answer.json()["detail"]
