"""The shapes in which clients report usage, and the trifles nothing is lost over (M4b, E5a)."""

from __future__ import annotations

import pytest

from billing.metering.api.events import read_events
from billing.prices.rules import Usage


def read(**changes):
    """One event as read: (event or None, errors)."""
    raw = {
        "id": "e",
        "member": "bob@acme.example",
        "surface": "claude",
        "model": "claude-sonnet-5",
        "occurred_at": "2026-11-20T12:00:00Z",
        "usage": {"input_tokens": 1, "output_tokens": 1},
        **changes,
    }
    events = read_events([raw])
    if events.unreadable:
        return None, events.unreadable[0].errors
    return events.events[0], ()


SHAPES = {
    "anthropic": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": 90,
        },
        Usage(10, 5, 7, 0, 90),
    ),
    "openai chat": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "total_tokens": 105,
            "prompt_tokens_details": {"cached_tokens": 90, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        Usage(10, 5, 0, 0, 90),
    ),
    "openai responses": (
        {
            "input_tokens": 100,
            "output_tokens": 5,
            "input_tokens_details": {"cached_tokens": 90},
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 105,
        },
        Usage(10, 5, 0, 0, 90),
    ),
    "litellm": (
        {
            "prompt_tokens": 107,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 90, "cache_creation_tokens": 7},
            "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": 90,
        },
        Usage(10, 5, 7, 0, 90),
    ),
    "openrouter": (
        {
            "prompt_tokens": 107,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 90, "cache_write_tokens": 7},
        },
        Usage(10, 5, 7, 0, 90),
    ),
    "opentelemetry": (
        {
            "gen_ai.usage.input_tokens": 107,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 90,
            "gen_ai.usage.cache_creation.input_tokens": 7,
        },
        Usage(10, 5, 7, 0, 90),
    ),
    "bedrock converse": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "totalTokens": 112,
            "cacheReadInputTokens": 90,
            "cacheWriteInputTokens": 7,
            "cacheDetails": [{"inputTokens": 7, "ttl": "1h"}],
        },
        Usage(10, 5, 0, 7, 90),
    ),
    "claude code": (
        {
            "inputTokens": 10,
            "outputTokens": 5,
            "cacheReadInputTokens": 90,
            "cacheCreationInputTokens": 7,
            "webSearchRequests": 2,
            "costUSD": 1,
        },
        Usage(10, 5, 7, 0, 90, 2),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_m4b_each_shape_maps_to_the_same_classes(shape):
    usage, expected = SHAPES[shape]
    event, errors = read(usage=usage)
    assert not errors
    assert event.usage == expected
    assert not event.notes


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"promptTokenCount": 10, "candidatesTokenCount": 5},
        {"claude-sonnet-5": {"inputTokens": 10, "outputTokens": 5}},
        {"tokens": 12},
        {"service_tier": "standard"},
        {"input_tokens": None, "output_tokens": None},
        {"input_tokens_details": {}},
        {"input_tokens_details": None},
        {"iterations": [{}]},
        {"iterations": [{"prompt_tokens": 5_000}]},
        {"server_tool_use": {"web_fetch_requests": 3}},
        {"cache_creation": {"x": 1}},
    ],
)
def test_m4b_a_foreign_shape_never_passes_as_free(usage):
    """bugs: gpt-researcher#1986."""
    event, errors = read(usage=usage)
    assert event is None
    [(loc, message)] = errors
    assert loc == ("usage",)
    assert "input_tokens and output_tokens" in message


def test_m4b_a_real_zero_is_zero():
    event, _errors = read(usage={"input_tokens": 0, "output_tokens": 0})
    assert event.usage == Usage()


def test_m4b_a_prompt_smaller_than_what_it_had_cached_is_noted():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 90},
    }
    event, _errors = read(usage=usage)
    assert event.usage == Usage(10, 1, 0, 0, 90)
    assert "can't include 90" in event.notes[0]


def test_e5a_whole_numbers_are_whole_however_written():
    event, _errors = read(usage={"input_tokens": 1200.0, "output_tokens": 1.2e3})
    assert event.usage == Usage(1200, 1200)
    assert read(usage={"input_tokens": 1.5})[0] is None


def test_e5a_an_empty_list_stands_for_an_empty_object():
    usage = {"input_tokens": 1, "cache_creation": [], "server_tool_use": []}
    event, _errors = read(usage=usage, labels=[])
    assert (event.usage, event.labels, event.notes) == (Usage(1), {}, ())


@pytest.mark.parametrize(
    "key", ["cache_creation", "server_tool_use", "iterations", "prompt_tokens_details"]
)
@pytest.mark.parametrize("none", [0, 0.0, None, {}, []])
def test_e5a_none_of_something_is_none_however_written(key, none):
    shape = "prompt_tokens" if key.startswith("prompt") else "input_tokens"
    event, errors = read(usage={shape: 1, key: none})
    assert (event.usage, event.parts, errors) == (Usage(1), (), ())


