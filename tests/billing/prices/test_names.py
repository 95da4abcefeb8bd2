"""The names that gateways and clouds give a model find its price (M4a)."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, map_name
from billing.prices.queries import read_price_book
from billing.prices.queries.listed import fallback_rates
from billing.prices.rules import FALLBACK, PricedModel, Usage
from config.kit.errors import BusinessError
from config.kit.money import usd

AT = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
MILLION_EACH = Usage(1_000_000, 1_000_000)
# A million tokens in and out, in USD, by the price list of Anthropic; haiku-5.5 is above
# its context tier.
NAMES = {
    "anthropic.claude-haiku-4-5-20251001-v1:0": 6,
    "us.anthropic.claude-haiku-4-5-20251001-v1:0": 6,
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0": 30 - 1.5,
    "eu.anthropic.claude-opus-4-8-v1": 30,
    "bedrock/anthropic.claude-opus-4-1-20250805-v1:0": 90,
    "bedrock/us.anthropic.claude-sonnet-5": 12,
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
    "us.anthropic.claude-opus-4-6-v1": 30,
    "vertex_ai/claude-sonnet-4-6@20260213": 18,
    "projects/p/locations/global/publishers/anthropic/models/claude-opus-5@default": 30,
    "claude-opus-4-8@20260501": 30,
    "openrouter/anthropic/claude-sonnet-4.6": 18,
    "anthropic/claude-haiku-4.5": 6,
    "anthropic/claude-opus-4.1:thinking": 90,
    "azure_ai/claude-sonnet-5": 12,
    "litellm_proxy/anthropic/claude-opus-5-5": 24,
    "claude-sonnet-5[1m]": 12,
    "claude-opus-5[1m]": 30,
    "claude-sonnet-5-latest": 12,
    "claude-3-5-haiku-latest": 4.8,
    "claude-4.5-haiku": 6,
    "claude-4-6-sonnet-thinking": 18,
    " CLAUDE-OPUS-5 ": 30,
    "claude-mythos-5": 60,
    "claude-fable-5-20260601": 60,
}


@pytest.mark.parametrize("name", NAMES)
def test_m4a_a_name_through_a_gateway_is_priced_as_its_model(db, name):
    charge = read_price_book().charge_of(MILLION_EACH, model=name, occurred_at=AT)
    assert not charge.estimated
    assert charge.cost_nanos == usd(str(NAMES[name]))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gpt-4o-2024-08-06", "openai"),
        ("openai/gpt-5", "openai"),
        ("azure/gpt-4.1", "openai"),
        ("gemini/gemini-2.5-pro", "google"),
        ("vertex_ai/gemini-2.5-flash", "google"),
        ("groq/llama-3.3-70b-versatile", "groq"),
        ("openrouter/meta-llama/llama-3.3-70b-instruct", "openrouter"),
        ("mistral/mistral-large-latest", "mistral"),
        ("xai/grok-4", "x-ai"),
    ],
)
def test_m4a_the_name_tells_the_provider(db, name, model):
    priced = read_price_book().priced_model(name)
    assert (priced.provider, priced.model != FALLBACK) == (model, True), priced


def test_m4a_a_reported_provider_decides_and_the_name_where_it_does_not_help(db):
    book = read_price_book()
    assert book.priced_model("claude-opus-5", "anthropic").provider == "anthropic"
    assert book.priced_model("gpt-5", "azure").provider in ("azure", "openai")
    assert book.priced_model("claude-opus-5", "acme-gateway").path == (
        "anthropic/claude-opus-5"
    )
    at_bedrock = book.priced_model("anthropic.claude-opus-4-8", "bedrock")
    assert at_bedrock.model != FALLBACK


@pytest.mark.parametrize("name", ["claude-opus-4-10", "claude-opus-5-fast", "claude-x"])
def test_m4a_a_longer_name_is_not_priced_as_the_model_it_begins_with(db, name):
    assert read_price_book().priced_model(name) == PricedModel("anthropic", FALLBACK)


def test_m4_an_unknown_model_is_charged_the_dearest_rates_of_the_provider_told(db):
    book = read_price_book()
    assert book.priced_model("mystery-1") == PricedModel("anthropic", FALLBACK)
    assert book.priced_model("gpt-99").provider == "openai"
    dearest = max(
        rates.output_nanos
        for model, history in book.histories.items()
        if model.provider == "anthropic" and model.model != FALLBACK
        for rates in history.tiers[-1]
    )
    charge = book.charge_of(Usage(0, 1_000_000), model="mystery-1", occurred_at=AT)
    assert (charge.cost_nanos, charge.estimated) == (dearest, True)


def test_m4a_an_operator_maps_a_name_in_every_spelling(db, now):
    sonnet = PricedModel("anthropic", "claude-sonnet-5")
    actor = Actor(label="operator")
    map_name("acme/our-best-v1:0", same_as=sonnet, actor=actor, now=now)
    book = read_price_book()
    for name in ("our-best", "Acme/Our-Best-v1:0", "acme.our-best@20260101"):
        assert book.priced_model(name) == sonnet


def test_m4a_a_name_is_not_mapped_to_what_has_no_price(db, now):
    nothing = PricedModel("anthropic", "claude-nothing")
    with pytest.raises(BusinessError, match="no model"):
        map_name("ours", same_as=nothing, actor=Actor(label="operator"), now=now)


def test_m4a_a_price_entered_for_one_provider_takes_no_other_providers_names(db, now):
    correct_price(
        ("google", "claude-opus-4-5", SINCE_ALWAYS, 0),
        rates=fallback_rates(),
        actor=Actor(label="operator"),
        now=now,
    )
    book = read_price_book()
    assert book.priced_model("claude-opus-4-5").provider == "anthropic"
    assert book.priced_model("claude-opus-4-5", "google").provider == "google"


def test_m4a_a_price_entered_for_a_name_nobody_knows_is_found_without_a_provider(
    db, now
):
    correct_price(
        ("acme", "our-best", SINCE_ALWAYS, 0),
        rates=fallback_rates(),
        actor=Actor(label="operator"),
        now=now,
    )
    assert read_price_book().priced_model("our-best") == PricedModel("acme", "our-best")


@pytest.mark.parametrize("region", ["us", "eu"])
def test_m2_bedrocks_regional_profiles_have_their_own_price(db, region):
    name = f"{region}.anthropic.claude-sonnet-4-5-20250929-v1:0"
    usage = Usage(1_000, 1_000)
    charge = read_price_book().charge_of(
        usage, model=name, provider="bedrock", occurred_at=AT
    )
    assert (charge.cost_nanos, charge.estimated) == (usd("0.0198"), False)


@pytest.mark.parametrize("name", ["deepseek-chat", "deepseek-reasoner"])
def test_m4_a_fallback_is_not_below_models_whose_price_no_row_can_hold(db, name):
    fallback = fallback_rates("deepseek")
    charge = read_price_book().charge_of(Usage(1_000_000), model=name, occurred_at=AT)
    assert charge.estimated
    assert charge.cost_nanos == fallback["input_nanos"] >= usd("0.55")
