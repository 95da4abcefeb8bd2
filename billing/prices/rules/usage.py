"""What a request used: token classes, parts, and the conditions it ran under (M3, M3a).

Pure. `Usage` and `UsageEvent` have the fields of `TOKEN_CLASSES`, `Rates` and
`ModelPrice` their rates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

MESSAGE = "message"


class TokenClass(NamedTuple):
    """One thing a request is charged for: the field that counts it, the field of its
    rate, what words call it, and how many the rate is for.
    """

    field: str
    rate: str
    label: str
    per: int = 1_000_000

    @property
    def is_token(self) -> bool:
        """Whether factors multiply it: tools keep their price (M3a)."""
        return self.per == 1_000_000


# Everything a request is charged for, in the order in which it is shown.
TOKEN_CLASSES = (
    TokenClass("input_tokens", "input_nanos", "input"),
    TokenClass("output_tokens", "output_nanos", "output"),
    TokenClass("cache_write_5m_tokens", "cache_write_5m_nanos", "cache_write_5m"),
    TokenClass("cache_write_1h_tokens", "cache_write_1h_nanos", "cache_write_1h"),
    TokenClass("cache_read_tokens", "cache_read_nanos", "cache_read"),
    TokenClass("web_searches", "web_search_nanos", "web_search", per=1_000),
)
_counts_of = attrgetter(*(token_class.field for token_class in TOKEN_CLASSES))


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
    def of(cls, row: Any) -> Usage:
        """What the row of an event, or of a part, counted."""
        return cls(*_counts_of(row))

    @classmethod
    def sum(cls, usages: Iterable[Usage]) -> Usage:
        """All of them added up, class by class."""
        return cls(*map(sum, zip(*(usage.as_tuple() for usage in usages), strict=True)))

    def as_tuple(self) -> tuple[int, ...]:
        """The counts, in the order of `TOKEN_CLASSES`."""
        return _counts_of(self)


class Part(NamedTuple):
    """One inference inside a request, priced by itself (M3): a message, a compaction,
    an advisor's or a fallback's message, at the model that ran it.

    `is_guessed` where the report did not say for certain how it is to be priced.
    """

    kind: str
    model: str
    usage: Usage
    is_guessed: bool = False


# What changes the price beside tokens, and its values that change nothing (M3a).
CONDITIONS = ("speed", "inference_geo", "service_tier")
_CONDITIONS = frozenset(CONDITIONS)
ORDINARY = {
    "speed": {"standard"},
    "inference_geo": {"global", "not_available"},
    "service_tier": {"standard", "default"},
}


def special_conditions(usage: dict[str, Any]) -> dict[str, str]:
    """The conditions in a reported usage that may change its price: those with a value
    that is not the ordinary one.
    """
    special: dict[str, str] = {}
    if _CONDITIONS.isdisjoint(usage):
        return special
    for name in CONDITIONS:
        value = usage.get(name)
        if isinstance(value, str) and value and value.lower() not in ORDINARY[name]:
            special[name] = value.lower()[:40]
    return special
