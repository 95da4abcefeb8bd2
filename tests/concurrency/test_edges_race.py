"""A batch that waits while an owner changes at what people are told is judged by the
change, on PostgreSQL: what was chosen before it was recorded holds (N1).
"""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from accounts.actions.audit import Actor
from accounts.actions.organizations import lock_organization
from billing.metering.actions.recording import record_usage
from billing.models import Notice, SeatAllowance
from billing.notices.actions.soft_limits import add_soft_limit
from config.kit.money import usd
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def acme(transactional_db, _seeded, now):
    """Acme, where all usage is extra."""
    organization = make_cast(now=now)
    SeatAllowance.objects.filter(plan=organization.plan).delete()
    enable_extra_usage(organization, cap="1000")
    return organization


def wait_for_a_waiter() -> None:
    """Until another session waits for a lock that this one holds."""
    for _try in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_locks WHERE NOT granted"
                " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone():
                return
        time.sleep(0.05)
    pytest.fail("nobody waits")


def test_n1_a_soft_limit_set_while_a_batch_waits_is_told_by_that_batch(acme, bob, now):
    def record() -> None:
        try:
            sent = event(bob, at=now, usd="50")
            record_usage([sent], organization_id=acme.pk, now=now)
        finally:
            connection.close()

    recorder = threading.Thread(target=record)
    with transaction.atomic():
        lock_organization(acme.pk)
        recorder.start()
        wait_for_a_waiter()
        add_soft_limit(
            acme,
            level="organization",
            amount_nanos=usd(40),
            actor=Actor(label="alice"),
            now=now,
        )
    recorder.join(timeout=30)
    assert list(Notice.objects.values_list("kind", "edge")) == [("soft_limit", usd(40))]
