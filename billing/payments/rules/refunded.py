"""What of a charge's refunds is known by its sum alone, and which of that a refund told by
its ID accounts for: the same for purchases and for invoices, in whatever order news come.

Pure; amounts are nano-USD, times aware UTC instants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple


class Unnamed(NamedTuple):
    """What was kept without an ID because of a sum told at `told_at`; None: not known
    when.
    """

    id: int
    amount_nanos: int
    told_at: dt.datetime | None


class Kept(NamedTuple):
    """A refund that is kept, with or without an ID; `failed_at` None: it holds."""

    amount_nanos: int
    failed_at: dt.datetime | None


def unexplained_nanos(
    so_far_nanos: int, kept: Iterable[Kept], *, told_at: dt.datetime
) -> int:
    """What a sum told at `told_at` has beyond the refunds that are kept; never below 0.

    One that failed later is in the sum, one that failed before is not.
    """
    known_nanos = sum(
        refund.amount_nanos
        for refund in kept
        if refund.failed_at is None or refund.failed_at >= told_at
    )
    return max(0, so_far_nanos - known_nanos)


def parts_accounted_for(
    unnamed: Iterable[Unnamed], amount_nanos: int, *, failed_at: dt.datetime | None
) -> dict[int, int]:
    """How much a refund new by its ID takes out of each of the unnamed, by their id.

    Also one that failed, since the sum had it: but not out of a sum told after it had
    failed. The latest sums go first: what is left may be of one that failed earlier.
    """
    left_nanos = amount_nanos
    taken = {}
    for part in _latest_first(unnamed):
        had_failed = failed_at and part.told_at and failed_at < part.told_at
        if had_failed or not left_nanos:
            continue
        taken[part.id] = min(left_nanos, part.amount_nanos)
        left_nanos -= taken[part.id]
    return taken


def _latest_first(unnamed: Iterable[Unnamed]) -> list[Unnamed]:
    """Those of which it is not known when they were told go last."""
    always = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(
        unnamed, key=lambda part: (part.told_at or always, part.id), reverse=True
    )
