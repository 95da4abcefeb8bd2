"""Usage as Anthropic's Messages API reports it, by its parts where it names iterations."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from billing.metering.rules.iterations import Iteration, Writes, parts_of
from billing.prices.rules import MESSAGE, Part, Usage

# A thousand times the largest context; keeps every sum far inside 64 bits (E5a).
MAX_TOKENS = 1_000_000_000
MAX_SEARCHES = 10_000
MAX_ITERATIONS = 500
MAX_MODEL, MAX_KIND = 300, 40


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


def _is_none(value: Any) -> bool:
    """Some clients write none of something as 0, or as what holds many of it."""
    return value in ([], {}) or (value == 0 and value is not False)


def or_nothing(value: Any) -> Any:
    """An object of counts; None for none."""
    if _is_none(value):
        return None
    if not isinstance(value, dict | BaseModel):
        raise ValueError("must be an object of counts, or null where there are none")
    return value


def without_nulls(value: Any) -> Any:
    """A list without its nulls; None for none."""
    if _is_none(value):
        return None
    if not isinstance(value, list):
        raise ValueError("must be a list of objects, or null where there are none")
    return [item for item in value if item is not None]


Tokens = Annotated[
    int, BeforeValidator(_whole), Field(strict=True, ge=0, le=MAX_TOKENS)
]
Searches = Annotated[
    int, BeforeValidator(_whole), Field(strict=True, ge=0, le=MAX_SEARCHES)
]


class Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class CacheCreation(Lenient):
    ephemeral_5m_input_tokens: Tokens = 0
    ephemeral_1h_input_tokens: Tokens = 0


def writes_of(total: int, split: CacheCreation | None) -> Writes:
    """Tokens written to the cache, with the lifetimes that are named."""
    if split is None:
        return Writes(total)
    return Writes(
        total, split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens
    )


class ServerToolUse(Lenient):
    web_search_requests: Searches = 0


class _Counts(Lenient):
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cache_creation_input_tokens: Tokens = 0
    cache_read_input_tokens: Tokens = 0
    cache_creation: Annotated[CacheCreation | None, BeforeValidator(or_nothing)] = None

    def iteration(self, kind: str, model: str | None) -> Iteration:
        """As the rule of parts reads it."""
        return Iteration(
            kind,
            model,
            self.input_tokens,
            self.output_tokens,
            writes_of(self.cache_creation_input_tokens, self.cache_creation),
            self.cache_read_input_tokens,
        )


class IterationIn(_Counts):
    type: Annotated[str, BeforeValidator(lambda value: value or MESSAGE)] = MESSAGE
    model: str | None = None

    def read(self, notes: list[str]) -> Iteration:
        """As the rule of parts reads it, its names as long as they can be kept."""
        model = self.model
        if model and len(model) > MAX_MODEL:
            notes.append(
                f"The model of an iteration has {len(model)} characters; it was cut to"
                f" {MAX_MODEL}."
            )
            model = model[:MAX_MODEL]
        return self.iteration(self.type[:MAX_KIND], model)


Iterations = Annotated[
    Annotated[list[IterationIn], Field(max_length=MAX_ITERATIONS)] | None,
    BeforeValidator(without_nulls),
]


class MessagesUsage(_Counts):
    """`usage` of the Messages API. `input_tokens` does not include cache tokens."""

    server_tool_use: Annotated[ServerToolUse | None, BeforeValidator(or_nothing)] = None
    iterations: Iterations = None

    def read(self, model: str) -> ReadUsage:
        """By parts where it names iterations (M3)."""
        return by_parts(
            self.iteration(MESSAGE, None),
            self.iterations,
            model=model,
            searches=searches_of(self.server_tool_use),
        )


def searches_of(tools: ServerToolUse | None) -> int:
    """The web searches that were reported."""
    return tools.web_search_requests if tools else 0


def by_parts(
    top: Iteration,
    iterations: list[IterationIn] | None,
    *,
    model: str,
    searches: int,
    notes: tuple[str, ...] = (),
) -> ReadUsage:
    """The parts that a usage names, or the only one as the usage itself."""
    if not iterations:
        return ReadUsage(top.usage(searches=searches), (), notes)
    told: list[str] = list(notes)
    read = [iteration.read(told) for iteration in iterations]
    parts = parts_of(top, read, model=model, searches=searches)
    usage = Usage.sum(part.usage for part in parts) if parts else Usage()
    is_plain = parts in ([], [Part(MESSAGE, model, usage)])
    return ReadUsage(usage, () if is_plain else tuple(parts), tuple(told))
