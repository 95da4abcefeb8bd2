"""What operators watch: measures read from rows when Prometheus asks.

A room says what is to be watched there; whoever answers `/metrics` asks all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One gauge: its name without the product's, and its values by `label`; without a
    label the one value stands under the empty text. Times are seconds.
    """

    name: str
    text: str
    values: Mapping[str, float]
    label: str = ""


def single(name: str, text: str, value: float) -> Measure:
    """A gauge with one value."""
    return Measure(name, text, {"": value})


def age(moment: dt.datetime | None, now: dt.datetime) -> float:
    """Seconds since a moment; zero where there is none."""
    return max(0, (now - moment).total_seconds()) if moment else 0


Reader = Callable[[dt.datetime], Iterable[Measure]]
_READERS: dict[str, Reader] = {}


def measures(reader: Reader) -> Reader:
    """Mark a function that reads measures at a moment: with few statements that an index
    answers, since it runs several times a minute.
    """
    _READERS[f"{reader.__module__}.{reader.__qualname__}"] = reader
    return reader


def readers() -> list[Reader]:
    """All that are registered."""
    return list(_READERS.values())
