"""Which thresholds are newly reached, and which a raised limit leaves behind (N1, N1a).

Pure: whole nano-USD and whole per cent, compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Reach(NamedTuple):
    """What is spent of a limit; a limit of None is none at all."""

    spent_nanos: int
    limit_nanos: int | None

    def reaches(self, percent: int) -> bool:
        """Whether that much of the limit is spent; of no limit nothing ever is, of a
        limit of 0 everything is.
        """
        if self.limit_nanos is None:
            return False
        return self.spent_nanos * 100 >= self.limit_nanos * percent


def newly_reached(before: Reach, after: Reach, percents: Iterable[int]) -> int | None:
    """The highest per cent that is reached now and was not before; None for none.

    A jump over several is one. A limit of 0 allows none, which its page says; nobody
    comes near it by spending.
    """
    if not after.limit_nanos:
        return None
    reached = (
        percent
        for percent in percents
        if after.reaches(percent) and not before.reaches(percent)
    )
    return max(reached, default=None)


def newly_passed(
    before_nanos: int, after_nanos: int, amounts: Iterable[int]
) -> int | None:
    """The highest of these amounts (soft limits) that is reached now and was not before."""
    passed = (amount for amount in amounts if before_nanos < amount <= after_nanos)
    return max(passed, default=None)


def has_fallen_to(mark_nanos: int, *, before_nanos: int, after_nanos: int) -> bool:
    """Whether a balance reached a mark from above."""
    return after_nanos <= mark_nanos < before_nanos


def is_overtaken(percent: int, held: Reach) -> bool:
    """Whether a notice of so many per cent is no longer true: a raised limit leaves less
    of it spent, or there is no limit any more.
    """
    return not held.reaches(percent)
