"""Usage that names its iterations is priced by its parts (M3), with factors (M3a)."""

from __future__ import annotations

import datetime as dt
import json
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import genai_prices
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions.audit import Actor
from billing.books import differences
from billing.metering.actions.recording import record_usage
from billing.metering.actions.repricing import reprice_events
from billing.metering.api.events import read_events
from billing.metering.receipts import receipt_of
from billing.metering.rules.pricing import charge_of_event
from billing.models import UsageDay, UsageEvent, UsagePart
from billing.prices.queries import read_price_book
from billing.reports.queries.groups import usage_report
from billing.reports.queries.own import organization_receipts
from config.kit.money import usd
from tests.factories.usage import enable_extra_usage

DATA = Path(__file__).parents[2] / "data" / "usages.json"
RECORDED = json.loads(DATA.read_text())
AT = "2026-11-20T12:00:00Z"
COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


def reported(usage: dict, model: str = "claude-sonnet-5", **others):
    """One event as it is read."""
    raw = {
        "id": "e",
        "member": "bob@acme.example",
        "surface": "claude",
        "model": model,
        "occurred_at": AT,
        "usage": usage,
        **others,
    }
    read = read_events([raw])
    assert not read.unreadable, read.unreadable
    return read.events[0]


def package_nanos(counts: dict, model: str, *, searches: int = 0) -> int:
    """What `calc_price` says for one iteration, in nano-USD."""
    plain = {name: counts.get(name) or 0 for name in COUNTS}
    split = counts.get("cache_creation") or {}
    one_hour = split.get("ephemeral_1h_input_tokens") or 0
    written = max(
        plain["cache_creation_input_tokens"],
        one_hour + (split.get("ephemeral_5m_input_tokens") or 0),
    )
    price = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=plain["input_tokens"]
            + written
            + plain["cache_read_input_tokens"],
            output_tokens=plain["output_tokens"],
            cache_write_tokens=written,
            cache_write_1h_tokens=one_hour,
            cache_read_tokens=plain["cache_read_input_tokens"],
            web_searches=searches,
        ),
        model,
        provider_id="anthropic",
        genai_request_timestamp=dt.datetime.fromisoformat(AT),
    ).total_price
    return int((price * 10**9).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def expected_nanos(usage: dict, model: str) -> int:
    """By the API's own words: what the top level is the sum of, and what is beside it."""
    searches = (usage.get("server_tool_use") or {}).get("web_search_requests") or 0
    beside = 0
    served = model
    for iteration in usage.get("iterations") or ():
        match iteration["type"]:
            case "compaction":
                beside += package_nanos(iteration, model)
            case "advisor_message":
                beside += package_nanos(iteration, iteration["model"])
            case "fallback_message":
                served = iteration["model"]
    return package_nanos(usage, served, searches=searches) + beside


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["model"])
def test_m3_every_recorded_usage_costs_what_its_parts_cost(db, recorded):
    event = reported(recorded["usage"], recorded["model"])
    found = charge_of_event(read_price_book(), event)
    assert found.cost_nanos == expected_nanos(recorded["usage"], recorded["model"])
    assert not found.estimated


def test_m3_compaction_and_advisor_and_fallback_to_the_nano_dollar(db):
    """bugs: litellm#27060, ccusage#1115."""
    book = read_price_book()
    by_kinds = {
        ("claude-opus-4-6", ("compaction", "message")): usd("0.388510"),
        ("claude-sonnet-4-6", ("message", "advisor_message", "message")): usd(
            "0.175686"
        ),
        ("claude-fable-5", ("message", "fallback_message")): usd("0.008660"),
    }
    found = {}
    for recorded in RECORDED:
        kinds = tuple(one["type"] for one in recorded["usage"].get("iterations") or ())
        key = (recorded["model"], kinds)
        if key in by_kinds:
            event = reported(recorded["usage"], recorded["model"])
            found.setdefault(key, charge_of_event(book, event).cost_nanos)
    assert found == by_kinds