@pytest.mark.parametrize("value", [1200, 0.5, "1200", True, False, [7]])
@pytest.mark.parametrize("key", ["cache_creation", "server_tool_use"])
def test_e5a_a_number_where_counts_are_expected_is_refused_with_what_is(key, value):
    event, errors = read(usage={"input_tokens": 1, key: value})
    assert event is None
    [(loc, message)] = errors
    assert loc == ("usage", key)
    assert message == "must be an object of counts, or null where there are none"


def test_e5a_iterations_that_are_no_list_are_refused_with_what_is_expected():
    event, errors = read(usage={"input_tokens": 1, "iterations": 3})
    assert event is None
    [(_loc, message)] = errors
    assert message == "must be a list of objects, or null where there are none"


@pytest.mark.parametrize(
    ("labels", "kept", "note"),
    [
        ({"project": ""}, {}, "has no text"),
        ({"project": None}, {}, "has no text"),
        ({"project": 4711}, {"project": "4711"}, None),
        ({"project": True}, {"project": "true"}, None),
        ({"project": "x" * 61}, {"project": "x" * 60}, "cut to 60"),
        ({"k" * 61: "v"}, {"k" * 60: "v"}, "cut to 60"),
        ("project", {}, "no object"),
        (
            {str(number): "v" for number in range(11)},
            {str(number): "v" for number in range(10)},
            "More than 10",
        ),
    ],
)
def test_e5a_labels_are_kept_as_far_as_they_can_be(labels, kept, note):
    event, errors = read(labels=labels)
    assert not errors
    assert event.labels == kept
    assert [note in one for one in event.notes] == ([True] if note else [])


def test_e5a_a_long_model_name_is_cut_and_a_leap_second_taken():
    event, _errors = read(model="m" * 301, occurred_at="2016-12-31T23:59:60Z")
    assert event.model == "m" * 300
    assert "301 characters" in event.notes[0]
    assert event.occurred_at.isoformat() == "2016-12-31T23:59:59.999999+00:00"


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 1_000_000_001},
        {"input_tokens": 1, "server_tool_use": {"web_search_requests": 10_001}},
        {
            "input_tokens": 1,
            "iterations": [
                {"type": "compaction", "input_tokens": 600_000_000},
                {"type": "compaction", "input_tokens": 600_000_000},
            ],
        },
    ],
)
def test_e5a_counts_that_could_not_be_real_are_invalid(usage):
    event, errors = read(usage=usage)
    assert event is None
    assert errors[0][0][0] == "usage"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 9},
            Usage(9),
        ),
        ({"input_tokens": 9, "inputTokens": 0}, Usage(9)),
        ({"gen_ai.usage.input_tokens": 0, "input_tokens": 9}, Usage(9)),
        (
            {"prompt_tokens": None, "completion_tokens": 5, "input_tokens": 9},
            Usage(9, 5),
        ),
        (
            {
                "input_tokens": 9,
                "prompt_tokens_details": None,
                "input_tokens_details": {"cached_tokens": 8},
            },
            Usage(1, 0, 0, 0, 8),
        ),
    ],
)
def test_m4b_of_several_shapes_the_one_that_counts_something_is_read(usage, expected):
    event, errors = read(usage=usage)
    assert not errors
    assert event.usage == expected


def test_m3_iterations_count_in_openais_shape_too():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "iterations": [
            {"type": "compaction", "input_tokens": 1_000},
            {"type": "message", "input_tokens": 100, "output_tokens": 5},
        ],
    }
    event, _errors = read(usage=usage)
    assert event.usage == Usage(1_100, 5)
    assert [part.kind for part in event.parts] == ["compaction", "message"]


@pytest.mark.parametrize("side", ["prompt_tokens_details", "completion_tokens_details"])
def test_audio_is_priced_like_text_and_estimated(side):
    usage = {"prompt_tokens": 9, "completion_tokens": 9, side: {"audio_tokens": 3}}
    event, _errors = read(usage=usage)
    assert [part.is_guessed for part in event.parts] == [True]
    assert "Audio" in event.notes[0]


def test_e5a_the_name_of_an_iterations_model_is_cut_to_what_can_be_kept():
    advisor = {"type": "advisor_message", "model": "x" * 5_000, "input_tokens": 5}
    event, _errors = read(usage={"input_tokens": 5, "iterations": [advisor]})
    assert {len(part.model) for part in event.parts} == {300, len("claude-sonnet-5")}
    assert "5000 characters" in event.notes[0]


@pytest.mark.parametrize(
    "trifle", [{"iterations": {}}, {"iterations": [None]}, {"iterations": []}]
)
def test_e5a_empty_iterations_are_none(trifle):
    event, errors = read(usage={"input_tokens": 5, **trifle})
    assert (event.usage, event.parts, errors) == (Usage(5), (), ())


@pytest.mark.parametrize("details", [{}, [{"inputTokens": 7, "ttl": None}], [None]])
def test_e5a_cache_details_without_a_lifetime_are_five_minutes(details):
    usage = {"inputTokens": 5, "cacheWriteInputTokens": 7, "cacheDetails": details}
    event, errors = read(usage=usage)
    assert not errors
    assert event.usage == Usage(5, 0, 7)
