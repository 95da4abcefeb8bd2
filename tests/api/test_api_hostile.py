"""Garbage in: malformed and hostile bodies to each API path give 4xx problem documents
and change nothing.
"""

from __future__ import annotations

import json
import random

import pytest
from django.apps import apps

from tests.factories.people import make_api_key
from tests.factories.usage import enable_extra_usage

WRITING = [
    ("POST", "/authorize"),
    ("POST", "/usage"),
    ("PUT", "/caps/organization"),
    ("PUT", "/caps/seat-tiers/standard"),
    ("PUT", "/caps/members/{bob}"),
    ("PUT", "/extra-usage"),
]
GOOD = {
    "/authorize": {"member": "bob@acme.example", "surface": "claude"},
    "/usage": {"events": [{"id": "e"}]},
    "/extra-usage": {"enabled": True, "scope": "everyone"},
}
VALUES = [
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    2**63,
    -(2**70),
    10**400,
    "",
    " ",
    "x" * 300,
    "\u0000",
    "💥",
    "<script>",
    "'; DROP TABLE",
    [],
    [[]],
    {},
    {"a": {}},
    ["x"] * 50,
    "../../etc/passwd",
    "NaN",
    "2026-13-45",
]


def raw_bodies() -> list[bytes]:
    """Bodies that are no proper JSON, or JSON nobody should accept."""
    return [
        b"",
        b" ",
        b"{",
        b"}",
        b"nul",
        b"[",
        b"]",
        b'"',
        b"{}{}",
        b"{'a': 1}",
        b"[1,]",
        b'{"a": }',
        b"\x00",
        b"\xff\xfe",
        b'{"a": "\xc3\x28"}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"events": [{"id": "a", "id": "b"}]}',
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b"1" * 10_000,
        b'{"a": 1' + b"0" * 5_000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        "{“a”: 1}".encode(),
        "\ufeff{}".encode(),
        b'{"__proto__": {}}',
        b"<xml/>",
        b"a=1&b=2",
        b"{" * 100_000,
        json.dumps({"a": "x" * 1_200_000}).encode(),
        b"x" * 10_485_760,
    ]


def bodies_for(path: str) -> list[bytes]:
    """200 bodies: the raw ones, and the path's own fields with values of every wrong kind."""
    pick = random.Random(path)
    good = GOOD.get(path, {"amount_usd": "1.00"})
    found = raw_bodies()
    for field in good:
        found += [
            json.dumps({**good, field: value}).encode()
            for value in VALUES
            if not _fits(path, field, value)
        ]
        found.append(
            json.dumps(
                {name: one for name, one in good.items() if name != field}
            ).encode()
        )
    while len(found) < 200:
        wrong = {
            name: pick.choice([-1, [], {}, 1.5, "?" * pick.randint(1, 400), "\ud83d"])
            for name in good
        }
        found.append(json.dumps(wrong).encode())
    return found


def _fits(path: str, field: str, value: object) -> bool:
    """Values the field does take: they are not garbage there."""
    if path == "/authorize" and field == "member":
        return (
            isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
        )
    if path == "/authorize" and field == "surface":
        return value == "2026-13-45"  # a name of letters, numbers and dashes
    return (field == "amount_usd" and value is None) or (
        field == "enabled" and value is True
    )


def everything() -> dict[str, int]:
    """How many rows each table holds."""
    ours = [
        model
        for model in apps.get_models()
        if model._meta.app_label in ("accounts", "billing")
    ]
    return {model._meta.label: model.objects.count() for model in ours}


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_200_hostile_bodies_give_4xx_problems_and_change_nothing(
    client, acme, bob, now, method, path
):
    enable_extra_usage(acme)
    key, before = make_api_key(acme, now=now), everything()
    for body in bodies_for(path):
        response = client.generic(
            method,
            "/api/v1" + path.format(bob=bob.pk),
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        if (
            path == "/usage" and response.status_code == 200
        ):  # a batch is answered event by event
            assert {one["status"] for one in response.json()["results"]} == {
                "invalid"
            }, body[:200]
            continue
        assert 400 <= response.status_code < 500, (
            response.status_code,
            body[:200],
            response.content[:200],
        )
        assert response["Content-Type"] == "application/problem+json", body[:200]
        assert {"type", "title", "status", "detail"} <= set(response.json())
    assert everything() == before


@pytest.mark.parametrize(
    "path",
    [
        "/members?cursor=x",
        "/members/%00",
        "/members/" + "9" * 400,
        "/events/" + "x" * 3000,
        "/usage",
        "/usage?start=x&end=y",
        "/usage?start=0001-01-01&end=9999-12-31",
        "/usage?start=2026-11-01&end=2026-12-01&group_by=%00",
        "/usage?start=2026-11-01&end=2026-12-01&group_by=label:",
    ],
)
def test_hostile_addresses_give_4xx_problems(client, acme, now, path):
    key = make_api_key(acme, now=now)
    response = client.get("/api/v1" + path, headers={"Authorization": f"Bearer {key}"})
    assert 400 <= response.status_code < 500
    assert response["Content-Type"] == "application/problem+json"
