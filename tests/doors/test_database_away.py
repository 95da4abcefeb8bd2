"""PostgreSQL away, silent, restarted or held by somebody else's lock: 503 in time, and
back by itself (faults 5, 6, 11 and 15).
"""

from __future__ import annotations

import json
import time

import pytest
from django.db import OperationalError, close_old_connections, connection
from django.utils import timezone

from billing.models import UsageEvent
from config.kit import places, waits
from config.kit.sql import read, run
from tests.concurrency.threads import run_together
from tests.doors.database import through_a_door
from tests.factories.people import make_api_key, make_cast
from tests.factories.usage import enable_extra_usage

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
HELD = "SELECT 1 FROM accounts_organization WHERE id = %s FOR UPDATE"


@pytest.fixture(autouse=True)
def _as_at_the_start():
    yield
    places._stuck.clear()


@pytest.fixture
def acme():
    made = make_cast(now=timezone.now())
    enable_extra_usage(made)
    return made


@pytest.fixture
def call(client, acme):
    """Call the API as a server does, which checks a kept connection at each call."""
    key = make_api_key(acme, now=timezone.now())
    client.raise_request_exception = False

    def send(path, body):
        close_old_connections()
        return client.post(
            f"/api/v1{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


CHECK = "/authorize", {"member": "bob@acme.example", "surface": "claude", "model": "m"}


def one_event():
    return {
        "id": "a",
        "member": "bob@acme.example",
        "surface": "claude",
        "model": "claude-sonnet-4-5",
        "occurred_at": timezone.now().isoformat(),
        "usage": {"input_tokens": 10, "output_tokens": 10},
    }


def end_own_session():
    """As a restart of PostgreSQL does to a kept connection."""
    import psycopg

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    place = connection.get_connection_params()
    place = {
        key: place[key] for key in ("host", "port", "user", "dbname") if key in place
    }
    with psycopg.connect(**place, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        alive = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        while other.execute(alive, [pid]).fetchone():
            time.sleep(0.01)


def is_problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    return answer.json()


def test_fault_11_after_a_restart_no_check_and_no_report_fails(call):
    assert call(*CHECK).status_code == 200
    end_own_session()
    assert call(*CHECK).json()["allowed"] is True
    end_own_session()
    assert call("/usage", {"events": [one_event()]}).json()["recorded"] == 1


def test_fault_11_only_what_reads_is_asked_again(acme):
    assert read("SELECT 1").rows() == [(1,)]
    end_own_session()
    with pytest.raises(OperationalError):
        run("SELECT 1")
    connection.close()
    run("SELECT 1")
    end_own_session()
    assert read("SELECT 1").rows() == [(1,)]


def test_fault_5_a_held_lock_is_503_in_time_and_leaves_nothing_half(call, acme):
    import psycopg

    place = connection.get_connection_params()
    place = {
        key: place[key] for key in ("host", "port", "user", "dbname") if key in place
    }
    with psycopg.connect(**place) as holder:
        holder.execute(HELD, [acme.pk])
        started = time.monotonic()
        answer = call("/usage", {"events": [one_event()]})
        told = is_problem(answer, 503)
        assert answer["Retry-After"] == "1" and "counts once" in told["detail"]
        assert time.monotonic() - started < 4
        assert call(*CHECK).status_code == 200, "reading waits for no row"
        holder.rollback()
    assert UsageEvent.objects.count() == 0
    assert call("/usage", {"events": [one_event()]}).json()["recorded"] == 1


def test_fault_6_a_statement_without_end_is_ended(acme):
    waits.wait_as(waits.CALLS)
    started = time.monotonic()
    with pytest.raises(OperationalError, match="statement timeout"):
        read("SELECT pg_sleep(60)")
    assert time.monotonic() - started < 10
    assert read("SELECT current_setting('lock_timeout')").rows() == [("2s",)]


def test_fault_6_a_silent_database_is_503_within_two_seconds(call, client):
    with through_a_door() as door:
        assert call(*CHECK).status_code == 200
        door.is_open.clear()
        started = time.monotonic()
        is_problem(call(*CHECK), 503)
        assert time.monotonic() - started < 3
        started = time.monotonic()
        answers = [call(*CHECK) for _ in range(20)]
        assert time.monotonic() - started < 1, "nobody else waits for it"
        assert {answer.status_code for answer in answers} == {503}
        assert client.get("/accounts/login/").status_code == 503
        assert client.get("/healthz").status_code == 200
        door.is_open.set()
        time.sleep(waits.Silence.SECONDS)
        assert call(*CHECK).status_code == 200
        assert call(*CHECK).status_code == 200


def test_fault_6_a_new_connection_waits_no_longer_than_a_check_may(call, settings):
    shorter = waits.Waits(silence=0.5)
    settings.DATABASE_WAITS = {**settings.DATABASE_WAITS, "checks": shorter}
    with through_a_door() as door:
        door.is_open.clear()
        started = time.monotonic()
        is_problem(call(*CHECK), 503)
        assert time.monotonic() - started < 1.9, "psycopg's least is two seconds"
        door.is_open.set()
        time.sleep(waits.Silence.SECONDS)
        assert call(*CHECK).status_code == 200


def test_fault_6_a_silent_report_may_have_been_recorded_and_counts_once(call, settings):
    settings.DATABASE_WAITS = {
        **settings.DATABASE_WAITS,
        "calls": waits.Waits(silence=1),
    }
    with through_a_door() as door:
        assert call(*CHECK).status_code == 200
        door.is_open.clear()
        assert (
            "counts once"
            in is_problem(call("/usage", {"events": [one_event()]}), 503)["detail"]
        )
        door.is_open.set()
        time.sleep(waits.Silence.SECONDS)
        call("/usage", {"events": [one_event()]})
    assert UsageEvent.objects.count() == 1


def test_fault_15_a_database_that_is_away_is_503_for_programs_and_people(call, client):
    with through_a_door() as door:
        door.close()
        for path, body in (CHECK, ("/usage", {"events": [one_event()]})):
            answer = call(path, body)
            is_problem(answer, 503)
            assert answer["Retry-After"] == "2"
        client.cookies["sessionid"] = "anything"
        for address in ("/", "/o/acme/usage/", "/admin/"):
            connection.close()
            page = client.get(address)
            assert page.status_code == 503, address
            assert page["Retry-After"] == "2"
            assert page["Content-Type"].startswith("text/html")
            assert "Not available right now" in page.content.decode()
        assert client.get("/readyz").json()["database"] == "unavailable"
        assert client.get("/static/missing").status_code == 404
    assert call(*CHECK).status_code == 200


def test_waits_of_files_and_operators_are_longer(client, acme):
    def kept():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            return cursor.fetchone()[0]

    waits.wait_as(waits.CALLS)
    assert kept() == "5s"
    waits.wait_as(waits.LONG)
    assert kept() == "10min"
    waits.wait_as("")
    assert kept() == "0", "commands wait as long as it takes"
    client.get("/admin/")
    assert kept() == "10min"


def test_fault_5_a_stuck_organization_takes_not_all_threads(call, acme):
    """Twelve reports of an organization whose row is held: some wait for the lock, the
    others are refused without waiting for it.
    """
    import psycopg
    from django.test import Client

    key = make_api_key(acme, scopes="meter", now=timezone.now())

    def report(number):
        started = time.monotonic()
        answer = Client(raise_request_exception=False).post(
            "/api/v1/usage",
            json.dumps({"events": [one_event()]}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        return answer.status_code, time.monotonic() - started

    place = connection.get_connection_params()
    place = {
        key: place[key] for key in ("host", "port", "user", "dbname") if key in place
    }
    with psycopg.connect(**place) as holder:
        holder.execute(HELD, [acme.pk])
        answers = run_together(12, report)
    assert {status for status, _seconds in answers} == {503}
    waited = [seconds for _status, seconds in answers if seconds > 1.9]
    assert len(waited) <= 3
