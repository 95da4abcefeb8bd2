"""24 threads bring the organization and one member to 75, 90 and 100 % at once on
PostgreSQL: each threshold is noticed once (N1a).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection

from billing.metering.actions import recording
from billing.metering.actions.recording import record_usage
from billing.models import Notice, SeatAllowance, SpendCap
from billing.notices.actions import writing
from config.kit.money import usd
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS, EACH, TRIES = 24, 5, 20
ONE_EACH = [75, 90, 100]


@pytest.fixture
def acme(transactional_db, _seeded, now):
    """Acme, where all usage is extra; $2.40 for the organization, and for Bob."""
    organization = make_cast(now=now)
    SeatAllowance.objects.filter(plan=organization.plan).delete()
    enable_extra_usage(organization, cap="2.40")
    bob = organization.memberships.get(user__email="bob@acme.example")
    SpendCap.objects.create(
        organization=organization,
        level="member",
        membership=bob,
        amount_nanos=usd("2.40"),
    )
    return organization


def charge_at_once(acme, bob, *, at: dt.datetime) -> None:
    """$3.60 in steps of 1.25 % of the caps."""

    def charge(number: int) -> None:
        for attempt in range(EACH):
            name = f"{at:%Y-%m}-{number}-{attempt}"
            sent = event(bob, id=name, at=at, usd="0.03")
            record_usage([sent], organization_id=acme.pk, now=at)

    run_together(THREADS, charge)


def edges_of(kind: str, at: dt.datetime) -> list[int]:
    notices = Notice.objects.filter(kind=kind, month_on=at.date().replace(day=1))
    return sorted(notices.values_list("edge", flat=True))


def test_n1a_each_threshold_is_noticed_once_for_whom_it_concerns(acme, bob, now):
    charge_at_once(acme, bob, at=now)
    assert edges_of("organization_cap", now) == ONE_EACH
    assert edges_of("member_cap", now) == ONE_EACH


def test_n1a_the_unique_row_holds_without_the_lock_too(acme, bob, now, monkeypatch):
    without_lock(monkeypatch)
    monkeypatch.setattr(writing, "_insert_notices", without_guard)
    found = list[int]()
    for at in months(now, TRIES):
        charge_at_once(acme, bob, at=at)
        edges = edges_of("organization_cap", at)
        assert len(edges) == len(set(edges))
        found += edges
        if len(found) > 2:
            break
    # Without the lock a threshold may be stepped over: nobody's own event reached it.
    assert found


def test_control_without_lock_and_unique_row_a_threshold_is_noticed_several_times(
    acme, bob, now, monkeypatch, no_unique_row
):
    """Each try in a month of its own."""
    without_lock(monkeypatch)
    monkeypatch.setattr(writing, "_insert_notices", without_guard)

    def several(at: dt.datetime) -> bool:
        charge_at_once(acme, bob, at=at)
        edges = Counter(edges_of("organization_cap", at))
        return max(edges.values(), default=0) > 1

    assert shows_in(several(at) for at in months(now, TRIES))


def months(now: dt.datetime, count: int) -> Iterator[dt.datetime]:
    for number in range(12, 12 + count):
        yield now.replace(year=now.year + number // 12, month=number % 12 + 1)


original_lock_sql = recording._lock_sql
original_insert = writing._insert_notices


def without_lock(monkeypatch) -> None:
    monkeypatch.setattr(
        recording,
        "_lock_sql",
        lambda opener: original_lock_sql(opener).removesuffix(
            " FOR NO KEY UPDATE OF o"
        ),
    )


def without_guard(postgresql: bool) -> str:
    """The statement without the look at what is noticed already."""
    before, _guard, _after = original_insert(postgresql).partition("WHERE NOT EXISTS")
    return before + "WHERE true ON CONFLICT DO NOTHING"


@pytest.fixture
def no_unique_row(acme):
    [unique] = [
        one
        for one in Notice._meta.constraints
        if one.name == "one_notice_per_threshold"
    ]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Notice, unique)
    yield
    Notice.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(Notice, unique)
