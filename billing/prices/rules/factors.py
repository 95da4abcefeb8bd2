"""What multiplies a price beside tokens (M3a): fast mode, where it ran, the tier of
service. Pure.

Factors are whole millionths: 1.1 is 1,100,000.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

ONE = 1_000_000


class Factor(NamedTuple):
    """One row: for models that match `pattern` (`provider/model`, `*` for anything) from
    `starts_on` (a UTC date) on, `condition` with `value` multiplies every token class.
    """

    condition: str
    value: str
    pattern: str
    starts_on: dt.date
    millionths: int


class Applied(NamedTuple):
    """A condition an event ran under, and what it multiplies by; None where no row says
    so: then it is not guessed and counts as 1.
    """

    condition: str
    value: str
    millionths: int | None


@dataclass(slots=True)
class FactorBook:
    """All factors in force, by condition and value."""

    rows: dict[tuple[str, str], list[Factor]] = field(default_factory=dict)

    @classmethod
    def of(cls, factors: Iterable[Factor]) -> FactorBook:
        """Rows in any order."""
        book = cls()
        for factor in factors:
            book.rows.setdefault((factor.condition, factor.value), []).append(factor)
        return book

    def applied(
        self, conditions: Mapping[str, str], *, model: str, on: dt.date
    ) -> tuple[Applied, ...]:
        """What each condition multiplies by for a model (`provider/model`) on a UTC date."""
        return tuple(
            Applied(condition, value, self._millionths(condition, value, model, on))
            for condition, value in sorted(conditions.items())
        )

    def _millionths(
        self, condition: str, value: str, model: str, on: dt.date
    ) -> int | None:
        """The row that fits best: the closest pattern, then the latest start."""
        fitting = [
            row
            for row in self.rows.get((condition, value), ())
            if row.starts_on <= on and fnmatchcase(model, row.pattern)
        ]
        if not fitting:
            return None
        best = max(fitting, key=lambda row: (_closeness(row.pattern), row.starts_on))
        return best.millionths


def _closeness(pattern: str) -> int:
    """How much of a name a pattern spells out."""
    return len(pattern.replace("*", ""))
