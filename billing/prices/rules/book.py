"""What a request costs (M2-M4): exact integers, one half-even rounding a part to nano-USD.

Pure arithmetic over a price book read from the database. Rates are nano-USD per million
tokens (per thousand web searches); total input counts uncached, cache-write and
cache-read tokens, as `genai_prices` counts it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import NamedTuple

from billing.prices.rules.factors import ONE, Applied, FactorBook
from billing.prices.rules.names import canonical
from billing.prices.rules.usage import TOKEN_CLASSES, Usage
from config.kit.money import half_even

MILLION = 1_000_000
# The model of a provider's fallback rates, and the provider of last resort (M4).
FALLBACK = ""
FIRST_PROVIDER = "anthropic"
# Names come from outside: no more of them are kept than this.
MOST_NAMES = 10_000

_rates_of = attrgetter(*(token_class.rate for token_class in TOKEN_CLASSES))


class PricedModel(NamedTuple):
    """A model as the price list names it; `FALLBACK` stands for a provider's fallback."""

    provider: str
    model: str

    @property
    def path(self) -> str:
        """`provider/model`, as the patterns of factors and the pages write it."""
        return f"{self.provider}/{self.model}"


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

    @property
    def is_free(self) -> bool:
        """Whether the list says that there is nothing to pay."""
        return not any(self.as_tuple())


def cost_nanos(usage: Usage, rates: Rates, factors: tuple[Applied, ...] = ()) -> int:
    """Σ tokens × rate × factors + searches × rate in nano-USD, rounded half-even once
    (M3, M3a).

    Written out, since every event recorded asks it.
    """
    tokens = (
        usage.input_tokens * rates.input_nanos
        + usage.output_tokens * rates.output_nanos
        + usage.cache_write_5m_tokens * rates.cache_write_5m_nanos
        + usage.cache_write_1h_tokens * rates.cache_write_1h_nanos
        + usage.cache_read_tokens * rates.cache_read_nanos
    )
    searches = usage.web_searches * rates.web_search_nanos * 1_000
    divisor = MILLION
    for factor in factors:
        if factor.millionths is not None:
            tokens *= factor.millionths
            searches *= ONE
            divisor *= ONE
    return half_even(tokens + searches, divisor)


class Charge(NamedTuple):
    """What one part costs, by which price row and factors; `estimated` where that row is
    a fallback's (M4) or a condition has no factor (M3a).
    """

    cost_nanos: int
    price_id: int
    estimated: bool
    factors: tuple[Applied, ...] = ()


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
        for row in reversed(self.tiers[index]):
            if row.context_above == 0 or total_input > row.context_above:
                return row
        return None


# Which models of the package a name may mean, the best guess first, and the provider it
# tells; `(name, provider)`, the provider empty where none was reported.
Candidates = Callable[[str, str], Iterable[PricedModel]]


