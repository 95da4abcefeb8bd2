"""Usage as OpenAI, OpenTelemetry's GenAI conventions and Bedrock's Converse report it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from billing.metering.api.shapes.messages import (
    CacheCreation,
    Iterations,
    Lenient,
    ReadUsage,
    Searches,
    ServerToolUse,
    Tokens,
    by_parts,
    or_nothing,
    searches_of,
    without_nulls,
    writes_of,
)
from billing.metering.rules.iterations import Iteration, Writes
from billing.prices.rules import MESSAGE, Part


class AudioDetails(Lenient):
    """What of the answer was audio."""

    audio_tokens: Tokens = 0


class PromptDetails(AudioDetails):
    """What of the prompt was cached. OpenRouter and LiteLLM name what was written."""

    cached_tokens: Tokens = 0
    written: Tokens = Field(
        default=0,
        validation_alias=AliasChoices("cache_write_tokens", "cache_creation_tokens"),
    )


class ChatUsage(Lenient):
    """OpenAI's chat completions and responses: the prompt includes cached tokens."""

    prompt: Tokens = Field(
        default=0, validation_alias=AliasChoices("prompt_tokens", "input_tokens")
    )
    completion: Tokens = Field(
        default=0, validation_alias=AliasChoices("completion_tokens", "output_tokens")
    )
    details: Annotated[PromptDetails | None, BeforeValidator(or_nothing)] = Field(
        default=None,
        validation_alias=AliasChoices("prompt_tokens_details", "input_tokens_details"),
    )
    completion_details: Annotated[AudioDetails | None, BeforeValidator(or_nothing)] = (
        Field(
            default=None,
            validation_alias=AliasChoices(
                "completion_tokens_details", "output_tokens_details"
            ),
        )
    )
    iterations: Iterations = None
    # LiteLLM adds Anthropic's own counts, which are in the prompt as well.
    cache_read_input_tokens: Tokens = 0
    cache_creation_input_tokens: Tokens = 0
    cache_creation: Annotated[CacheCreation | None, BeforeValidator(or_nothing)] = None
    server_tool_use: Annotated[ServerToolUse | None, BeforeValidator(or_nothing)] = None

    def read(self, model: str) -> ReadUsage:
        """Cached tokens taken out of the prompt; audio is priced like text, estimated."""
        details = self.details or PromptDetails()
        written = max(details.written, self.cache_creation_input_tokens)
        writes = writes_of(written, self.cache_creation)
        cached = max(details.cached_tokens, self.cache_read_input_tokens)
        top, notes = _without_cached(self.prompt, self.completion, writes, cached)
        read = by_parts(
            top,
            self.iterations,
            model=model,
            searches=searches_of(self.server_tool_use),
            notes=notes,
        )
        return _estimated(read, model) if self._has_audio() else read

    def _has_audio(self) -> bool:
        sides = (self.details, self.completion_details)
        return any(side is not None and side.audio_tokens for side in sides)


def _estimated(read: ReadUsage, model: str) -> ReadUsage:
    """A usage with audio tokens, which have no class of their own."""
    parts = read.parts or (Part(MESSAGE, model, read.usage),)
    return ReadUsage(
        read.usage,
        tuple(part._replace(is_guessed=True) for part in parts),
        (*read.notes, "Audio tokens are priced like text tokens."),
    )


def _without_cached(
    prompt: int, completion: int, writes: Writes, read: int
) -> tuple[Iteration, tuple[str, ...]]:
    """What a prompt that includes its cached tokens used, and what is to be noted."""
    cached = sum(writes.split()) + read
    notes: tuple[str, ...] = ()
    if cached > prompt:
        notes = (
            f"The prompt of {prompt} tokens can't include {cached} cached ones; they"
            " were added to it.",
        )
        cached = 0
    return Iteration(MESSAGE, None, prompt - cached, completion, writes, read), notes


class TelemetryUsage(Lenient):
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
        top, notes = _without_cached(
            self.prompt, self.completion, Writes(self.written), self.cached
        )
        return ReadUsage(top.usage(), (), notes)


class CacheDetail(Lenient):
    inputTokens: Tokens = 0
    ttl: str | None = None


class ConverseUsage(Lenient):
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
    cacheDetails: Annotated[
        list[CacheDetail] | None, BeforeValidator(without_nulls)
    ] = None
    webSearchRequests: Searches = 0

    def read(self, model: str) -> ReadUsage:
        """As they stand; lifetimes of cache writes by `cacheDetails`."""
        by_ttl = {"5m": 0, "1h": 0}
        for detail in self.cacheDetails or ():
            if detail.ttl in by_ttl:
                by_ttl[detail.ttl] += detail.inputTokens
        writes = Writes(self.written, by_ttl["5m"], by_ttl["1h"])
        top = Iteration(
            MESSAGE,
            None,
            self.inputTokens,
            self.outputTokens,
            writes,
            self.read_tokens,
        )
        return ReadUsage(top.usage(searches=self.webSearchRequests))
