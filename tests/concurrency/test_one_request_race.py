"""24 threads report one request under ids of their own on PostgreSQL: it is recorded once
(X4, E6, E8).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from billing.books import differences
from billing.metering.actions import recording
from billing.metering.actions.recording import record_usage
from billing.models import MemberMonth, UsageAdjustment, UsageEvent
from config.kit.money import usd
from tests.concurrency.test_recording_race import _without_lock
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS, REQUESTS, TRIES = 24, 10, 20


@pytest.fixture
def acme(transactional_db, _seeded, now):
    """Acme with extra usage on."""
    organization = make_cast(now=now)
    enable_extra_usage(organization)
    return organization


def reports(acme, bob, now, *, attempt=0):
    """Each thread reports the same requests under ids of its own; the answers counted."""

    def report(number):
        told = []
        for request in range(REQUESTS):
            sent = replace(
                event(bob, id=f"{attempt}-{number}-{request}", at=now, usd="0.10"),
                request_id=f"req-{attempt}-{request}",
            )
            [result] = record_usage([sent], organization_id=acme.pk, now=now).results
            told.append(result.status)
        return told

    return Counter(chain.from_iterable(run_together(THREADS, report)))


def test_x4_one_request_under_many_ids_is_recorded_once(acme, bob, now):
    assert reports(acme, bob, now) == {
        "recorded": REQUESTS,
        "duplicate": REQUESTS * (THREADS - 1),
    }
    assert UsageEvent.objects.count() == REQUESTS
    assert list(differences()) == []


def test_control_without_the_lock_it_is_recorded_more_than_once(
    acme, bob, now, monkeypatch
):
    monkeypatch.setattr(recording, "_lock_sql", lambda opener: _without_lock(opener))

    def is_recorded_twice(attempt) -> bool:
        return reports(acme, bob, now, attempt=attempt)["recorded"] > REQUESTS

    assert shows_in(is_recorded_twice(attempt) for attempt in range(TRIES))


def test_x4_a_gateway_and_telemetry_at_once_come_to_the_gateways_count(acme, bob, now):
    """Whoever is first: one event, and at most one adjustment."""

    def report(number):
        for request in range(REQUESTS):
            shared = event(bob, id=f"call-{request}", at=now, usd="0.30")
            sent = replace(shared, request_id=f"req-{request}")
            if number % 2:
                telemetry = event(bob, id=f"req-{request}", at=now, usd="0.10")
                sent = replace(
                    telemetry, source="telemetry", request_id=f"req-{request}"
                )
            record_usage([sent], organization_id=acme.pk, now=now)

    run_together(THREADS, report)
    assert UsageEvent.objects.count() == REQUESTS
    by_telemetry = UsageEvent.objects.filter(source="telemetry").count()
    assert UsageAdjustment.objects.count() == by_telemetry
    month = MemberMonth.objects.get()
    assert month.extra_nanos + month.included_nanos == REQUESTS * usd("0.30")
    assert list(differences()) == []
