"""reprice_events books differences as adjustments, once, and keeps the books clean (M4, E8)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core import mail as django_mail

from accounts.actions.audit import Actor
from accounts.audit import audit_row
from accounts.delivery import deliver
from accounts.models import AuditEntry, OutgoingMail
from billing.books import differences
from billing.metering.actions import repricing
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.rules.events import ReportedEvent
from billing.metering.tasks import tell_of_repricing
from billing.models import (
    OrganizationMonth,
    RepricingReason,
    UsageAdjustment,
    UsageEvent,
)
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, enter_factor
from billing.prices.queries.listed import fallback_rates
from billing.prices.queries.published import PublishedFactor
from billing.prices.rules import Usage
from billing.reports.queries.groups import usage_report
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
        ("anthropic", model, SINCE_ALWAYS, 0),
        rates=rates,
        actor=Actor(label="operator"),
        now=dt.datetime.now(dt.UTC),
    )


def test_m4_a_model_that_got_a_price_is_adjusted_in_the_open_month(used, acme, now):
    price("mystery-1", input_nanos=usd(3))
    done = reprice_events(now=now + LATER)
    assert (done.adjusted, done.nanos) == (1, usd(-12))
    adjustment = UsageAdjustment.objects.get()
    assert (adjustment.event.event_id, adjustment.month_on) == (
        "u",
        dt.date(2026, 12, 1),
    )
    assert UsageEvent.objects.get(event_id="u").cost_nanos == usd(15), (
        "the event is never edited"
    )
    december = OrganizationMonth.objects.get(month_on=dt.date(2026, 12, 1))
    assert (december.extra_nanos, december.events) == (usd(-12), 0)
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


def test_m4_every_event_that_would_be_priced_otherwise_is_found(acme, bob, now):
    """bugs: otari#407. An earlier start, a tier, a row of its own."""
    enable_extra_usage(acme)
    usage = Usage(300_000, 0)
    models = ("claude-opus-4-6", "claude-opus-4-8", "claude-opus-5-20990101")
    record_usage(
        [
            ReportedEvent(model, bob.user.email, "claude", model, now, usage)
            for model in models
        ],
        organization_id=acme.pk,
        now=now,
    )
    rates = {**fallback_rates(), "input_nanos": usd(1)}
    rows = [
        ("claude-opus-4-6", dt.date(2026, 11, 1), 0),
        ("claude-opus-4-8", SINCE_ALWAYS, 200_000),
        ("claude-opus-5-20990101", SINCE_ALWAYS, 0),
    ]
    for row in rows:
        correct_price(
            ("anthropic", *row), rates=rates, actor=Actor(label="operator"), now=now
        )
    dry = reprice_events(now=now, dry_run=True)
    assert (dry.events, dry.adjusted) == (3, 3)
    assert dry.by_organization == {"acme": (3, 3 * (usd("0.3") - usd("1.5")))}
    assert not UsageAdjustment.objects.exists()
    assert reprice_events(now=now).adjusted == 3
    assert not list(differences())


def test_m4_a_factor_that_comes_in_is_booked_with_its_reason(acme, bob, now):
    enable_extra_usage(acme)
    fast = ReportedEvent(
        "f",
        bob.user.email,
        "claude",
        "claude-sonnet-5",
        now,
        Usage(1_000_000, 0),
        conditions={"speed": "warp"},
    )
    record_usage([fast], organization_id=acme.pk, now=now)
    assert UsageEvent.objects.get().estimated
    factor = PublishedFactor(
        "speed", "warp", "anthropic/claude-sonnet-*", SINCE_ALWAYS, 1_500_000, ""
    )
    enter_factor(factor, actor=Actor(label="operator"), now=now)
    assert reprice_events(now=now).nanos == usd(1)
    assert UsageAdjustment.objects.get().reason == "repricing.factor_changed"
    assert not list(differences())


def test_m4_owners_read_what_was_repriced_in_their_activity_and_by_mail(
    used, acme, alice, now
):
    price("mystery-1", input_nanos=usd(3))
    reprice_events(now=now)
    entry = AuditEntry.objects.get(action="usage.repricing")
    assert entry.organization == acme and entry.to_value["nanos"] == usd(-12)
    row = audit_row(entry)
    assert row.after == f"-$12.00: {RepricingReason.MODEL_PRICED.label}"
    assert row.after_nanos == usd(-12)
    mail = OutgoingMail.objects.get(kind="usage.repriced")
    assert mail.user == alice.user
    reprice_events(now=now)
    assert OutgoingMail.objects.filter(kind="usage.repriced").count() == 1
    assert deliver(mail.pk)
    text = django_mail.outbox[-1].body
    assert "$12.00 less for earlier usage" in text
    assert "mystery-1" in text
    assert "prepays" not in text


@pytest.mark.parametrize("then", ["the next run", "the sweep"])
def test_m4_what_a_run_booked_that_died_before_telling_is_told_once(
    used, acme, alice, now, monkeypatch, then
):
    """Item 6: telling follows from the rows."""
    price("mystery-1", input_nanos=usd(3))

    def die(*_args, **_facts):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(repricing, "queue_for_owners", die)
        reprice_events(now=now)
    told = AuditEntry.objects.filter(action="usage.repricing")
    assert UsageAdjustment.objects.exists() and not told.exists()
    later = now + dt.timedelta(hours=2)
    with time_machine.travel(now, tick=False):
        assert tell_of_repricing() == 0, "the run may still go on"
    for _twice in range(2):
        if then == "the sweep":
            with time_machine.travel(later, tick=False):
                tell_of_repricing()
        else:
            reprice_events(now=later)
    assert [audit_row(entry).after_nanos for entry in told] == [usd(-12)]
    mail = OutgoingMail.objects.get(kind="usage.repriced")
    assert (mail.user, mail.facts["nanos"]) == (alice.user, usd(-12))


def test_m4_what_an_earlier_version_told_is_not_told_again(used, acme, now):
    price("mystery-1", input_nanos=usd(3))
    reprice_events(now=now)
    AuditEntry.objects.create(
        organization=acme, at=now, action="usage.repricing", to_value=usd(-12)
    )
    old = AuditEntry.objects.latest("pk")
    assert audit_row(old).after == "-$12.00" and audit_row(old).after_nanos == usd(-12)
    reprice_events(now=now + LATER)
    assert OutgoingMail.objects.filter(kind="usage.repriced").count() == 1


def test_e8_a_report_without_groups_has_days_with_differences_alone(used, acme, now):
    price("mystery-1", input_nanos=usd(3))
    reprice_events(now=now + LATER)
    december = {"start": dt.date(2026, 12, 1), "end": dt.date(2027, 1, 1)}
    [row] = usage_report(acme.pk, **december, group_by="").rows
    assert (row[0], row[6]) == (0, usd(-12))
