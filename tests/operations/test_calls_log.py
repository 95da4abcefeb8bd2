"""One line for each call of the API, and nothing secret in it."""

from __future__ import annotations

import json
import logging

import pytest

from accounts.models import ApiKey
from config.logging import CallLines
from tests.factories.people import make_api_key

log = logging.getLogger("extra_usage.calls")


@pytest.fixture
def lines():
    """The lines written meanwhile, as production formats them."""
    written: list[str] = []

    class Keeps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keeps()
    handler.setFormatter(CallLines(json_lines=True))
    log.addHandler(handler)
    yield written
    log.removeHandler(handler)


def test_a_call_is_one_line_with_key_and_organization_by_number(
    client, acme, now, lines
):
    secret = make_api_key(acme, now=now)
    client.post(
        "/api/v1/authorize",
        {"member": "bob@acme.example", "surface": "claude_code"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    client.get(
        "/api/v1/members?q=bob@acme.example",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert len(lines) == 2
    first = json.loads(lines[0])
    key = ApiKey.objects.get(digest=ApiKey.digest_of(secret))
    assert (first["event"], first["level"]) == ("api.call", "info")
    assert (first["method"], first["route"]) == ("POST", "/api/v1/authorize")
    assert (first["organization"], first["key"]) == (acme.pk, key.pk)
    assert first["status"] == 200
    assert first["ms"] >= 0
    assert not [one for one in lines if secret in one or "bob" in one]


def test_a_call_without_a_good_key_is_a_line_too(client, db, lines):
    client.get(
        "/api/v1/members/bob@acme.example", headers={"Authorization": "Bearer x"}
    )
    line = json.loads(lines[0])
    assert (line["status"], line["organization"], line["key"]) == (401, None, None)
    assert "bob" not in lines[0]


def test_pages_and_probes_are_no_calls(client, db, lines):
    for path in ("/healthz", "/accounts/login/"):
        client.get(path)
    assert lines == []


def test_log_api_calls_leaves_them_out(client, db, lines, monkeypatch):
    from config.logging import logging_settings

    settings = logging_settings(json_lines=True, level="INFO", api_calls=False)
    monkeypatch.setattr(log, "level", logging.INFO)
    log.setLevel(settings["loggers"]["extra_usage.calls"]["level"])
    client.get("/api/v1/members")
    assert lines == []
    log.setLevel(logging.INFO)
