"""24 threads record against one cap on PostgreSQL: counted once, clean books, nothing
authorized after the cap (E3, E6, E8).
"""

from __future__ import annotations

import pytest
from django.db.models import Sum

from billing.funding.promises import sign_authorization
from billing.funding.queries import standing_of
from billing.funding.rules.decision import decide
from billing.metering.actions import recording
from billing.metering.actions.recording import record_usage
from billing.models import (
    IncludedWindow,
    MemberMonth,
    OrganizationMonth,
    UsageDay,
    UsageEvent,
)
from config.kit.money import usd
from tests.concurrency.threads import run_together, shows_in
from tests.factories.people import make_cast
from tests.factories.usage import enable_extra_usage, event

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THREADS, EACH, TRIES = 24, 10, 20


@pytest.fixture
def acme(transactional_db, _seeded, now):
    """Acme with a $2 cap for the whole organization and Bob's included usage gone."""
    organization = make_cast(now=now)
    enable_extra_usage(organization, cap="2")
    return organization


def check_and_charge(acme, bob, number, *, now):
    """What a gateway does ten times: ask, and where allowed report ten cents, with the
    same id sent twice.
    """
    allowed = 0
    for attempt in range(EACH):
        decision = decide(standing_of(bob.pk, organization_id=acme.pk, now=now))
        if not decision.allowed:
            continue
        allowed += 1
        token = sign_authorization(
            decision.funding, organization_id=acme.pk, membership_id=bob.pk, now=now
        )
        sent = event(
            bob, id=f"{number}-{attempt}", at=now, usd="0.10", authorization=token
        )
        record_usage([sent], organization_id=acme.pk, now=now)
        record_usage([sent], organization_id=acme.pk, now=now)
    return allowed


def books_are_clean() -> bool:
    """Whether every counter equals the sum of the events."""
    events = UsageEvent.objects.filter(funding="extra_usage").aggregate(
        sum=Sum("cost_nanos")
    )["sum"]
    months = OrganizationMonth.objects.aggregate(
        sum=Sum("extra_nanos"), events=Sum("events")
    )
    members = MemberMonth.objects.aggregate(sum=Sum("extra_nanos"))["sum"]
    days = UsageDay.objects.aggregate(sum=Sum("extra_nanos"))["sum"]
    included = UsageEvent.objects.filter(funding="included").aggregate(
        sum=Sum("cost_nanos")
    )["sum"]
    windows = set(IncludedWindow.objects.values_list("used_nanos", flat=True))
    return (
        events == months["sum"] == members == days
        and months["events"] == UsageEvent.objects.count()
        and windows == {included}
    )


def test_e3_e6_e8_every_event_is_counted_once_and_nothing_is_authorized_after_the_cap(
    acme, bob, now
):
    record_usage([event(bob, usd="1.00", at=now)], organization_id=acme.pk, now=now)
    allowed = run_together(
        THREADS, lambda number: check_and_charge(acme, bob, number, now=now)
    )
    assert UsageEvent.objects.count() == 1 + sum(allowed)
    spent = OrganizationMonth.objects.get().extra_nanos
    assert spent == sum(allowed) * usd("0.10")
    # The cap may be passed by the requests in flight when it was reached, one a thread at most.
    assert usd(2) <= spent < usd(2) + THREADS * usd("0.10")
    assert (
        decide(standing_of(bob.pk, organization_id=acme.pk, now=now)).reason
        == "organization_cap_reached"
    )
    assert books_are_clean()


def test_e5_without_authorizations_the_cap_is_exact(acme, bob, now):
    """The recorder decides under the lock, so exactly the event that reaches the cap is
    the last one checked.
    """
    record_usage([event(bob, usd="1.00", at=now)], organization_id=acme.pk, now=now)

    def charge(number):
        for attempt in range(EACH):
            record_usage(
                [event(bob, id=f"{number}-{attempt}", at=now, usd="0.30")],
                organization_id=acme.pk,
                now=now,
            )

    run_together(THREADS, charge)
    # 6 × $0.30 < $2
    assert (
        UsageEvent.objects.filter(funding_why="checked", funding="extra_usage").count()
        == 7
    )
    assert UsageEvent.objects.count() == 1 + THREADS * EACH
    assert books_are_clean()


def test_control_without_the_lock_more_is_funded_by_check_than_the_cap_allows(
    acme, bob, now, monkeypatch
):
    """The same as above with the lock taken away: stale readings let further events
    through. Each try in a month of its own.
    """
    monkeypatch.setattr(recording, "_lock_sql", lambda opener: _without_lock(opener))

    def more_is_funded(at) -> bool:
        record_usage([event(bob, usd="1.00", at=at)], organization_id=acme.pk, now=at)

        def charge(number):
            for attempt in range(EACH):
                sent = event(
                    bob, id=f"{at:%Y-%m}-{number}-{attempt}", at=at, usd="0.30"
                )
                record_usage([sent], organization_id=acme.pk, now=at)

        run_together(THREADS, charge)
        funded = UsageEvent.objects.filter(
            occurred_at=at, funding_why="checked", funding="extra_usage"
        )
        return funded.count() > 7

    months = (
        now.replace(year=now.year + number // 12, month=number % 12 + 1)
        for number in range(12, 12 + TRIES)
    )
    assert shows_in(more_is_funded(at) for at in months)


original_lock_sql = recording._lock_sql


def _without_lock(opener: str) -> str:
    return original_lock_sql(opener).removesuffix(" FOR NO KEY UPDATE OF o")
