"""A host whose clock is wrong places nothing, checks nothing and says so; what the
database has closed stays closed whatever any clock says (P1, faults 1 and 20).
"""

from __future__ import annotations

import datetime as dt
import json
import logging

import pytest
from django.db import connection, transaction
from django.utils import timezone
from prometheus_client import REGISTRY

from accounts.actions.organizations import lock_organization
from billing.books import differences
from billing.documents.closing import close_due
from billing.funding.queries import standing_of
from billing.ledger.actions import post_entry
from billing.metering.actions.recording import record_usage
from billing.metering.rules.placement import place
from billing.models import EntryKind, LedgerEntry, MemberMonth, UsageEvent
from config.health import forget_readiness
from config.kit import clock
from config.kit.clock import ClockIsOff, HostClock, database_now
from config.kit.money import usd
from config.kit.months import Calendar
from tests.factories.documents import CLOSES, use, use_november
from tests.factories.people import make_api_key, make_cast
from tests.factories.usage import event

NOVEMBER, DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
MINUTE = dt.timedelta(minutes=1)
DATABASE_SAYS = pytest.mark.database_clock
OFF = pytest.mark.parametrize(
    "off", [10 * -MINUTE, 600 * MINUTE], ids=["10 min behind", "10 h ahead"]
)


@pytest.fixture
def host(time_machine):
    """Set this host's clock off the database's, which is right."""
    right = timezone.now()
    clock._next_line_at[0] = 0
    return lambda off: time_machine.move_to(right + off, tick=True)


