"""OTLP: spans and events by the GenAI conventions, each call counted once."""

from __future__ import annotations

import pytest

from billing.metering.intake.gen_ai import calls_in
from billing.metering.intake.otlp import Record
from billing.models import UsageEvent
from tests.billing.metering.telemetry import (
    JSON,
    PROTOBUF,
    TRACE,
    Exporter,
    log,
    logs,
    span,
    spans,
)
from tests.factories.people import make_api_key

RESOURCE = {"service.name": "LLM Gateway", "enduser.id": "bob@acme.example"}


@pytest.fixture(params=[JSON, PROTOBUF])
def exporter(client, acme, now, time_machine, request):
    """In each encoding."""
    time_machine.move_to(now, tick=False)
    key = make_api_key(acme, scopes="meter", now=now)
    return Exporter(client, key, encoding=request.param)


def call(**changes):
    """Attributes of a call; None takes one away."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-5",
        "gen_ai.response.id": "msg_01",
        "gen_ai.usage.input_tokens": 1_100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 900,
        "gen_ai.usage.cache_creation.input_tokens": 100,
        "gen_ai.response.finish_reasons": ["stop"],
        **{f"gen_ai.{name}": value for name, value in changes.items()},
    }
    return {key: value for key, value in attributes.items() if value is not None}


def sent(exporter, *records):
    """Send them: what was rejected."""
    return exporter.send(spans(*records, resource=RESOURCE))


def test_a_span_of_a_call_is_recorded_cached_tokens_taken_out(exporter, bob, now):
    for _ in range(2):
        assert sent(exporter, span(call(), at=now)) == (0, "")
    event = UsageEvent.objects.get()
    assert event.event_id == event.request_id == "msg_01"
    assert (event.surface, event.source) == ("llm-gateway", "telemetry")
    assert (event.model, event.provider) == ("claude-sonnet-5", "anthropic")
    assert (event.input_tokens, event.output_tokens) == (100, 50)
    assert (event.cache_read_tokens, event.cache_write_5m_tokens) == (900, 100)
    assert (event.membership_id, event.occurred_at) == (bob.pk, now)


@pytest.mark.parametrize(
    "read, written",
    [
        ("cache_read_input_tokens", "cache_creation_input_tokens"),
        ("cache_read.input_tokens", "cache_write.input_tokens"),
        ("input_tokens.cached", "input_tokens.cache_write"),
    ],
)
def test_older_and_newer_names_of_cached_tokens(exporter, bob, now, read, written):
    attributes = call(
        **{
            "usage.cache_read.input_tokens": None,
            "usage.cache_creation.input_tokens": None,
            f"usage.{read}": 900,
            f"usage.{written}": 100,
        }
    )
    sent(exporter, span(attributes, at=now))
    event = UsageEvent.objects.get()
    assert (event.input_tokens, event.cache_read_tokens) == (100, 900)
    assert event.cache_write_5m_tokens == 100


def test_the_model_that_served_is_the_one_that_counts(exporter, bob, now):
    attributes = call(**{"request.model": "fast", "response.model": "claude-haiku-4-5"})
    sent(exporter, span(attributes, at=now))
    assert UsageEvent.objects.get().model == "claude-haiku-4-5"


def test_without_the_providers_id_the_span_is_one(exporter, bob, now):
    attributes = call(**{"response.id": None})
    for _ in range(2):
        sent(exporter, span(attributes, at=now))
    assert UsageEvent.objects.get().event_id == f"{TRACE}:eee19b7ec3c1b174"


def test_attempts_inside_a_call_are_not_counted_beside_it(exporter, bob, now):
    """As OpenRouter tells a call: the whole, and in it each attempt."""
    whole = span(call(), at=now, id="a" * 16)
    between = span({"http.route": "/x"}, at=now, id="b" * 16, parent="a" * 16)
    first = span(call(**{"response.id": "p1"}), at=now, id="c" * 16, parent="a" * 16)
    second = span(call(**{"response.id": "p2"}), at=now, id="d" * 16, parent="b" * 16)
    assert sent(exporter, first, second, between, whole) == (0, "")
    assert UsageEvent.objects.get().event_id == "msg_01"


def test_calls_of_an_agent_count_and_its_own_span_repeats_them(exporter, bob, now):
    agent = call(**{"operation.name": "invoke_agent", "response.id": None})
    records = [
        span(agent, at=now, id="a" * 16),
        span(call(**{"response.id": "m1"}), at=now, id="b" * 16, parent="a" * 16),
        span(call(**{"response.id": "m2"}), at=now, id="c" * 16, parent="a" * 16),
    ]
    assert sent(exporter, *records) == (0, "")
    assert {event.event_id for event in UsageEvent.objects.all()} == {"m1", "m2"}


def test_an_agent_whose_calls_are_not_told_is_told(exporter, bob, now):
    agent = call(**{"operation.name": "invoke_agent"})
    rejected, why = sent(exporter, span(agent, at=now))
    assert (rejected, UsageEvent.objects.count()) == (1, 0)
    assert "only calls count" in why


def test_spans_of_one_id_in_another_trace_are_others(exporter, bob, now):
    inner = call(**{"response.id": "other"})
    records = [
        span(call(), at=now, id="a" * 16),
        span(inner, at=now, id="b" * 16, parent="a" * 16, trace="f" * 32),
    ]
    assert sent(exporter, *records) == (0, "")
    assert UsageEvent.objects.count() == 2


def test_spans_that_are_above_one_another_end_nothing():
    ring = [
        Record(frozenset(), {"n": n}, {}, 1, TRACE, f"{n}", f"{(n + 1) % 3}")
        for n in range(3)
    ]
    usage = {"gen_ai.usage.output_tokens": 1}
    below = Record(frozenset(), usage, {}, 1, TRACE, "9", "0")
    own = Record(frozenset(), usage, {}, 1, TRACE, "8", "8")
    assert calls_in([*ring, below]).records == [below]
    assert calls_in([own]).records == [own]


def test_a_long_chain_is_walked_once(now):
    """Each span of 20,000 inside the one before: quadratic would be minutes."""
    chain = [
        Record(frozenset(), {}, {}, 1, TRACE, f"{n}", f"{n - 1}") for n in range(20_000)
    ]
    usage = {"gen_ai.usage.output_tokens": 1}
    calls = [
        Record(frozenset(), usage, {}, 1, TRACE, f"c{n}", "19999") for n in range(5_000)
    ]
    assert len(calls_in([*chain, *calls]).records) == 5_000


def test_a_span_without_usage_is_no_call(exporter, bob, now):
    nothing = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    assert sent(exporter, span(nothing, at=now), span({}, at=now)) == (0, "")
    assert not UsageEvent.objects.exists()


def test_an_event_of_a_call_and_its_span_are_one(exporter, bob, now):
    record = log(call(), at=now, body="gen_ai.client.inference.operation.details")
    assert exporter.send(logs(record, resource=RESOURCE)) == (0, "")
    assert sent(exporter, span(call(), at=now)) == (0, "")
    assert UsageEvent.objects.count() == 1


@pytest.mark.parametrize(
    "told, kept", [("az.ai.openai", "azure"), ("aws.bedrock", "aws.bedrock")]
)
def test_providers_as_the_conventions_name_them(exporter, bob, now, told, kept):
    sent(exporter, span(call(**{"provider.name": told}), at=now))
    assert UsageEvent.objects.get().provider == kept


def test_x2_nobody_is_told(exporter, bob, now):
    rejected, why = exporter.send(spans(span(call(), at=now), resource={}))
    assert rejected == 1
    assert "member" in why
