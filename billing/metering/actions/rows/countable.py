"""Sums that leave their bounds (E5a): one answer for what either database says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, DataError, IntegrityError
from django.utils.translation import gettext as _

from billing.models.limits import COUNTABLE, MOST_COUNTED_NANOS
from config.kit.errors import BusinessError
from config.kit.money import format_usd

# PostgreSQL's own refusal of a sum that passes 64 bits on its way to the counter.
OUT_OF_RANGE = "22003"


class Uncountable(BusinessError):
    """What was to be booked would bring a sum beyond what is counted."""

    code = "uncountable"
    status = 422


def uncountable_sentence() -> str:
    """What is wrong with an event or a difference that does not fit, and what to do."""
    return _(
        "Recorded, this would bring a total of the organization over %(most)s a month, "
        "which no real usage reaches. Check the counts that are sent and the price of "
        "the model."
    ) % {"most": format_usd(MOST_COUNTED_NANOS)}


@contextmanager
def within_bounds() -> Iterator[None]:
    """Raise Uncountable where the database refuses a counter; the transaction is lost.

    On PostgreSQL the refusal may come as late as the end of the pipeline, so this goes
    around whatever is sent together.
    """
    try:
        yield
    except DatabaseError as error:
        if not _is_out_of_bounds(error):
            raise
        raise Uncountable(uncountable_sentence(), field="amount") from error


def _is_out_of_bounds(error: DatabaseError) -> bool:
    if isinstance(error, DataError):
        return getattr(error.__cause__, "sqlstate", "") == OUT_OF_RANGE
    return isinstance(error, IntegrityError) and COUNTABLE in str(error)
