"""What /metrics tells of rows, queue and the dead: true, bounded, and whatever is away."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actions.jobs import job_succeeded
from accounts.models import JobRun, OutgoingMail
from billing import books
from billing.models import BillingAccount, GatewayNotice, Payment
from billing.tasks import audit_books
from config.kit.books import Difference
from config.operations.exposition import forget_measures
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def scrape() -> dict[str, float]:
    """Every sample of a fresh scrape, by its name with labels."""
    forget_measures()
    content = Client().get("/metrics").content.decode()
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


def mail(acme: Any, **columns: Any) -> None:
    """A mail of an hour ago."""
    OutgoingMail.objects.create(
        organization=acme,
        address="somebody@acme.example",
        kind="x",
        key=f"k{OutgoingMail.objects.count()}",
        message_id="m",
        created_at=NOW - HOUR,
        next_try_at=NOW,
        expires_at=NOW + HOUR,
        **columns,
    )


def test_mails_that_wait_and_that_were_given_up(acme):
    OutgoingMail.objects.all().delete()
    mail(acme)
    mail(acme, sent_at=NOW)
    mail(acme, dropped_at=NOW)  # nothing to say any more
    mail(acme, dropped_at=NOW, attempts=5, last_error="SMTPConnectError")
    mail(acme, dropped_at=NOW - 25 * HOUR, attempts=5, last_error="long ago")
    found = scrape()
    assert found["extra_usage_mails_waiting"] == 1
    assert found["extra_usage_mails_oldest_seconds"] == 3600
    assert found["extra_usage_mails_given_up"] == 1


def test_payments_and_notices_nobody_knows_the_outcome_of(acme):
    common = {
        "organization": acme,
        "purpose": "purchase",
        "amount_nanos": 10**9,
        "gateway": "sandbox",
        "customer_id": "c",
        "card_id": "d",
        "card_label": "e",
        "next_check_at": NOW,
    }
    Payment.objects.create(key="1", created_at=NOW - 2 * HOUR, **common)
    for key, status in (("2", "action"), ("3", "succeeded")):
        Payment.objects.create(key=key, status=status, created_at=NOW, **common)
    GatewayNotice.objects.create(
        gateway="stripe",
        notice_id="evt_1",
        kind="refund.created",
        received_at=NOW - HOUR,
        payment_intent="pi_1",
        waiting={},
    )
    found = scrape()
    assert found['extra_usage_payments_unsettled{waits_for="unknown"}'] == 1
    assert found['extra_usage_payments_unsettled{waits_for="bank"}'] == 1
    assert found["extra_usage_payments_unknown_oldest_seconds"] == 7200
    assert found["extra_usage_gateway_notices_waiting"] == 1
    assert found["extra_usage_gateway_notices_oldest_seconds"] == 3600


def test_a_month_is_overdue_once_it_could_have_closed_everywhere(acme):
    BillingAccount.objects.get_or_create(organization=acme)
    accounts = BillingAccount.objects.filter(organization=acme)
    others = scrape()["extra_usage_months_overdue"]
    accounts.update(frozen_through_on=dt.date(2026, 9, 1))
    assert scrape()["extra_usage_months_overdue"] == others + 1
    accounts.update(frozen_through_on=dt.date(2026, 10, 1))
    assert scrape()["extra_usage_months_overdue"] == others
    with time_machine.travel(dt.datetime(2026, 12, 1, 17, 59, tzinfo=dt.UTC)):
        assert scrape()["extra_usage_months_overdue"] == others
    with time_machine.travel(dt.datetime(2026, 12, 1, 18, 1, tzinfo=dt.UTC)):
        assert scrape()["extra_usage_months_overdue"] > others


def test_the_nightly_proof_is_told_with_what_it_found(acme):
    assert "extra_usage_audit_differences" not in scrape()
    job_succeeded(books.NIGHTLY, took_ms=9, result=2, now=NOW)
    found = scrape()
    assert found["extra_usage_audit_differences"] == 2
    assert found["extra_usage_audit_timestamp_seconds"] == NOW.timestamp()


def test_the_nightly_proof_counts_and_logs_what_differs(acme, monkeypatch, caplog):
    assert audit_books() == 0
    one = Difference("billing_membermonth", "1", "extra_nanos", 5, 4)
    monkeypatch.setattr(books, "differences", lambda: iter([one] * 30))
    assert audit_books() == 30
    errors = [r for r in caplog.records if r.levelname == "ERROR"]
    assert len(errors) == 21, "twenty of them and their number"


def test_the_nightly_proof_only_reads(acme):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        audit_books()
    assert seen.captured_queries
    assert not [
        one["sql"]
        for one in seen.captured_queries
        if "FOR UPDATE" in one["sql"]
        or not one["sql"].lstrip().startswith(("SELECT", "WITH", "DECLARE"))
    ]


def test_a_job_that_never_ran_is_late_without_end(acme):
    job_succeeded("end-requests", took_ms=1_500, result=0, now=NOW - 6 * HOUR)
    found = scrape()
    assert found['extra_usage_job_late_seconds{job_name="send-due-mails"}'] == float(
        "inf"
    )
    assert (
        found['extra_usage_job_late_seconds{job_name="end-requests"}'] == 6 * 3600 - 300
    )
    assert (
        found['extra_usage_job_last_duration_seconds{job_name="end-requests"}'] == 1.5
    )


def test_rows_are_asked_at_most_every_ten_seconds_and_with_few_statements(acme):
    forget_measures()
    with CaptureQueriesContext(connection) as first:
        Client().get("/metrics")
    with CaptureQueriesContext(connection) as second:
        Client().get("/metrics")
    assert len(first) <= 16
    assert len(second) <= 3, "readiness alone: the migrations and the clock"


def test_without_the_database_a_scrape_tells_the_rest(acme, monkeypatch):
    def away() -> dict[str, str]:
        return {"database": "unavailable"}

    monkeypatch.setattr("config.health._database_and_clock", away)
    found = scrape()
    assert found["extra_usage_database_up"] == 0
    assert "extra_usage_mails_waiting" not in found
    assert found["extra_usage_places_refused_total"] >= 0
    assert any(name.startswith("django_http") for name in found)


def test_a_reader_that_takes_too_long_leaves_out_its_own_series_alone(
    acme, monkeypatch
):
    def slow(now: dt.datetime) -> Any:
        error = OperationalError("canceling statement due to statement timeout")
        error.__cause__ = type("E", (Exception,), {"sqlstate": "57014"})()
        raise error

    from config.kit import measures

    monkeypatch.setitem(measures._READERS, "accounts.measures.mails", slow)
    found = scrape()
    assert found["extra_usage_measures_missing"] == 1
    assert found["extra_usage_database_up"] == 1
    assert "extra_usage_mails_waiting" not in found
    assert "extra_usage_months_overdue" in found


def test_messages_of_the_embedded_broker_are_counted(acme, settings, tmp_path):
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    for name in ("1_a.celery.msg", "2_b.celery.msg", "3_c.other.pidbox.msg"):
        (tmp_path / name).touch()
    assert scrape()['extra_usage_queue_messages{queue="celery"}'] == 2


@pytest.mark.redis
def test_messages_in_redis_are_counted(acme, settings):
    from redis import Redis

    from tests.services import REDIS_URL

    settings.REDIS_URL = REDIS_URL
    with Redis.from_url(REDIS_URL) as client:
        before = client.llen("celery")
        client.lpush("celery", "x")
        try:
            found = scrape()
        finally:
            client.lrem("celery", 1, "x")
    assert found['extra_usage_queue_messages{queue="celery"}'] == before + 1
    assert found["extra_usage_broker_up"] == 1


def test_a_broker_that_is_away_is_told(acme, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    found = scrape()
    assert found["extra_usage_broker_up"] == 0
    assert 'extra_usage_queue_messages{queue="celery"}' not in found


COUNT = """
import os
from prometheus_client import Counter, Gauge
Counter("things", "Things.").inc(3)
Gauge("now", "Now.", multiprocess_mode="livesum").set(5)
print(os.getpid())
"""
READ = """
from pathlib import Path
import os
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from config.operations.multiprocess import folded
place = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
registry = CollectorRegistry()
MultiProcessCollector(registry, path=str(place))
with folded(place):
    print(generate_latest(registry).decode())
"""


def python(code: str, folder: Any) -> str:
    """What a process prints that counts into the folder."""
    environ = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "DEBUG": "true",
        "SECRET_KEY": "for-a-test-only",
    }
    return subprocess.check_output([sys.executable, "-c", code], env=environ, text=True)


def test_fault_27_of_dead_workers_the_sums_stay_and_the_files_go(tmp_path):
    for _ in range(3):
        python(COUNT, tmp_path)
    assert len(list(tmp_path.glob("counter_*.db"))) == 3
    for _ in range(2):
        text = python(READ, tmp_path)
        assert "\nthings_total 9.0" in text
        assert "\nnow 5.0" not in text
    assert [one.name for one in tmp_path.glob("counter_*.db")] == ["counter_dead.db"]
    assert list(tmp_path.glob("gauge_*.db")) == []


def test_fault_27_a_new_start_forgets_them(tmp_path, monkeypatch):
    from config.operations.multiprocess import clear

    python(COUNT, tmp_path)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    clear()
    assert list(tmp_path.glob("*.db")) == []
    assert JobRun.objects.count() == 0
