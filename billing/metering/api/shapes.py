"""The shapes in which usage is reported: Anthropic's Messages API, OpenAI's chat
completions and responses, OpenTelemetry's GenAI conventions and Bedrock's Converse (M4b).

Each maps to the same token classes; `docs/metering.md` has the table.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from billing.metering.rules.iterations import Iteration, Writes, parts_of
from billing.prices.rules import MESSAGE, Part, Usage

# A thousand times the largest context; keeps every sum far inside 64 bits (E5a).
MAX_TOKENS = 1_000_000_000
MAX_SEARCHES = 10_000
MAX_ITERATIONS = 500


class ReadUsage(NamedTuple):
    """A usage as token classes; parts only where there is more than a single message."""

    usage: Usage
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()


def _whole(value: Any) -> Any:
    """A whole number however it is written; null is 0."""
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _or_nothing(value: Any) -> Any:
    """Some clients write an empty object as a list."""
    return None if value == [] else value


Tokens = Annotated[
    int, BeforeValidator(_whole), Field(strict=True, ge=0, le=MAX_TOKENS)
]
Searches = Annotated[
    int, BeforeValidator(_whole), Field(strict=True, ge=0, le=MAX_SEARCHES)
]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class CacheCreation(_Lenient):
    ephemeral_5m_input_tokens: Tokens = 0
    ephemeral_1h_input_tokens: Tokens = 0


class ServerToolUse(_Lenient):
    web_search_requests: Searches = 0


class _Counts(_Lenient):
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cache_creation_input_tokens: Tokens = 0
    cache_read_input_tokens: Tokens = 0
    cache_creation: Annotated[CacheCreation | None, BeforeValidator(_or_nothing)] = None

    def iteration(self, kind: str, model: str | None) -> Iteration:
        """As the rule of parts reads it."""
        split = self.cache_creation or CacheCreation()
        return Iteration(
            kind,
            model,
            self.input_tokens,
            self.output_tokens,
            Writes(
                self.cache_creation_input_tokens,
                split.ephemeral_5m_input_tokens,
                split.ephemeral_1h_input_tokens,
            ),
            self.cache_read_input_tokens,
        )


class IterationIn(_Counts):
    type: Annotated[str, BeforeValidator(lambda value: value or MESSAGE)] = MESSAGE
    model: str | None = None


class MessagesUsage(_Counts):
    """`usage` of the Messages API. `input_tokens` does not include cache tokens."""

    server_tool_use: Annotated[ServerToolUse | None, BeforeValidator(_or_nothing)] = (
        None
    )
    iterations: (
        Annotated[list[IterationIn], Field(max_length=MAX_ITERATIONS)] | None
    ) = None

    def read(self, model: str) -> ReadUsage:
        """By parts where it names iterations (M3)."""
        searches = (
            self.server_tool_use.web_search_requests if self.server_tool_use else 0
        )
        top = self.iteration(MESSAGE, None)
        if not self.iterations:
            return ReadUsage(top.usage(searches=searches))
        iterations = [one.iteration(one.type, one.model) for one in self.iterations]
        parts = parts_of(top, iterations, model=model, searches=searches)
        return _of_parts(parts, model=model)


def _of_parts(parts: list[Part], *, model: str) -> ReadUsage:
    """Parts, or the only one as the usage itself."""
    if not parts:
        return ReadUsage(Usage())
    usage = Usage.sum(part.usage for part in parts)
    is_plain = len(parts) == 1 and parts[0] == Part(MESSAGE, model, usage)
    return ReadUsage(usage, () if is_plain else tuple(parts))


class PromptDetails(_Lenient):
    """What of the prompt was cached. OpenRouter and LiteLLM name what was written."""

    cached_tokens: Tokens = 0
    written: Tokens = Field(
        default=0,
        validation_alias=AliasChoices("cache_write_tokens", "cache_creation_tokens"),
    )
    audio_tokens: Tokens = 0


class ChatUsage(_Lenient):
    """OpenAI's chat completions and responses: the prompt includes cached tokens."""

    prompt: Tokens = Field(
        default=0, validation_alias=AliasChoices("prompt_tokens", "input_tokens")
    )
    completion: Tokens = Field(
        default=0, validation_alias=AliasChoices("completion_tokens", "output_tokens")
    )
    details: Annotated[PromptDetails | None, BeforeValidator(_or_nothing)] = Field(
        default=None,
        validation_alias=AliasChoices("prompt_tokens_details", "input_tokens_details"),
    )
    # LiteLLM adds Anthropic's own counts, which are in the prompt as well.
    cache_read_input_tokens: Tokens = 0
    cache_creation_input_tokens: Tokens = 0
    cache_creation: Annotated[CacheCreation | None, BeforeValidator(_or_nothing)] = None
    server_tool_use: Annotated[ServerToolUse | None, BeforeValidator(_or_nothing)] = (
        None
    )

    def read(self, model: str) -> ReadUsage:
        """Cached tokens taken out of the prompt; audio is priced like text, estimated."""
        details = self.details or PromptDetails()
        split = self.cache_creation or CacheCreation()
        read = max(details.cached_tokens, self.cache_read_input_tokens)
        writes = Writes(
            max(details.written, self.cache_creation_input_tokens),
            split.ephemeral_5m_input_tokens,
            split.ephemeral_1h_input_tokens,
        )
        searches = (
            self.server_tool_use.web_search_requests if self.server_tool_use else 0
        )
        usage, notes = _without_cached(
            self.prompt, self.completion, writes, read, searches
        )
        if not details.audio_tokens:
            return ReadUsage(usage, (), notes)
        guessed = Part(MESSAGE, model, usage, is_guessed=True)
        return ReadUsage(
            usage, (guessed,), (*notes, "Audio tokens are priced like text tokens.")
        )


