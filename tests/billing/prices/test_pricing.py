"""Cost equals `genai_prices.calc_price` to the nano-dollar, through the price rows in
the database (M1-M4).
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import ROUND_HALF_EVEN, Decimal

import genai_prices
import pytest

from accounts.actions.audit import Actor
from billing.models import ModelPrice
from billing.models.prices import SINCE_ALWAYS
from billing.prices.actions import correct_price, sync_prices
from billing.prices.queries import read_price_book
from billing.prices.queries.listed import fallback_rates
from billing.prices.queries.package import providers
from billing.prices.rules import (
    FALLBACK,
    PriceBook,
    PricedModel,
    Rates,
    Usage,
    cost_nanos,
)

DATED = [
    "claude-sonnet-4-5-20250929",
    "claude-opus-4-5-20251101",
    "claude-3-5-haiku-20241022",
    "CLAUDE-OPUS-5",
]


def random_usage(pick: random.Random) -> Usage:
    """Mostly ordinary requests, some across each context tier, some huge."""
    size = pick.choice([10, 1_000, 50_000, 199_999, 200_001, 400_000, 3_000_000])
    counts = [pick.choice([0, pick.randint(0, size)]) for _ in range(5)]
    return Usage(*counts, web_searches=pick.choice([0, 0, 1, 7]))


def rates_of(
    book: PriceBook, model: str, *, occurred_at: dt.datetime, total_input: int
) -> tuple[Rates, bool]:
    """The rates of a reported name at its moment, and whether they are a fallback's."""
    on = occurred_at.astimezone(dt.UTC).date()
    return book.rates_for(book.priced_model(model), on=on, total_input=total_input)


