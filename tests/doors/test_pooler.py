"""Fault 14: behind PgBouncer, by session or by transaction, checks and reports of many
threads are answered as without it, and no wait is without end.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from billing.books import differences
from billing.models import UsageEvent
from config.kit import waits
from config.kit.sql import read, run
from tests.concurrency.threads import run_together
from tests.doors.pooler import behind_pgbouncer
from tests.factories.people import make_api_key, make_cast
from tests.factories.usage import enable_extra_usage

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.pgbouncer,
    pytest.mark.django_db(transaction=True),
]
THREADS, TURNS = 6, 10


@pytest.fixture
def pooled(tmp_path, settings):
    """Go through PgBouncer in a mode, with settings as by DATABASE_POOL_MODE."""
    settings.ORGANIZATION_PLACES = THREADS
    place = connection.settings_dict
    kept = {"OPTIONS": place["OPTIONS"], "DISABLE_SERVER_SIDE_CURSORS": False}

    def go(mode, *, sessions):
        settings.DATABASE_POOL_MODE = mode
        if mode == "transaction":
            place["OPTIONS"] = {**place["OPTIONS"], "prepare_threshold": None}
            place["DISABLE_SERVER_SIDE_CURSORS"] = True
        return behind_pgbouncer(tmp_path, mode=mode, sessions=sessions)

    yield go
    connection.close()
    place.update(kept)


def send(client, key, path, body):
    """The status of one call, made as a server does."""
    answer = client.post(
        f"/api/v1{path}",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    return answer.status_code


def one_event(name):
    return {
        "id": name,
        "member": "bob@acme.example",
        "surface": "claude",
        "model": "claude-sonnet-4-5",
        "occurred_at": timezone.now().isoformat(),
        "usage": {"input_tokens": 10, "output_tokens": 10},
    }


@pytest.mark.parametrize(
    "mode, sessions", [("session", THREADS + 2), ("transaction", 2)]
)
def test_fault_14_checks_and_reports_of_many_threads_are_all_answered(
    pooled, mode, sessions
):
    acme = make_cast(now=timezone.now())
    enable_extra_usage(acme)
    key = make_api_key(acme, now=timezone.now())
    check = {"member": "bob@acme.example", "surface": "claude", "model": "m"}
    clients = [Client(raise_request_exception=False) for _number in range(THREADS)]

    def work(number):
        codes = []
        for turn in range(TURNS):
            codes.append(send(clients[number], key, "/authorize", check))
            event = one_event(f"{number}-{turn}")
            codes.append(send(clients[number], key, "/usage", {"events": [event]}))
        return codes

    with pooled(mode, sessions=sessions):
        for client in clients:  # each loads its middleware, one after the other
            assert send(client, key, "/authorize", check) == 200
        codes = Counter(code for one in run_together(THREADS, work) for code in one)
    assert codes == {200: 2 * THREADS * TURNS}
    assert UsageEvent.objects.count() == THREADS * TURNS
    assert list(differences()) == []


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_time_outs_hold_in_each_transaction(pooled, mode):
    with pooled(mode, sessions=1):
        waits.wait_as(waits.CALLS)
        ended = pytest.raises(OperationalError, match="statement timeout")
        with ended, transaction.atomic():
            run("SELECT pg_sleep(60)")
        waits.wait_as(waits.LONG)
        with transaction.atomic():
            assert read("SELECT current_setting('lock_timeout')").rows() == [("30s",)]


def test_by_transaction_nobody_inherits_the_time_outs_of_another(pooled):
    with pooled("transaction", sessions=1):
        waits.wait_as(waits.CHECKS)
        with transaction.atomic():
            run("SELECT 1")
        assert read("SELECT current_setting('lock_timeout')").rows() == [("0",)]