def _without_cached(
    prompt: int, completion: int, writes: Writes, read: int, searches: int = 0
) -> tuple[Usage, tuple[str, ...]]:
    """Usage of a prompt that includes its cached tokens, and what is to be noted."""
    five_minutes, one_hour = writes.split()
    cached = five_minutes + one_hour + read
    notes: tuple[str, ...] = ()
    if cached > prompt:
        notes = (
            f"The prompt of {prompt} tokens can't include {cached} cached ones; they"
            " were added to it.",
        )
        cached = 0
    return (
        Usage(prompt - cached, completion, five_minutes, one_hour, read, searches),
        notes,
    )


class TelemetryUsage(_Lenient):
    """OpenTelemetry's GenAI conventions: the input includes cached tokens."""

    prompt: Tokens = Field(
        default=0,
        validation_alias=AliasChoices(
            "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"
        ),
    )
    completion: Tokens = Field(
        default=0,
        validation_alias=AliasChoices(
            "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"
        ),
    )
    cached: Tokens = Field(
        default=0,
        validation_alias=AliasChoices(
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
        ),
    )
    written: Tokens = Field(
        default=0,
        validation_alias=AliasChoices(
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
        ),
    )

    def read(self, model: str) -> ReadUsage:
        """Cached tokens taken out of the input."""
        usage, notes = _without_cached(
            self.prompt, self.completion, Writes(self.written), self.cached
        )
        return ReadUsage(usage, (), notes)


class CacheDetail(_Lenient):
    inputTokens: Tokens = 0
    ttl: str = "5m"


class ConverseUsage(_Lenient):
    """Bedrock's Converse, and what spells like it: cached tokens are not in the input."""

    inputTokens: Tokens = 0
    outputTokens: Tokens = 0
    read_tokens: Tokens = Field(
        default=0,
        validation_alias=AliasChoices(
            "cacheReadInputTokens", "cacheReadInputTokensCount"
        ),
    )
    written: Tokens = Field(
        default=0,
        validation_alias=AliasChoices(
            "cacheWriteInputTokens",
            "cacheWriteInputTokensCount",
            "cacheCreationInputTokens",
        ),
    )
    cacheDetails: list[CacheDetail] | None = None
    webSearchRequests: Searches = 0

    def read(self, model: str) -> ReadUsage:
        """As they stand; lifetimes of cache writes by `cacheDetails`."""
        by_ttl = {"5m": 0, "1h": 0}
        for detail in self.cacheDetails or ():
            if detail.ttl in by_ttl:
                by_ttl[detail.ttl] += detail.inputTokens
        writes = Writes(self.written, by_ttl["5m"], by_ttl["1h"])
        five_minutes, one_hour = writes.split()
        return ReadUsage(
            Usage(
                self.inputTokens,
                self.outputTokens,
                five_minutes,
                one_hour,
                self.read_tokens,
                self.webSearchRequests,
            )
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
)
EXPECTED = (
    "has none of the counts that are expected: input_tokens and output_tokens"
    " (Anthropic, OpenAI responses), prompt_tokens and completion_tokens (OpenAI),"
    " gen_ai.usage.input_tokens and gen_ai.usage.output_tokens (OpenTelemetry), or"
    " inputTokens and outputTokens (Bedrock)"
)


def shape_of(usage: dict[str, Any]) -> Shape | None:
    """The shape a usage is in; None where it has no count that is known (M4b)."""
    if "input_tokens_details" in usage:
        return ChatUsage
    for keys, shape in SHAPES:
        if _has_count(usage, keys):
            return shape
    return MessagesUsage if _has_count(usage, MESSAGES_KEYS) else None


def _has_count(usage: dict[str, Any], keys: tuple[str, ...]) -> bool:
    return any(usage.get(key) not in (None, {}, []) for key in keys)
