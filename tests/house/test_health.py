"""Health, metrics and logs: what machines ask, and that none of it tells secrets."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from django.test import Client

from config.health import _broker_answers
from config.logging import logging_settings


def test_healthz_answers_without_any_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readyz_names_what_does_not_answer(client, db, settings, tmp_path):
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    assert client.get("/readyz").json() == {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
    }
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "database": "ok",
        "broker": "unavailable",
    }


@pytest.mark.redis
def test_readyz_asks_redis(settings):
    from tests.services import REDIS_URL

    settings.REDIS_URL = REDIS_URL
    assert _broker_answers() is True


def test_metrics_are_for_the_machine_itself(client, db):
    assert b"django_http_requests_total" in client.get("/metrics").content
    assert Client(REMOTE_ADDR="203.0.113.5").get("/metrics").status_code == 404
    assert (
        client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"}).status_code
        == 404
    )


def test_metrics_with_a_token_are_for_whoever_has_it(client, db, settings):
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 404
    assert (
        client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code
        == 404
    )
    scraper = Client(REMOTE_ADDR="203.0.113.5")
    assert (
        scraper.get(
            "/metrics", headers={"Authorization": "Bearer a-long-token"}
        ).status_code
        == 200
    )


@pytest.fixture
def line():
    """Formats one structlog event as production does."""
    kept = structlog.get_config()
    formatter = logging_settings(json_lines=True, level="INFO")["formatters"]["lines"]
    made = structlog.stdlib.ProcessorFormatter(
        processor=formatter["processor"],
        foreign_pre_chain=formatter["foreign_pre_chain"],
    )
    yield lambda record: json.loads(made.format(record))
    structlog.configure(**kept)


def test_logs_are_json_lines_without_secrets(line):
    record = logging.LogRecord(
        "extra_usage.test", logging.WARNING, __file__, 1, "told %s", ("twice",), None
    )
    written = line(record)
    assert (written["event"], written["level"], written["logger"]) == (
        "told twice",
        "warning",
        "extra_usage.test",
    )
    assert written["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "name",
    ["Authorization", "api_key", "password1", "csrfmiddlewaretoken", "session_cookie"],
)
def test_values_that_sound_like_secrets_are_blanked(name):
    from config.logging import redact

    assert redact(None, "info", {"event": "x", name: "hunter2"}) == {
        "event": "x",
        name: "[redacted]",
    }