def test_m2_a_context_tier_looks_at_one_iteration_not_at_the_sum(db):
    """bugs: openusage#885. Three iterations of 90,000 are no long request."""
    one = {"type": "message", "input_tokens": 90_000, "output_tokens": 1_000}
    usage = {"input_tokens": 270_000, "output_tokens": 3_000, "iterations": [one] * 3}
    book = read_price_book()
    assert charge_of_event(
        book, reported(usage, "claude-sonnet-4-5")
    ).cost_nanos == usd("0.855")
    assert charge_of_event(book, reported(usage, "claude-haiku-5-5")).cost_nanos == usd(
        "0.0285"
    )


def test_m3_cache_writes_take_the_only_lifetime_that_is_named(db):
    """bugs: litellm#42663. The split names the first iteration's tokens alone."""
    usage = {
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_creation_input_tokens": 184_457,
        "cache_creation": {"ephemeral_1h_input_tokens": 31_490},
    }
    assert reported(usage).usage.cache_write_1h_tokens == 184_457
    usage["cache_creation"] = {"ephemeral_5m_input_tokens": 31_490}
    assert reported(usage).usage.cache_write_5m_tokens == 184_457
    del usage["cache_creation"]
    assert reported(usage).usage.cache_write_5m_tokens == 184_457


MIXED = {
    "input_tokens": 10,
    "output_tokens": 0,
    "cache_creation_input_tokens": 1_000,
    "cache_creation": {
        "ephemeral_5m_input_tokens": 100,
        "ephemeral_1h_input_tokens": 900,
    },
}


@pytest.mark.parametrize(
    "iterations",
    [
        [{"type": "compaction", "input_tokens": 1}],
        [
            {"type": "message", "input_tokens": 4, "cache_creation_input_tokens": 600},
            {"type": "message", "input_tokens": 6, "cache_creation_input_tokens": 400},
        ],
        [
            {
                "type": "message",
                "input_tokens": 10,
                "cache_creation_input_tokens": 1_000,
                "cache_creation": {"ephemeral_5m_input_tokens": 100},
            }
        ],
    ],
    ids=["beside", "spread", "named in part"],
)
def test_m3_iterations_without_lifetimes_take_those_of_the_top_level(db, iterations):
    event = reported({**MIXED, "iterations": iterations}, "claude-opus-4-5")
    writes = event.usage.cache_write_5m_tokens, event.usage.cache_write_1h_tokens
    assert writes == (100, 900)
    assert not charge_of_event(read_price_book(), event).estimated


def test_m3_a_kind_not_known_is_priced_like_a_message_and_estimated(db):
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "iterations": [
            {"type": "message", "input_tokens": 10, "output_tokens": 5},
            {"type": "reviewer", "input_tokens": 100, "model": "claude-opus-5"},
        ],
    }
    found = charge_of_event(read_price_book(), reported(usage))
    assert found.estimated
    assert found.cost_nanos == 10 * 2_000 + 5 * 10_000 + 100 * 5_000


def test_m3_what_no_iteration_explains_is_charged_and_estimated(db):
    usage = {
        "input_tokens": 30,
        "output_tokens": 5,
        "iterations": [{"type": "message", "input_tokens": 10, "output_tokens": 5}],
    }
    found = charge_of_event(read_price_book(), reported(usage))
    assert (found.cost_nanos, found.estimated) == (30 * 2_000 + 5 * 10_000, True)


