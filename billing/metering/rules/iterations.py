"""The parts of a request by the iterations its usage names (M3). Pure.

The Messages API's own words: the top-level counts are the sum of the `message` iterations;
compactions and advisors are not in them; a `fallback_message` names the model that served,
and then the declined message before it is not billed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from billing.prices.rules import MESSAGE, Part, Usage

COMPACTION, ADVISOR, FALLBACK_MESSAGE = (
    "compaction",
    "advisor_message",
    "fallback_message",
)
FIVE_MINUTES, ONE_HOUR = "5m", "1h"


class Writes(NamedTuple):
    """Tokens written to the cache: in all, and those whose lifetime is named."""

    total: int = 0
    five_minutes: int = 0
    one_hour: int = 0

    @property
    def only_lifetime(self) -> str | None:
        """The lifetime, where only one is named."""
        if self.one_hour and not self.five_minutes:
            return ONE_HOUR
        if self.five_minutes and not self.one_hour:
            return FIVE_MINUTES
        return None

    def split(self, *, otherwise: str | None = None) -> tuple[int, int]:
        """Five-minute and one-hour tokens: what is named, and the rest at the only
        lifetime named, else at `otherwise`, else at five minutes, the API's default.
        """
        rest = self.total - self.five_minutes - self.one_hour
        if rest <= 0:
            return self.five_minutes, self.one_hour
        if (self.only_lifetime or otherwise) == ONE_HOUR:
            return self.five_minutes, self.one_hour + rest
        return self.five_minutes + rest, self.one_hour


class Iteration(NamedTuple):
    """One iteration as reported; the top level of a usage reads the same."""

    kind: str
    model: str | None
    input_tokens: int
    output_tokens: int
    writes: Writes
    cache_read_tokens: int

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """What sums are compared by: the split of writes is often told in part."""
        written = max(
            self.writes.total, self.writes.five_minutes + self.writes.one_hour
        )
        return self.input_tokens, self.output_tokens, written, self.cache_read_tokens

    def usage(self, *, lifetime: str | None = None, searches: int = 0) -> Usage:
        """As token classes."""
        five_minutes, one_hour = self.writes.split(otherwise=lifetime)
        return Usage(
            self.input_tokens,
            self.output_tokens,
            five_minutes,
            one_hour,
            self.cache_read_tokens,
            searches,
        )


def parts_of(
    top: Iteration, iterations: Sequence[Iteration], *, model: str, searches: int
) -> list[Part]:
    """The priced parts of a request that asked for `model`, in the order they ran.

    A rest that the top level counts and no iteration explains is a part by itself, and
    guessed; so is every iteration of a kind not known.
    """
    served = _served(top, iterations)
    lifetime = top.writes.only_lifetime
    unnamed = _Lifetimes(top, served)
    rest = _rest(top, served)
    is_short = any(count < 0 for count in rest)
    parts = []
    for iteration in iterations:
        is_served = iteration in served
        if iteration.kind in (MESSAGE, FALLBACK_MESSAGE) and not is_served:
            continue
        writes = unnamed.name(iteration.writes) if is_served else iteration.writes
        usage = iteration._replace(writes=writes).usage(lifetime=lifetime)
        if not any(usage.as_tuple()):
            continue
        at, is_guessed = _model_of(iteration, model)
        is_guessed = is_guessed or (is_short and is_served)
        parts.append(Part(iteration.kind, at, usage, is_guessed))
    if any(count > 0 for count in rest):
        usage = _rest_usage(rest, unnamed, lifetime)
        parts.append(Part(MESSAGE, model, usage, is_guessed=bool(served)))
    return _with_searches(parts, searches, model=model)


class _Lifetimes:
    """The lifetimes that the top level names for cache writes and its iterations don't."""

    def __init__(self, top: Iteration, served: Sequence[Iteration]) -> None:
        named = [one.writes for one in served]
        self.five_minutes = top.writes.five_minutes - sum(
            one.five_minutes for one in named
        )
        self.one_hour = top.writes.one_hour - sum(one.one_hour for one in named)

    def name(self, writes: Writes) -> Writes:
        """Writes with as many of these lifetimes as it has tokens without one."""
        rest = max(0, writes.total - writes.five_minutes - writes.one_hour)
        one_hour = max(0, min(rest, self.one_hour))
        five_minutes = max(0, min(rest - one_hour, self.five_minutes))
        self.one_hour -= one_hour
        self.five_minutes -= five_minutes
        return Writes(
            writes.total,
            writes.five_minutes + five_minutes,
            writes.one_hour + one_hour,
        )


def _served(top: Iteration, iterations: Sequence[Iteration]) -> list[Iteration]:
    """The iterations that the top level is the sum of."""
    messages = [one for one in iterations if one.kind == MESSAGE]
    fallbacks = [one for one in iterations if one.kind == FALLBACK_MESSAGE]
    known = {MESSAGE, FALLBACK_MESSAGE, COMPACTION, ADVISOR}
    others = [one for one in iterations if one.kind not in known]
    guesses = [messages, fallbacks, messages + fallbacks, messages + others]
    if fallbacks:
        guesses = [fallbacks, messages + fallbacks, messages, fallbacks + others]
    for guess in guesses:
        if guess and _sum(guess) == top.counts:
            return guess
    return fallbacks or messages


def _sum(iterations: Sequence[Iteration]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*(one.counts for one in iterations), strict=True)))


def _rest(top: Iteration, served: Sequence[Iteration]) -> tuple[int, ...]:
    """What the top level counts more than the iterations it is the sum of."""
    explained = _sum(served) if served else (0, 0, 0, 0)
    return tuple(
        count - sum_of_served
        for count, sum_of_served in zip(top.counts, explained, strict=True)
    )


def _rest_usage(
    rest: tuple[int, ...], unnamed: _Lifetimes, lifetime: str | None
) -> Usage:
    input_tokens, output_tokens, written, read = (max(0, count) for count in rest)
    writes = unnamed.name(Writes(written))
    iteration = Iteration(MESSAGE, None, input_tokens, output_tokens, writes, read)
    return iteration.usage(lifetime=lifetime)


def _model_of(iteration: Iteration, model: str) -> tuple[str, bool]:
    """The model that ran an iteration, and whether that had to be guessed."""
    if iteration.kind in (MESSAGE, COMPACTION):
        return model, False
    is_known = iteration.kind in (ADVISOR, FALLBACK_MESSAGE)
    return iteration.model or model, not is_known or iteration.model is None


def _with_searches(parts: list[Part], searches: int, *, model: str) -> list[Part]:
    """Searches are told for the whole request; its own first part has them."""
    if not searches:
        return parts
    own = (MESSAGE, FALLBACK_MESSAGE)
    for number, part in enumerate(parts):
        if part.kind in own:
            usage = replace(part.usage, web_searches=searches)
            parts[number] = part._replace(usage=usage)
            return parts
    return [Part(MESSAGE, model, Usage(web_searches=searches)), *parts]
