"""A model that only a gateway's correction names (X4) is among the unknown ones, and is
repriced by its name (M4).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.urls import reverse

from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.queries.unknown import spellings_in_use, unknown_models
from billing.metering.rules.events import ReportedEvent
from billing.models import UsageAdjustment, UsageEvent
from billing.prices.queries import read_price_book
from billing.prices.rules import Usage
from config.kit.money import usd
from tests.customer.conftest import seen_in
from tests.factories.usage import enable_extra_usage

PAGE = "admin:billing_unknownmodel_changelist"
NAME = "acme/best-v1:0"


@pytest.fixture
def corrected(acme, bob, now):
    """Telemetry named a model with a price, the gateway after it one that has none."""
    enable_extra_usage(acme)
    told = ReportedEvent(
        "t", bob.user.email, "claude", "claude-sonnet-5", now, Usage(500_000)
    )
    told = replace(told, source="telemetry", request_id="req_1")
    word = replace(told, id="g", model=NAME, usage=Usage(1_000_000), source="gateway")
    for event in (told, word):
        record_usage([event], organization_id=acme.pk, now=now)
    assert UsageAdjustment.objects.get().amount_nanos == usd(14)


def test_m4_it_is_listed_with_what_it_costs(corrected, now):
    [row] = unknown_models(read_price_book())
    assert (row.model, row.events, row.organizations) == (NAME, 1, 1)
    assert (row.cost_nanos, row.first_at, row.last_at) == (usd(15), now, now)
    assert NAME in spellings_in_use("best")


def test_m4a_its_name_reprices_it_once(corrected, admin_client, now):
    same = {"name": NAME, "same_as": "anthropic/claude-sonnet-5"}
    shown = admin_client.post(reverse(PAGE), same)
    sent = {**same, "seen": seen_in(shown), "reason": "T 7"}
    done = admin_client.post(reverse(PAGE), sent, follow=True)
    assert "1 event was adjusted" in done.content.decode()
    booked = sum(UsageAdjustment.objects.values_list("amount_nanos", flat=True))
    assert UsageEvent.objects.get().cost_nanos + booked == usd(2)
    assert unknown_models(read_price_book()) == []
    assert reprice_events(now=now, models=[NAME]).adjusted == 0
    assert not list(differences())


def test_m4_other_names_leave_it_alone(corrected, now):
    assert reprice_events(now=now, models=["other"]).events == 0
    assert reprice_events(now=now, models=[NAME]).events == 1
