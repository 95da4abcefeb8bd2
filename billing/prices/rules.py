"""What a request costs (M2-M4): exact integers, one half-even rounding to nano-USD.

Pure arithmetic over a price book read from the database. Rates are nano-USD per million
tokens (per thousand web searches); total input counts uncached, cache-write and
cache-read tokens, as `genai_prices` counts it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from config.kit.money import half_even

FALLBACK = ""


class TokenClass(NamedTuple):
    """One thing a request is charged for: the field that counts it, the field of its
    rate, what words call it, and how many the rate is for.
    """

    field: str
    rate: str
    label: str
    per: int = 1_000_000


# Everything a request is charged for, in the order in which it is shown. `Usage` and
# `UsageEvent` have the fields, `Rates` and `ModelPrice` the rates.
TOKEN_CLASSES = (
    TokenClass("input_tokens", "input_nanos", "input"),
    TokenClass("output_tokens", "output_nanos", "output"),
    TokenClass("cache_write_5m_tokens", "cache_write_5m_nanos", "cache_write_5m"),
    TokenClass("cache_write_1h_tokens", "cache_write_1h_nanos", "cache_write_1h"),
    TokenClass("cache_read_tokens", "cache_read_nanos", "cache_read"),
    TokenClass("web_searches", "web_search_nanos", "web_search", per=1_000),
)
_counts_of = attrgetter(*(token_class.field for token_class in TOKEN_CLASSES))
_rates_of = attrgetter(*(token_class.rate for token_class in TOKEN_CLASSES))


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens of one request by class. `input_tokens` does not include cache tokens."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    web_searches: int = 0

    @property
    def total_input(self) -> int:
        """All tokens that went in; it decides the context tier."""
        return (
            self.input_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
            + self.cache_read_tokens
        )

    @classmethod
    def of(cls, event: Any) -> Usage:
        """What an event's row counted."""
        return cls(*_counts_of(event))

    def as_tuple(self) -> tuple[int, ...]:
        """The counts, in the order of `TOKEN_CLASSES`."""
        return _counts_of(self)


@dataclass(slots=True, frozen=True)
class Rates:
    """One price row: its rates hold from `starts_on` (UTC date) for requests of more
    than `context_above` input tokens.
    """

    price_id: int
    starts_on: dt.date
    context_above: int
    input_nanos: int
    output_nanos: int
    cache_write_5m_nanos: int
    cache_write_1h_nanos: int
    cache_read_nanos: int
    web_search_nanos: int

    def as_tuple(self) -> tuple[int, ...]:
        """The rates, in the order of `TOKEN_CLASSES`."""
        return _rates_of(self)


def cost_nanos(usage: Usage, rates: Rates) -> int:
    """Σ tokens × rate in nano-USD, rounded half-even once (M3).

    Written out, since every event recorded asks it.
    """
    tokens = (
        usage.input_tokens * rates.input_nanos
        + usage.output_tokens * rates.output_nanos
        + usage.cache_write_5m_tokens * rates.cache_write_5m_nanos
        + usage.cache_write_1h_tokens * rates.cache_write_1h_nanos
        + usage.cache_read_tokens * rates.cache_read_nanos
    )
    return half_even(
        tokens + usage.web_searches * rates.web_search_nanos * 1_000, 1_000_000
    )


class Charge(NamedTuple):
    """What one request costs, by which price row; `estimated` where that is the
    fallback's (M4).
    """

    cost_nanos: int
    price_id: int
    estimated: bool


@dataclass(slots=True)
class PriceHistory:
    """One model's rows in force: for each start date its context tiers, ascending."""

    starts: list[dt.date] = field(default_factory=list)
    tiers: list[list[Rates]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Rates]) -> PriceHistory:
        """Rows in any order."""
        history = cls()
        for row in sorted(rows, key=lambda row: (row.starts_on, row.context_above)):
            if not history.starts or history.starts[-1] != row.starts_on:
                history.starts.append(row.starts_on)
                history.tiers.append([])
            history.tiers[-1].append(row)
        return history

    def at(self, on: dt.date, *, total_input: int) -> Rates | None:
        """The row for a UTC date and context size; None before the first start.

        A tier holds strictly above its start.
        """
        index = bisect_right(self.starts, on) - 1
        if index < 0:
            return None
        fitting = [
            row
            for row in self.tiers[index]
            if row.context_above == 0 or total_input > row.context_above
        ]
        return fitting[-1] if fitting else None


@dataclass(slots=True)
class PriceBook:
    """All prices in force.

    `resolve` names the book's model for one it has no row of, or None.
    """

    histories: dict[str, PriceHistory]
    resolve: Callable[[str], str | None]
    version: int = 0
    _names: dict[str, str] = field(default_factory=dict)

    def known_name(self, model: str) -> str:
        """The name under which the book prices `model`; FALLBACK when nobody has a
        price for it.
        """
        name = self._names.get(model)
        if name is None:
            name = self._look_up(model)
            if len(self._names) < 10_000:  # model names come from outside
                self._names[model] = name
        return name

    def _look_up(self, model: str) -> str:
        if model in self.histories and model != FALLBACK:
            return model
        name = self.resolve(model)
        return name if name in self.histories and name else FALLBACK

    def rates_for(
        self, model: str, *, occurred_at: dt.datetime, total_input: int
    ) -> tuple[Rates, bool]:
        """The rates of a request and whether they are the fallback's (M4).

        Raises LookupError without a fallback row.
        """
        name = self.known_name(model)
        if name:
            on = occurred_at.astimezone(dt.UTC).date()
            rates = self.histories[name].at(on, total_input=total_input)
            if rates is not None:
                return rates, False
        return self._fallback(), True

    def charge_of(
        self, usage: Usage, *, model: str, occurred_at: dt.datetime
    ) -> Charge:
        """What a request costs at the prices of its time.

        Raises LookupError without a fallback row.
        """
        rates, estimated = self.rates_for(
            model, occurred_at=occurred_at, total_input=usage.total_input
        )
        return Charge(cost_nanos(usage, rates), rates.price_id, estimated)

    def _fallback(self) -> Rates:
        history = self.histories.get(FALLBACK, PriceHistory())
        rates = history.at(dt.date.max, total_input=0)
        if rates is None:
            raise LookupError(
                "The price list has no fallback rate; run `manage.py sync_prices`."
            )
        return rates
