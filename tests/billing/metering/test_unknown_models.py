"""Operators say what an unknown model is the same as, and see first what it books (M4)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.models import AuditEntry
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.metering.rules.events import ReportedEvent
from billing.models import ModelAlias, UsageAdjustment
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, enter_factor
from billing.prices.queries.listed import fallback_rates
from billing.prices.queries.published import PublishedFactor
from billing.prices.rules import Usage
from config.kit.money import usd
from tests.customer.conftest import seen_in, text_of
from tests.factories.usage import enable_extra_usage

PAGE = "admin:billing_unknownmodel_changelist"


@pytest.fixture
def used(acme, bob, now):
    """A million tokens of a name nobody has a price for, as extra usage."""
    enable_extra_usage(acme)
    event = ReportedEvent(
        "u", bob.user.email, "claude", "acme/best-v1:0", now, Usage(1_000_000)
    )
    record_usage([event], organization_id=acme.pk, now=now)


def test_m4_unknown_models_are_a_list_with_what_they_cost(used, admin_client):
    page = admin_client.get(reverse(PAGE)).content.decode()
    assert "acme/best-v1:0" in page
    assert "$15.00" in page


def test_m4a_a_press_shows_what_it_would_book_and_the_next_books_it(used, admin_client):
    same = {"name": "acme/best-v1:0", "same_as": "anthropic/claude-sonnet-5"}
    shown = admin_client.post(reverse(PAGE), same)
    assert "1 event would be adjusted, -$13.00" in text_of(shown)
    assert not UsageAdjustment.objects.exists()
    assert not ModelAlias.objects.filter(name="best").exists()
    sent = {**same, "seen": seen_in(shown)}
    assert "Give a reason" in text_of(admin_client.post(reverse(PAGE), sent))
    assert not ModelAlias.objects.filter(name="best").exists()
    done = admin_client.post(reverse(PAGE), {**sent, "reason": "T 7"}, follow=True)
    entry = AuditEntry.objects.get(action="prices.name", organization=None)
    assert (entry.to_value, entry.reason) == ("anthropic/claude-sonnet-5", "T 7")
    assert "1 event was adjusted" in done.content.decode()
    adjustment = UsageAdjustment.objects.get()
    assert adjustment.amount_nanos == usd(-13)
    assert adjustment.reason == "repricing.name_mapped"
    assert "Every model has a price." in done.content.decode()
    assert not list(differences())


@pytest.mark.parametrize("typed", ["anthropic/claude-nothing", "sonnet", ""])
def test_m4a_what_has_no_price_is_refused_at_the_field(used, admin_client, typed):
    sent = {"name": "acme/best-v1:0", "same_as": typed, "reason": "T 7"}
    page = admin_client.post(reverse(PAGE), sent)
    assert list(page.context["form"].errors) == ["same_as"]
    assert page.status_code == 422
    assert not UsageAdjustment.objects.exists()


def test_unknown_models_are_for_operators_who_may(used, client, django_user_model):
    staff = django_user_model.objects.create_user(
        email="staff@example.com", password="x", is_staff=True
    )
    client.force_login(staff)
    assert client.get(reverse(PAGE)).status_code == 403


def test_m4a_a_press_reprices_every_spelling_of_the_name(
    used, acme, bob, admin_client, now
):
    spellings = ("Acme/Best-v1:0", "best", " vendor/BEST@20260101")
    events = [
        ReportedEvent(name, bob.user.email, "claude", name, now, Usage(1_000_000))
        for name in spellings
    ]
    record_usage(events, organization_id=acme.pk, now=now)
    same = {"name": spellings[2], "same_as": "anthropic/claude-sonnet-5"}
    shown = admin_client.post(reverse(PAGE), same)
    assert "4 events would be adjusted, -$52.00" in text_of(shown)
    sent = {**same, "reason": "T 7", "seen": seen_in(shown)}
    admin_client.post(reverse(PAGE), sent)
    assert UsageAdjustment.objects.count() == 4
    assert not list(differences())


def test_m4_models_at_a_fallback_that_an_operator_corrected_are_listed(
    acme, bob, admin_client, now
):
    rates = {**fallback_rates(), "input_nanos": usd(20)}
    key = ("anthropic", "", SINCE_ALWAYS, 0)
    correct_price(key, rates=rates, actor=Actor(label="operator"), now=now)
    event = ReportedEvent(
        "n", bob.user.email, "claude", "quite-new", now, Usage(1_000_000)
    )
    record_usage([event], organization_id=acme.pk, now=now)
    page = admin_client.get(reverse(PAGE)).content.decode()
    assert "quite-new" in page and "$20.00" in page


def test_m3a_a_missing_factor_is_listed_until_it_is_entered(
    acme, bob, admin_client, now
):
    event = ReportedEvent(
        "w",
        bob.user.email,
        "claude",
        "claude-sonnet-5",
        now,
        Usage(1),
        conditions={"speed": "warp"},
    )
    record_usage([event], organization_id=acme.pk, now=now)
    assert "speed: warp" in admin_client.get(reverse(PAGE)).content.decode()
    factor = PublishedFactor(
        "speed", "warp", "anthropic/*", SINCE_ALWAYS, 1_500_000, ""
    )
    enter_factor(factor, actor=Actor(label="operator"), now=now)
    assert "speed: warp" not in admin_client.get(reverse(PAGE)).content.decode()
