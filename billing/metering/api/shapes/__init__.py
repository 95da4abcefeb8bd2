"""The shapes in which usage is reported: Anthropic's Messages API, OpenAI's chat
completions and responses, OpenTelemetry's GenAI conventions and Bedrock's Converse (M4b).

Each maps to the same token classes; `docs/metering.md` has the table.
"""

from __future__ import annotations

from typing import Any

from billing.metering.api.shapes.foreign import (
    ChatUsage,
    ConverseUsage,
    TelemetryUsage,
)
from billing.metering.api.shapes.messages import (
    MAX_MODEL,
    MAX_SEARCHES,
    MAX_TOKENS,
    MessagesUsage,
    ReadUsage,
)

Shape = (
    type[MessagesUsage] | type[ChatUsage] | type[TelemetryUsage] | type[ConverseUsage]
)
MESSAGES_KEYS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "server_tool_use",
    "iterations",
)
# What counts inside an object, so that an empty or foreign one does not.
INSIDE = {
    "cache_creation": ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    "server_tool_use": ("web_search_requests",),
    "iterations": MESSAGES_KEYS[:5],
}
# By the count keys that tell a shape, the most telling first.
SHAPES: tuple[tuple[tuple[str, ...], Shape], ...] = (
    (("prompt_tokens", "completion_tokens"), ChatUsage),
    (
        (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.completion_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
        ),
        TelemetryUsage,
    ),
    (
        (
            "inputTokens",
            "outputTokens",
            "cacheReadInputTokens",
            "cacheWriteInputTokens",
            "cacheCreationInputTokens",
        ),
        ConverseUsage,
    ),
    (MESSAGES_KEYS, MessagesUsage),
)
# Keys that only other shapes have.
RESPONSES_KEY = "input_tokens_details"
FOREIGN = {key for keys, _shape in SHAPES[:-1] for key in keys} | {RESPONSES_KEY}
EXPECTED = (
    "has none of the counts that are expected: input_tokens and output_tokens"
    " (Anthropic, OpenAI responses), prompt_tokens and completion_tokens (OpenAI),"
    " gen_ai.usage.input_tokens and gen_ai.usage.output_tokens (OpenTelemetry), or"
    " inputTokens and outputTokens (Bedrock)"
)


def shape_of(usage: dict[str, Any]) -> Shape | None:
    """The shape a usage is in; None where it has no count that is known (M4b).

    Where it has the keys of several, the one that counts something.
    """
    if usage.get("output_tokens") and FOREIGN.isdisjoint(usage):
        return MessagesUsage  # what nearly all are
    counting_nothing = None
    for keys, shape in SHAPES:
        counts = [count for key in keys for count in _counts(usage, key)]
        if shape is MessagesUsage and RESPONSES_KEY in usage:
            shape = ChatUsage
        if any(counts):
            return shape
        if counts and counting_nothing is None:
            counting_nothing = shape
    return counting_nothing


def _counts(usage: dict[str, Any], key: str) -> list[Any]:
    """The counts that are reported under a key, inside its object too; none for null."""
    value = usage.get(key)
    if key not in INSIDE:
        return [] if value is None else [value]
    objects = value if isinstance(value, list) else [value]
    return [
        count
        for one in objects
        if isinstance(one, dict)
        for name in INSIDE[key]
        for count in _counts(one, name)
    ]


__all__ = [
    "EXPECTED",
    "MAX_MODEL",
    "MAX_SEARCHES",
    "MAX_TOKENS",
    "ReadUsage",
    "shape_of",
]