@pytest.mark.parametrize(
    ("condition", "model", "times"),
    [
        ({"speed": "fast"}, "claude-opus-4-8", 2),
        ({"speed": "fast"}, "claude-opus-5", 2),
        ({"inference_geo": "us"}, "claude-sonnet-4-6", Decimal("1.1")),
        ({"inference_geo": "us"}, "claude-opus-5-5", Decimal("1.1")),
        ({"service_tier": "batch"}, "claude-haiku-4-5", Decimal("0.5")),
        (
            {"service_tier": "batch", "inference_geo": "us"},
            "claude-opus-5",
            Decimal("0.55"),
        ),
    ],
)
def test_m3a_a_condition_multiplies_every_token_class_and_no_tool(
    db, condition, model, times
):
    tokens = {
        "input_tokens": 1_000,
        "output_tokens": 1_000,
        "cache_creation_input_tokens": 1_000,
        "cache_read_input_tokens": 1_000,
    }
    book = read_price_book()
    plain = charge_of_event(book, reported(tokens, model)).cost_nanos
    usage = {**tokens, "server_tool_use": {"web_search_requests": 3}, **condition}
    found = charge_of_event(book, reported(usage, model))
    assert found.cost_nanos == plain * times + 3 * usd("0.01")
    assert not found.estimated


@pytest.mark.parametrize(
    "condition",
    [{"speed": "warp"}, {"service_tier": "priority"}, {"inference_geo": "mars"}],
)
def test_m3a_a_value_without_a_factor_is_not_guessed(db, condition):
    tokens = {"input_tokens": 1_000, "output_tokens": 1}
    book = read_price_book()
    found = charge_of_event(book, reported({**tokens, **condition}))
    assert found.cost_nanos == charge_of_event(book, reported(tokens)).cost_nanos
    assert found.estimated


def test_m3a_ordinary_values_change_nothing(db):
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "speed": "standard",
        "inference_geo": "global",
        "service_tier": "standard",
    }
    assert reported(usage).conditions == {}


COUNT = st.integers(0, 250_000)
ITERATION = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["message", "message", "compaction", "advisor_message"]
        ),
        "model": st.sampled_from(
            ["claude-opus-4-8", "claude-sonnet-4-5", "claude-fable-5"]
        ),
        **dict.fromkeys(COUNTS, COUNT),
    }
)


@pytest.fixture
def book(db):
    return read_price_book()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(iterations=st.lists(ITERATION, min_size=1, max_size=6))
def test_m3_any_iterations_cost_the_sum_of_what_each_costs(book, iterations):
    """The top level as the API writes it: the sum of the messages."""
    messages = [one for one in iterations if one["type"] == "message"]
    usage = {name: sum(one[name] for one in messages) for name in COUNTS}
    event = reported({**usage, "iterations": iterations}, "claude-haiku-5-5")
    models = {"advisor_message": None}
    expected = sum(
        package_nanos(one, models.get(one["type"], "claude-haiku-5-5") or one["model"])
        for one in iterations
    )
    found = charge_of_event(book, event)
    assert (found.cost_nanos, found.estimated) == (expected, False)
    assert event.usage.output_tokens == sum(one["output_tokens"] for one in iterations)


ADVISED = next(
    one
    for one in RECORDED
    if one["source"].endswith("anthropic-advisor-20250301.1.chunks.txt")
)


@pytest.fixture
def advised(acme, bob, now) -> UsageEvent:
    """A request of sonnet-4-6 that asked opus-4-7, and a plain one, as extra usage."""
    enable_extra_usage(acme)
    plain = {"input_tokens": 5, "output_tokens": 1}
    batch = [
        reported(ADVISED["usage"], ADVISED["model"], id="advised"),
        reported(plain, ADVISED["model"], id="plain"),
    ]
    done = record_usage(batch, organization_id=acme.pk, now=now)
    assert [result.status for result in done.results] == ["recorded"] * 2
    return UsageEvent.objects.get(event_id="advised")


def test_m3_the_parts_are_kept_and_add_up_to_the_event(advised):
    parts = list(UsagePart.objects.order_by("position"))
    assert [(part.kind, part.model) for part in parts] == [
        ("message", "claude-sonnet-4-6"),
        ("advisor_message", "claude-opus-4-7"),
        ("message", "claude-sonnet-4-6"),
    ]
    assert sum(part.cost_nanos for part in parts) == advised.cost_nanos
    assert advised.cost_nanos == usd("0.175686")
    assert advised.output_tokens == 3391 + 3880
    assert not list(differences())


