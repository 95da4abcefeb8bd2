"""What the package no longer lists: told to operators, and never lost for what it priced
(M2).
"""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.actions.audit import Actor
from accounts.models import AuditEntry
from billing.metering.actions.recording import record_usage
from billing.models import ModelPrice, PriceFactor, UsageEvent
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, sync_prices
from billing.prices.actions.syncing import factor_row, price_row
from billing.prices.queries import read_price_book
from billing.prices.queries.listed import fallback_rates
from billing.prices.queries.published import PACKAGE, PublishedFactor
from billing.prices.rules import PricedModel, Usage
from tests.factories.usage import event

GONE = ("anthropic", "claude-gone-1", SINCE_ALWAYS, 0)
# A start date, a context tier and a way of charging that the package took back.
LATER = ("anthropic", "claude-sonnet-5", dt.date(2026, 9, 1), 0)
TIER = ("anthropic", "claude-sonnet-5", SINCE_ALWAYS, 100_000)
UNHELD = ("deepseek", "deepseek-chat", SINCE_ALWAYS, 0)
ACTOR = Actor(label="test")


def listed_before(*keys, now):
    """Prices that an earlier version of the package had, at odd rates."""
    rates = dict.fromkeys(fallback_rates(), 7_000_000_000)
    for key in keys:
        price_row(key, rates=rates, source="package", now=now).save()


def in_force(key) -> bool:
    names = ("provider", "model", "starts_on", "context_above")
    filters = dict(zip(names, key, strict=True))
    return ModelPrice.objects.in_force().filter(**filters).exists()


def test_m2_what_the_package_took_back_of_a_model_it_has_is_superseded(acme, bob, now):
    listed_before(LATER, TIER, UNHELD, now=now)
    record_usage([event(bob, at=now)], organization_id=acme.pk, now=now)
    priced_by = UsageEvent.objects.get().price
    assert priced_by.input_nanos == 7_000_000_000
    changes = sync_prices(actor=ACTOR, now=now)
    assert sorted(changes.retired) == sorted([LATER, TIER, UNHELD])
    assert not any(in_force(key) for key in (LATER, TIER, UNHELD))
    priced_by.refresh_from_db()
    assert priced_by.superseded_at == now, "a row that priced an event stays"
    rates, estimated = read_price_book().rates_for(
        PricedModel("anthropic", "claude-sonnet-5"),
        on=dt.date(2026, 11, 1),
        total_input=200_000,
    )
    assert (rates.input_nanos, estimated) == (2_000_000_000, False)
    told = AuditEntry.objects.filter(organization=acme, action="prices.sync")
    assert {entry.subject for entry in told} == {"claude-sonnet-5"}
    assert sync_prices(actor=ACTOR, now=now).is_any is False


def test_m2_a_model_the_package_no_longer_has_keeps_its_last_price_and_is_told(db, now):
    listed_before(GONE, now=now)
    for _again in range(2):
        changes = sync_prices(actor=ACTOR, now=now)
        assert (changes.dropped, changes.retired, changes.is_any) == ([GONE], [], False)
    charge = read_price_book().charge_of(
        Usage(1_000_000), model="claude-gone-1", occurred_at=now
    )
    assert (charge.cost_nanos, charge.estimated) == (7_000_000_000, False)
    output = io.StringIO()
    call_command("sync_prices", stdout=output)
    said = output.getvalue()
    assert "no longer listed, its last price stays: anthropic/claude-gone-1" in said
    assert "0 retired, 1 no longer listed" in said


def test_m2_the_command_says_what_was_retired(db, now):
    listed_before(TIER, now=now)
    output = io.StringIO()
    call_command("sync_prices", stdout=output)
    assert (
        "retired, the package took it back: anthropic/claude-sonnet-5, above 100,000"
        " input tokens" in output.getvalue()
    )


def test_m2_an_operators_price_is_never_retired(db, now):
    rates = fallback_rates()
    for key in (LATER, GONE):
        correct_price(key, rates=rates, actor=ACTOR, now=now)
    changes = sync_prices(actor=ACTOR, now=now)
    assert (changes.retired, changes.dropped) == ([], [])
    assert in_force(LATER) and in_force(GONE)


def test_m3a_a_factor_published_no_longer_is_retired(db, now):
    kept = ("service_tier", "batch", "anthropic/claude-gone-1", SINCE_ALWAYS)
    gone = ("speed", "fast", "anthropic/claude-sonnet-5", SINCE_ALWAYS)
    for key in (kept, gone):
        factor = PublishedFactor(*key, 7_000_000, PACKAGE)
        factor_row(factor, source="published", now=now).save()
    changes = sync_prices(actor=ACTOR, now=now)
    assert changes.retired_factors == ["speed=fast anthropic/claude-sonnet-5"]
    odd = PriceFactor.objects.in_force().filter(millionths=7_000_000)
    assert [row.pattern for row in odd] == ["anthropic/claude-gone-1"]


@pytest.mark.parametrize(
    ("listing", "shown", "hidden"),
    [
        ("current", "claude-sonnet-5", ("claude-gone-1", "gemini-2.0-flash-lite")),
        ("dropped", "claude-gone-1", ("claude-sonnet-5", "gemini-2.0-flash-lite")),
        ("ended", "gemini-2.0-flash-lite", ("claude-gone-1", "claude-sonnet-5")),
    ],
)
def test_m2_operators_see_which_prices_are_current(
    admin_client, now, listing, shown, hidden
):
    listed_before(GONE, now=now)
    page = reverse("admin:billing_modelprice_changelist")
    for model in (shown, *hidden):
        answer = admin_client.get(page, {"listing": listing, "q": model})
        found = {price.model for price in answer.context["cl"].result_list}
        assert (model in found) == (model == shown)
    label = {"dropped": "No longer listed", "ended": "Ended", "current": "Current"}
    answer = admin_client.get(page, {"q": shown}).content.decode()
    assert f'<td class="field-listing">{label[listing]}</td>' in answer


def test_m4a_a_name_is_offered_current_models_only(admin_client, now):
    listed_before(GONE, now=now)
    page = admin_client.get(reverse("admin:billing_unknownmodel_changelist"))
    prices = page.context["prices"]
    assert "anthropic/claude-sonnet-5" in prices
    assert not {"anthropic/claude-gone-1", "google/gemini-2.0-flash-lite"} & set(prices)
