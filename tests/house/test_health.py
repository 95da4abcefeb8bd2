"""Health, metrics and logs: what machines ask, and that none of it tells secrets."""

from __future__ import annotations

import datetime as dt
import json
import logging

import pytest
import structlog
import time_machine
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from config.health import _broker_answers, forget_readiness
from config.logging import logging_settings


def test_healthz_answers_without_any_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readyz_names_what_does_not_answer(client, db, settings, tmp_path):
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    assert client.get("/readyz").json() == {
        "status": "ok",
        "database": "ok",
        "clock": "ok",
        "broker": "ok",
    }
    forget_readiness()
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    response = client.get("/readyz")
    assert response.status_code == 200, "fault 8: metering goes on without the broker"
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "clock": "ok",
        "broker": "away",
    }


def test_fault_13_readyz_says_not_ready_on_an_older_schema(client, db):
    MigrationRecorder(connection).migration_qs.filter(app="billing").last().delete()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "not migrated")


def test_fault_13_readyz_says_ready_on_a_newer_schema(client, db):
    MigrationRecorder(connection).record_applied("billing", "9999_of_tomorrow")
    assert client.get("/readyz").status_code == 200


def test_fault_13_readyz_says_not_ready_before_migrate(client, db, monkeypatch):
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda self: False)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "not migrated")


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


def test_s29_asking_often_whether_it_is_ready_opens_no_connections(
    client, db, settings, tmp_path, django_assert_num_queries
):
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    at = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    with time_machine.travel(at, tick=False), django_assert_num_queries(3):
        answers = {client.get("/readyz").status_code for _ in range(20)}
    assert answers == {200}


def test_s29_what_stops_answering_is_said_two_seconds_later(
    client, db, settings, tmp_path, monkeypatch
):
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda self: False)
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr("config.health.READY_SECONDS", 0)
    assert client.get("/readyz").status_code == 503


def test_s29_behind_a_proxy_metrics_take_a_token(client, db, settings):
    settings.BEHIND_PROXY = True
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "a-long-token"
    told = {"Authorization": "Bearer a-long-token"}
    assert client.get("/metrics", headers=told).status_code == 200