@dataclass(slots=True)
class PriceBook:
    """All prices, factors and names in force.

    `entered` are the models operators have entered a price for;
    `aliases` what operators say a name is the same as, by its canonical spelling.
    """

    histories: dict[PricedModel, PriceHistory]
    candidates: Candidates
    provider_of: Callable[[str, str], str | None]
    factors: FactorBook = field(default_factory=FactorBook)
    entered: set[PricedModel] = field(default_factory=set)
    aliases: dict[str, PricedModel] = field(default_factory=dict)
    version: int = 0
    _known: dict[tuple[str, str], PricedModel] = field(default_factory=dict)

    def with_alias(self, name: str, model: PricedModel) -> PriceBook:
        """The book as it would be if `name` were the same as `model`."""
        aliases = {**self.aliases, canonical(name): model}
        return replace(self, aliases=aliases, _known={})

    def without_alias(self, name: str) -> PriceBook:
        """The book as it would be if nobody had said what `name` is the same as."""
        plain = canonical(name)
        aliases = {one: same for one, same in self.aliases.items() if one != plain}
        return replace(self, aliases=aliases, _known={})

    def is_alias(self, name: str) -> bool:
        """Whether operators said what `name` is the same as."""
        return canonical(name) in self.aliases

    def priced_model(self, model: str, provider: str = "") -> PricedModel:
        """The model under which the book prices a reported name (M4a); FALLBACK of the
        provider the name tells when nobody has a price for it.
        """
        known = self._known.get((model, provider))
        if known is None:
            known = self._look_up(model, provider)
            if len(self._known) < MOST_NAMES:
                self._known[model, provider] = known
        return known

    def _look_up(self, model: str, provider: str) -> PricedModel:
        alias = self.aliases.get(canonical(model))
        if alias is not None and alias in self.histories:
            return alias
        told = self.provider_of(model, provider) or FIRST_PROVIDER
        candidates = self.candidates(model, provider)
        found = next((one for one in candidates if one in self.histories), None)
        # A row of the name itself, entered at the provider it tells, comes before what
        # that provider lists, but not before what the one that served it does; one at
        # another provider is asked only where nobody else has a price.
        entered = PricedModel(told, model)
        if entered in self.entered and (found is None or found.provider == told):
            return entered
        return found or self._exact(model, provider) or self._fallback_of(told)

    def _exact(self, model: str, provider: str) -> PricedModel | None:
        """A row of exactly this name, though the package knows none."""
        exact = PricedModel(provider or FIRST_PROVIDER, model)
        if model and exact in self.histories:
            return exact
        entered = (one for one in self.entered if one.model == model)
        return min(
            (one for one in entered if provider in ("", one.provider)), default=None
        )

    def _fallback_of(self, provider: str) -> PricedModel:
        fallback = PricedModel(provider, FALLBACK)
        if fallback in self.histories:
            return fallback
        return PricedModel(FIRST_PROVIDER, FALLBACK)

    def rates_for(
        self, priced: PricedModel, *, on: dt.date, total_input: int
    ) -> tuple[Rates, bool]:
        """The rates of a request on a UTC date, and whether they are a fallback's (M4).

        Raises LookupError without a fallback row.
        """
        if priced.model != FALLBACK:
            rates = self.histories[priced].at(on, total_input=total_input)
            if rates is not None:
                return rates, False
        for provider in (priced.provider, FIRST_PROVIDER):
            history = self.histories.get(PricedModel(provider, FALLBACK))
            rates = history.at(dt.date.max, total_input=0) if history else None
            if rates is not None:
                return rates, True
        raise LookupError(
            "The price list has no fallback rate; run `manage.py sync_prices`."
        )

    def is_free(
        self, model: str, *, occurred_at: dt.datetime, provider: str = ""
    ) -> bool:
        """Whether a model costs nothing by its list: it is known, with rates of zero."""
        priced = self.priced_model(model, provider)
        on = occurred_at.astimezone(dt.UTC).date()
        rates, estimated = self.rates_for(priced, on=on, total_input=0)
        return not estimated and rates.is_free

    def charge_of(
        self,
        usage: Usage,
        *,
        model: str,
        occurred_at: dt.datetime,
        provider: str = "",
        conditions: Mapping[str, str] | None = None,
    ) -> Charge:
        """What one part costs at the prices of its time.

        Raises LookupError without a fallback row.
        """
        on = occurred_at.astimezone(dt.UTC).date()
        priced = self.priced_model(model, provider)
        rates, estimated = self.rates_for(priced, on=on, total_input=usage.total_input)
        if not conditions:
            return Charge(cost_nanos(usage, rates), rates.price_id, estimated)
        factors = self.factors.applied(conditions, model=priced.path, on=on)
        is_guessed = any(factor.millionths is None for factor in factors)
        return Charge(
            cost_nanos(usage, rates, factors),
            rates.price_id,
            estimated or is_guessed,
            factors,
        )