def test_m3_counters_count_money_by_each_parts_model_and_the_event_once(advised, acme):
    days = UsageDay.objects.filter(membership=advised.membership)
    by_model = {day.model: day for day in days}
    advisor = by_model["claude-opus-4-7"]
    assert (advisor.events, advisor.output_tokens) == (0, 3880)
    assert by_model["claude-sonnet-4-6"].events == 2
    by_day = usage_report(
        acme.pk, start=advised.day_on, end=advised.day_on + dt.timedelta(1), group_by=""
    )
    assert next(by_day.rows)[0] == 2, "two requests, whatever ran inside them"


def test_m3_labels_reports_by_model_agree_with_the_counters(advised, acme):
    span = {"start": advised.day_on, "end": advised.day_on + dt.timedelta(1)}
    counted = list(usage_report(acme.pk, **span, group_by="model").rows)
    by_label = list(usage_report(acme.pk, **span, group_by="model,label:none").rows)
    assert [(row[0], *row[2:]) for row in by_label] == [tuple(row) for row in counted]


def test_m3_the_receipt_shows_the_parts(advised, acme):
    receipt = receipt_of(organization_receipts(acme.pk).get(pk=advised.pk))
    assert [(part.word, part.model) for part in receipt.parts] == [
        ("Message", "claude-sonnet-4-6"),
        ("Advisor", "claude-opus-4-7"),
        ("Message", "claude-sonnet-4-6"),
    ]
    assert receipt.exact_nanos == advised.cost_nanos


def test_e6_the_same_iterations_are_a_duplicate_and_others_a_conflict(
    advised, acme, now
):
    changed = json.loads(json.dumps(ADVISED["usage"]))
    changed["iterations"][1]["model"] = "claude-opus-4-8"
    answers = [
        record_usage(
            [reported(usage, ADVISED["model"], id="advised")],
            organization_id=acme.pk,
            now=now,
        )
        .results[0]
        .status
        for usage in (ADVISED["usage"], changed)
    ]
    assert answers == ["duplicate", "conflict"]


def test_m4_a_part_is_repriced_at_its_own_model(advised, acme, now):
    from billing.models import ModelPrice
    from billing.prices.actions import correct_price

    row = ModelPrice.objects.in_force().get(
        provider="anthropic", model="claude-opus-4-7"
    )
    rates = {
        name: 2 * getattr(row, name)
        for name in ("input_nanos", "output_nanos", "cache_write_5m_nanos")
    }
    rest = ("cache_write_1h_nanos", "cache_read_nanos", "web_search_nanos")
    correct_price(
        ("anthropic", row.model, row.starts_on, row.context_above),
        rates={**rates, **{name: getattr(row, name) for name in rest}},
        actor=Actor(label="operator"),
        now=now,
    )
    done = reprice_events(now=now)
    advisor = UsagePart.objects.get(kind="advisor_message")
    assert done.by_model == {"claude-opus-4-7": advisor.cost_nanos}
    assert advised.adjustments.get().part == advisor
    assert reprice_events(now=now).adjusted == 0
    assert not list(differences())


def test_m4_parts_that_were_waived_are_not_booked_twice(advised, acme, now):
    """The sum of an event's differences is cut once, not part by part."""
    from billing.metering.queries.repriced import Difference, _not_below_nothing

    def nanos(*amounts: int, left: int) -> list[int]:
        differences = [Difference(advised, None, one, 1, "") for one in amounts]
        return [one.nanos for one in _not_below_nothing(differences, left)]

    assert nanos(-50, 50, left=0) == [-50, 50]
    assert nanos(-50, 20, left=0) == [-20, 20]
    assert nanos(-50, -20, left=60) == [-40, -20]
    assert nanos(-50, -20, left=100) == [-50, -20]
