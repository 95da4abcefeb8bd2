"""16 threads send the same batch of telemetry: it is recorded once (E6, X4)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from billing.books import differences
from billing.models import OrganizationMonth, UsageEvent
from tests.billing.metering.telemetry import (
    JSON,
    PROTOBUF,
    Exporter,
    logs,
    request_log,
)
from tests.concurrency.threads import run_together
from tests.factories.people import make_api_key, make_cast
from tests.factories.usage import enable_extra_usage

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS, RECORDS = 16, 20


@pytest.fixture
def key(transactional_db, _seeded, settings):
    """A key of Acme, whose calls wait for one another instead of being sent away."""
    settings.ORGANIZATION_PLACES = THREADS
    now = timezone.now()
    acme = make_cast(now=now)
    enable_extra_usage(acme)
    return make_api_key(acme, scopes="meter", now=now)


def test_e6_16_threads_with_one_batch_record_it_once(key):
    at = timezone.now() - dt.timedelta(seconds=5)
    batch = logs(
        *(request_log(at=at, request_id=f"r{number}") for number in range(RECORDS))
    )

    def send(number):
        encoding = PROTOBUF if number % 2 else JSON
        exporter = Exporter(Client(), key, encoding=encoding)
        return [exporter.send(batch) for _ in range(2)]

    answers = run_together(THREADS, send)
    assert answers == [[(0, ""), (0, "")]] * THREADS
    assert UsageEvent.objects.count() == RECORDS
    assert OrganizationMonth.objects.get().events == RECORDS
    assert list(differences()) == []
