"""The names that gateways and clouds give a model find its price (M4a)."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.audit import Actor
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, map_name
from billing.prices.queries import read_price_book
from billing.prices.queries.listed import fallback_rates
from billing.prices.queries.package import providers
from billing.prices.rules import FALLBACK, PricedModel, Usage
from config.kit.errors import BusinessError
from config.kit.money import usd

AT = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
MILLION_EACH = Usage(1_000_000, 1_000_000)
# A million tokens in and out, in USD, by the price list of who serves it; in a region,
# Bedrock takes a tenth more.
NAMES = {
    "anthropic.claude-haiku-4-5-20251001-v1:0": 6.6,
    "us.anthropic.claude-haiku-4-5-20251001-v1:0": 6.6,
    "global.anthropic.claude-haiku-4-5-20251001-v1:0": 6,
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0": 18,
    "eu.anthropic.claude-opus-4-8-v1": 33,
    "bedrock/anthropic.claude-opus-4-1-20250805-v1:0": 90,
    "bedrock/us.anthropic.claude-sonnet-5": 13.2,
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
    "us.anthropic.claude-opus-4-6-v1": 33,
    "us.amazon.nova-pro-v1:0": 4,
    "meta.llama3-1-70b-instruct-v1:0": 1.44,
    "openai.gpt-oss-120b-1:0": 0.75,
    "bedrock/converse/us.meta.llama3-3-70b-instruct-v1:0": 1.44,
    "databricks-claude-sonnet-4-5": 28.5,
    "anthropic--claude-4.5-sonnet": 28.5,
    "claude-sonnet-3.7": 18,
    "claude-2": 32,
    "claude-2.1": 32,
    "claude-2-0": 32,
    "anthropic.claude-v2:1": 32,
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


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-4-10",
        "claude-opus-5-fast",
        "claude-x",
        "claude-20",
        "claude-2-5",
        "claude-2.10",
        "claude-2.5",
        "claude-v20",
        "claude-v2-9",
    ],
)
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


def test_m4a_a_price_entered_for_the_maker_is_not_that_of_who_served_it(db, now):
    """Google's own row holds for what Google served, whatever Anthropic's costs."""
    correct_price(
        ("anthropic", "claude-opus-4-5", SINCE_ALWAYS, 0),
        rates=fallback_rates(),
        actor=Actor(label="operator"),
        now=now,
    )
    book = read_price_book()
    assert book.priced_model("claude-opus-4-5").provider == "anthropic"
    assert book.priced_model("claude-opus-4-5", "anthropic").provider == "anthropic"
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


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("groq/openai/gpt-oss-120b", "groq"),
        ("together_ai/zai-org/GLM-5.3", "together"),
        ("openrouter/minimax/minimax-m2.7", "openrouter"),
        ("openrouter/anthropic/claude-opus-5", "openrouter"),
        ("perplexity/glm-5.3", "perplexity"),
        ("@cf/openai/gpt-oss-120b", "cloudflare"),
        ("vertex_ai/claude-opus-5@20260501", "google"),
    ],
)
def test_m4a_the_price_is_that_of_who_serves_the_model_where_the_name_tells(
    db, name, server
):
    book = read_price_book()
    assert book.priced_model(name).provider == server
    assert book.priced_model(name, server) == book.priced_model(name)


def test_m4a_bedrocks_names_are_priced_alike_with_its_name_beside_and_without(db):
    """Every name that the package itself matches at Bedrock."""
    book = read_price_book()
    [aws] = [provider for provider in providers() if provider.id == "aws"]
    found = [model for model in aws.models if aws.find_model(model.id) is model]
    assert len(found) > 80
    for model in found:
        assert book.priced_model(model.id) == PricedModel("aws", model.id)
        assert book.priced_model(model.id, "bedrock") == PricedModel("aws", model.id)


def test_m4_an_unknown_model_of_bedrock_costs_the_dearest_of_bedrock(db):
    priced = read_price_book().priced_model("us.anthropic.claude-nothing-9-v1:0")
    assert priced == PricedModel("aws", FALLBACK)


@pytest.mark.parametrize(
    "name",
    [
        "deepseek/deepseek-r1:free",
        "openrouter/deepseek/deepseek-r1:free",
        "openrouter/moonshotai/kimi-k2.6:free",
        "google/gemini-2.0-flash-exp:free",
        "OPENAI/GPT-OSS-120B:FREE",
    ],
)
def test_m4_what_is_free_by_its_list_costs_nothing_and_is_not_estimated(db, name):
    book = read_price_book()
    for provider in ("", "openrouter"):
        charge = book.charge_of(
            MILLION_EACH, model=name, provider=provider, occurred_at=AT
        )
        assert (charge.cost_nanos, charge.estimated) == (0, False)
    assert book.is_free(name, occurred_at=AT)


def test_m4_what_a_provider_includes_is_free_there_alone(db):
    book = read_price_book()
    assert book.is_free("gpt-4o", provider="github-copilot", occurred_at=AT)
    assert not book.is_free("gpt-4o", occurred_at=AT)
    assert book.is_free("gemma-4-31b-it", provider="google", occurred_at=AT)
    assert book.is_free("omni-moderation-latest", provider="openai", occurred_at=AT)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("acme/nothing:free", ""),
        ("claude-opus-5:free", ""),
        ("gpt-4o:free", "openai"),
        ("deepseek-r1-mini:free", "openrouter"),
        # the package has no price, and does not say that there is none to pay
        ("qwen-3-coder-480b", "cerebras"),
        ("google/lyria-3-pro-preview", "openrouter"),
        # by the hour or page, not by token
        ("whisper-1", "openai"),
        ("mistral-ocr-latest", "mistral"),
        # OpenAI's free models are matched by a word
        ("gpt-9-moderation-pro", "openai"),
        ("togethercomputer/moderation-6b", ""),
        # a vendor in a path does not say who serves it
        ("google/gemma-3-27b-it", ""),
    ],
)
def test_m4_what_is_not_known_to_be_free_is_never_free(db, name, provider):
    book = read_price_book()
    charge = book.charge_of(MILLION_EACH, model=name, provider=provider, occurred_at=AT)
    assert charge.cost_nanos > 0
    assert charge.estimated
    assert not book.is_free(name, provider=provider, occurred_at=AT)


@pytest.mark.parametrize("name", ["deepseek/deepseek-r1", "gpt-oss-120b"])
def test_m4_the_paid_route_of_a_model_with_a_free_one_is_not_free(db, name):
    charge = read_price_book().charge_of(
        MILLION_EACH, model=name, provider="openrouter", occurred_at=AT
    )
    assert charge.cost_nanos > 0


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("claude-opus-4-8", "vertex_ai"),
        ("claude-opus-4-8", "google"),
        ("vertex_ai/claude-sonnet-4-5@20250929", ""),
        ("claude-sonnet-5", "vertex_ai"),
        ("us.anthropic.claude-opus-4-8", ""),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "bedrock"),
        ("claude-opus-4-8", "azure"),
    ],
)
def test_m3a_a_batch_of_claude_costs_half_wherever_it_runs(db, name, provider):
    book = read_price_book()
    facts = {"model": name, "provider": provider, "occurred_at": AT}
    plain = book.charge_of(Usage(1_000, 1_000), **facts)
    batch = book.charge_of(
        Usage(1_000, 1_000), **facts, conditions={"service_tier": "batch"}
    )
    assert not batch.estimated
    assert batch.cost_nanos * 2 == plain.cost_nanos


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