def package_cost(
    usage: Usage, model: str, occurred_at: dt.datetime, provider: str = "anthropic"
) -> int:
    """What the package says, in nano-USD rounded half-even once."""
    writes = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    price = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.total_input,
            output_tokens=usage.output_tokens,
            cache_write_tokens=writes,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            web_searches=usage.web_searches,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=occurred_at,
    ).total_price
    return int((price * 10**9).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def random_moment(pick: random.Random) -> dt.datetime:
    moment = dt.datetime(2026, 3, 12, 23, tzinfo=dt.UTC) + dt.timedelta(
        minutes=pick.randint(-400_000, 400_000)
    )
    return moment.astimezone(dt.timezone(dt.timedelta(hours=pick.randint(-12, 14))))


def test_m3_cost_equals_the_package_for_10_000_random_usages(db):
    book = read_price_book()
    pick = random.Random(20261123)
    anthropic = [
        model.model for model in book.histories if model.provider == "anthropic"
    ]
    models = [model for model in anthropic if model != FALLBACK] + DATED
    for _ in range(10_000):
        model, usage = pick.choice(models), random_usage(pick)
        moment = random_moment(pick)
        charge = book.charge_of(usage, model=model, occurred_at=moment)
        assert not charge.estimated, model
        assert charge.cost_nanos == package_cost(usage, model, moment), (
            model,
            moment,
            usage,
        )


def test_m2_every_model_of_every_provider_costs_what_the_package_says(db):
    """Models priced by something that no row can hold are left out, and estimated."""
    book = read_price_book()
    pick = random.Random(1)
    left_out = []
    for provider in providers():
        for model in provider.models:
            usage, moment = random_usage(pick), random_moment(pick)
            if PricedModel(provider.id, model.id) not in book.histories:
                left_out.append(model)
                continue
            charge = book.charge_of(
                usage, model=model.id, provider=provider.id, occurred_at=moment
            )
            if charge.estimated or provider.find_model(model.id) is not model:
                continue  # the package itself finds another model by this id
            says = package_cost(usage, model.id, moment, provider.id)
            # Rates that went through a float in the package differ far below a nano.
            assert abs(charge.cost_nanos - says) <= 1, (provider.id, model.id, usage)
    for model in left_out:
        prices = model.prices if isinstance(model.prices, list) else [model]
        assert any(
            getattr(one, "constraint", None) is not None
            or getattr(getattr(one, "prices", None), "requests_kcount", None)
            or getattr(getattr(one, "prices", None), "input_mtok", None) is None
            for one in prices
        ), model.id


def test_m3_half_even_rounding_once():
    """1 token at $0.5 per billion is half a nano-dollar: to even."""
    rates = Rates(1, SINCE_ALWAYS, 0, 500_000, 0, 0, 0, 0, 0)
    assert [cost_nanos(Usage(tokens), rates) for tokens in (1, 3, 5, 2)] == [0, 2, 2, 1]


def test_m2_a_context_tier_prices_the_whole_request_above_its_start(db):
    book = read_price_book()
    moment = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    at, _ = rates_of(book, "claude-sonnet-4-5", occurred_at=moment, total_input=200_000)
    above, _ = rates_of(
        book, "claude-sonnet-4-5", occurred_at=moment, total_input=200_001
    )
    assert (at.context_above, above.context_above) == (0, 200_000)
    assert above.input_nanos == 2 * at.input_nanos


def test_m2_a_rate_starts_on_its_utc_date(db):
    book = read_price_book()
    # the 13th in UTC
    late = dt.datetime(2026, 3, 12, 20, tzinfo=dt.timezone(dt.timedelta(hours=-8)))
    early = late - dt.timedelta(hours=5)
    after, _ = rates_of(book, "claude-opus-4-6", occurred_at=late, total_input=300_000)
    before, _ = rates_of(
        book, "claude-opus-4-6", occurred_at=early, total_input=300_000
    )
    assert (before.input_nanos, after.input_nanos) == (10_000_000_000, 5_000_000_000)


def test_m4_an_unknown_model_is_priced_at_the_fallback_and_marked(db, settings, now):
    book = read_price_book()
    rates, estimated = rates_of(book, "claude-opus-99", occurred_at=now, total_input=1)
    assert estimated
    assert cost_nanos(Usage(1_000_000, 1_000_000), rates) == 90_000_000_000, (
        "the dearest of its provider"
    )
    assert min(rates.as_tuple()) > 0, "no token class of an unknown model is free"
    settings.FALLBACK_INPUT_USD_PER_MTOK = "7.5"
    settings.FALLBACK_OUTPUT_USD_PER_MTOK = "30"
    assert fallback_rates()["input_nanos"] == 7_500_000_000


def test_m2_sync_is_idempotent_and_a_fresh_database_has_prices(db, now):
    changes = sync_prices(actor=Actor(label="test"), now=now)
    assert (changes.added, changes.corrected) == ([], [])
    assert changes.unchanged == ModelPrice.objects.in_force().count() > 30


def test_m2_sync_keeps_history_and_reports_what_changed(db, now):
    row = ModelPrice.objects.in_force().get(
        provider="anthropic", model="claude-sonnet-5"
    )
    ModelPrice.objects.filter(pk=row.pk).update(input_nanos=1)
    changes = sync_prices(actor=Actor(label="test"), now=now)
    assert changes.corrected == [("anthropic", "claude-sonnet-5", SINCE_ALWAYS, 0)]
    row.refresh_from_db()
    assert row.superseded_at == now
    assert (
        ModelPrice.objects.in_force()
        .get(provider="anthropic", model="claude-sonnet-5")
        .input_nanos
        == 2_000_000_000
    )


def test_m2_sync_never_overwrites_an_operators_row(db, now):
    rates = dict.fromkeys(fallback_rates(), 123)
    correct_price(
        ("anthropic", "claude-sonnet-5", SINCE_ALWAYS, 0),
        rates=rates,
        actor=Actor(label="operator"),
        now=now,
    )
    changes = sync_prices(actor=Actor(label="test"), now=now)
    assert changes.kept_by_operator == [
        ("anthropic", "claude-sonnet-5", SINCE_ALWAYS, 0)
    ]
    assert (
        ModelPrice.objects.in_force()
        .get(provider="anthropic", model="claude-sonnet-5")
        .input_nanos
        == 123
    )


@pytest.mark.parametrize("model", ["", "  ", "x" * 120, "claude", "モデル"])
def test_m4_odd_model_names_are_estimated(db, now, model):
    assert rates_of(read_price_book(), model, occurred_at=now, total_input=0)[1]
