"""reprice_events books differences as adjustments, once, and keeps the books clean (M4, E8)."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.rules.events import ReportedEvent
from billing.models import OrganizationMonth, UsageAdjustment, UsageEvent
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, fallback_rates
from billing.prices.rules import Usage
from config.kit.money import usd
from tests.factories.usage import enable_extra_usage, event

LATER = dt.timedelta(days=20)  # in December


@pytest.fixture
def used(acme, bob, now):
    """An event of an unknown model as extra usage, and one of a known model."""
    enable_extra_usage(acme)
    unknown = ReportedEvent(
        "u", bob.user.email, "claude", "mystery-1", now, Usage(1_000_000, 0)
    )
    record_usage(
        [event(bob, usd="1.00", at=now), unknown, event(bob, usd="2.00", at=now)],
        organization_id=acme.pk,
        now=now,
    )


def price(model, **changes):
    rates = {**fallback_rates(), **changes}
    correct_price(
        (model, SINCE_ALWAYS, 0),
        rates=rates,
        actor=Actor(label="operator"),
        now=dt.datetime.now(dt.UTC),
    )


def test_m4_a_model_that_got_a_price_is_adjusted_in_the_open_month(used, acme, now):
    price("mystery-1", input_nanos=usd(3))
    done = reprice_events(now=now + LATER)
    assert (done.adjusted, done.nanos) == (1, usd(-2))
    adjustment = UsageAdjustment.objects.get()
    assert (adjustment.event.event_id, adjustment.month_on) == (
        "u",
        dt.date(2026, 12, 1),
    )
    assert UsageEvent.objects.get(event_id="u").cost_nanos == usd(5), (
        "the event is never edited"
    )
    december = OrganizationMonth.objects.get(month_on=dt.date(2026, 12, 1))
    assert (december.extra_nanos, december.events) == (usd(-2), 0)
    assert not list(differences())


def test_m4_twice_books_nothing_more_and_a_second_correction_only_its_difference(
    used, now
):
    price("mystery-1", input_nanos=usd(3))
    reprice_events(now=now)
    assert reprice_events(now=now).adjusted == 0
    price("mystery-1", input_nanos=usd(4))
    assert reprice_events(now=now).nanos == usd(1)
    assert not list(differences())


def test_m4_a_corrected_price_is_booked_for_what_it_priced(used, now):
    price("claude-sonnet-5", output_nanos=usd(20))
    done = reprice_events(now=now)
    assert done.by_model == {"claude-sonnet-5": usd(3)}
    assert OrganizationMonth.objects.get().included_nanos == usd(2)
    assert not list(differences())


def test_a_dry_run_books_nothing(used, now):
    price("mystery-1", input_nanos=usd(3))
    assert reprice_events(now=now, dry_run=True).adjusted == 1
    assert not UsageAdjustment.objects.exists()