@pytest.fixture
def post(client, db):
    """Post JSON with a key of Acme, which is as young as this test."""
    now = timezone.now()
    key = make_api_key(make_cast(now=now), scopes="meter", now=now)

    def send(path, body):
        return client.post(
            f"/api/v1{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


def reported(at):
    """One event of Bob at a moment."""
    return {
        "events": [
            {
                "id": "req-1",
                "member": "bob@acme.example",
                "surface": "claude",
                "model": "claude-sonnet-5",
                "occurred_at": at.isoformat(),
                "usage": {"input_tokens": 1000},
            }
        ]
    }


@DATABASE_SAYS
@pytest.mark.postgres
@OFF
def test_fault_20_events_on_a_host_that_is_off_are_for_sending_again_never_invalid(
    post, host, off
):
    at = timezone.now()
    host(off)
    answer = post("/usage", reported(at))
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["code"] == "clock_off" and "clock is off" in said["detail"]
    assert not UsageEvent.objects.exists()
    host(dt.timedelta())
    assert post("/usage", reported(at)).json()["recorded"] == 1


@DATABASE_SAYS
@pytest.mark.postgres
@OFF
def test_fault_20_a_check_on_a_host_that_is_off_is_no_answer(
    post, host, off, django_assert_num_queries
):
    asked = {"member": "bob@acme.example", "surface": "claude"}
    host(dt.timedelta())
    assert post("/authorize", asked).status_code == 200  # the key is known from here on
    host(off)
    with django_assert_num_queries(1):
        answer = post("/authorize", asked)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == "clock_off"


@DATABASE_SAYS
@pytest.mark.postgres
@OFF
def test_fault_20_a_host_that_is_off_says_so_in_readyz_metrics_and_log(
    client, db, host, off, settings, tmp_path, caplog
):
    settings.REDIS_URL, settings.QUEUE_DIR = "", tmp_path
    host(dt.timedelta())
    assert client.get("/readyz").json()["clock"] == "ok"
    forget_readiness()
    host(off)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/readyz")
        client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["clock"] == f"off by {off.total_seconds():+.0f} seconds"
    said = [one for one in caplog.records if "clock.off" in one.getMessage()]
    assert len(said) == 1  # a minute
    client.get("/metrics")
    skew = REGISTRY.get_sample_value("extra_usage_clock_skew_seconds")
    assert skew == pytest.approx(off.total_seconds(), abs=1)
    assert b"extra_usage_clock_skew_seconds" in client.get("/metrics").content


@DATABASE_SAYS
@pytest.mark.postgres
def test_p1_how_far_ahead_an_event_is_is_judged_by_the_databases_clock(post, host):
    """An event 4:40 ahead on a host that is 50 seconds behind."""
    at = timezone.now() + dt.timedelta(minutes=4, seconds=40)
    host(-dt.timedelta(seconds=50))
    assert post("/usage", reported(at)).json()["recorded"] == 1


@DATABASE_SAYS
def test_waiting_for_a_lock_makes_no_clock_wrong(host):
    """The database spoke at some moment between asking and hearing."""
    host(dt.timedelta())
    asked = HostClock.read()
    host(10 * MINUTE)
    for waited in (0 * MINUTE, 5 * MINUTE, 9 * MINUTE):
        assert asked.agree(asked.asked_at + waited) == asked.asked_at
    with pytest.raises(ClockIsOff, match="90 seconds ahead of"):
        asked.agree(asked.asked_at - dt.timedelta(seconds=90))
    with pytest.raises(ClockIsOff, match="behind"):
        asked.agree(asked.asked_at + 12 * MINUTE)


@DATABASE_SAYS
def test_the_databases_clock_is_the_hosts_where_both_are_right(db):
    before = timezone.now()
    assert before <= database_now() <= timezone.now()


def test_p1_what_is_closed_takes_nothing_whatever_the_clock_says():
    """`now` in a closed month: before its end (closed too early), and far behind."""
    calendar = Calendar("UTC")
    inside = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    for occurred_at in (inside, inside - dt.timedelta(days=60)):
        for closed_through, first_open in (
            (dt.date(2026, 10, 1), NOVEMBER),
            (NOVEMBER, DECEMBER),
            (DECEMBER, dt.date(2027, 1, 1)),
        ):
            placed = place(
                occurred_at,
                now=inside,
                month=calendar.month_at(inside),
                calendar=calendar,
                closed_through=closed_through,
            )
            assert placed.month_on == first_open
            assert placed.day_on == (
                dt.date(2026, 11, 20) if first_open == NOVEMBER else first_open
            )


@pytest.fixture
def closed_too_early(acme, bob, now):
    """Acme, whose November was closed on the 23rd."""
    use_november(acme, at=now)
    close_due(acme.pk, now=CLOSES)
    return acme


def test_fault_1_after_a_close_that_came_too_early_events_go_to_the_first_open_month(
    closed_too_early, bob, now
):
    later = now + MINUTE
    [result] = record_usage(
        [event(bob, id="next", usd="3", at=later)],
        organization_id=closed_too_early.pk,
        now=later,
    ).results
    assert (result.status, result.funding) == ("recorded", "extra_usage")
    kept = UsageEvent.objects.get(event_id="next")
    assert (kept.month_on, kept.day_on, kept.occurred_at) == (DECEMBER, DECEMBER, later)
    assert list(differences()) == []


def test_fault_1_caps_hold_in_the_month_that_takes_the_events(
    closed_too_early, bob, now
):
    """A check reads the counters that the charges go to."""
    later = now + MINUTE
    use(closed_too_early, "bob", "3", at=later, id="next")
    spent = MemberMonth.objects.get(membership=bob, month_on=DECEMBER).extra_nanos
    standing = standing_of(bob.pk, organization_id=closed_too_early.pk, now=later)
    assert standing.spent_nanos == standing.organization.spent_nanos == spent == usd(3)
    assert standing.organization.month.first_on == DECEMBER


def test_fault_1_what_is_bought_counts_to_the_first_open_month_too(acme, now):
    use_november(acme, at=now)
    close_due(acme.pk, now=CLOSES)
    with transaction.atomic():
        locked = lock_organization(acme.pk)
        credit = {"kind": EntryKind.CREDIT, "amount_nanos": usd(5), "reason": "Why"}
        post_entry(locked, now=now, **credit)
    assert LedgerEntry.objects.get(kind=EntryKind.CREDIT).month_on == DECEMBER
    assert list(differences()) == []


def test_on_sqlite_there_is_one_clock(db):
    if connection.vendor == "sqlite":
        assert clock.DATABASE_CLOCK == "NULL"
