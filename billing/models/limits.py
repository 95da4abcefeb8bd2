"""The most that may be counted, in nano-USD, so that no sum leaves 64 bits (E5a).

PostgreSQL refuses a bigint that is too large; SQLite makes a float of it without a word.
So the counters have bounds far below that end, which the database holds, and every sum
of them has room: a report of ten years touches at most 122 months, and 122 times the
most of one month is less than 2**63. The doors refuse what could not be real long before.

Tokens need none: a billion of each class an event fill 64 bits after nine billion events.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db.models import CheckConstraint, Q
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from config.kit.money import NANOS_PER_USD, format_usd

# A counter, a balance, what is pending of one: either way of zero.
MOST_COUNTED_NANOS = 75_000_000 * NANOS_PER_USD
# One event, with all that is booked for it later.
MOST_AN_EVENT_NANOS = 100_000 * NANOS_PER_USD
# One event by a person's own word, their personal token: far more than a request can cost.
MOST_OF_OWN_WORD_NANOS = 200 * NANOS_PER_USD
# A rate, per million tokens or per thousand searches.
MOST_RATE_NANOS = 10_000 * NANOS_PER_USD
# By their names the refusals of these checks are known from others.
COUNTABLE = "_is_countable"


def countable(name: str, *fields: str) -> CheckConstraint:
    """The database refuses a sum beyond `MOST_COUNTED_NANOS`; also one that SQLite made
    a float of, which is larger than any bound.
    """
    held = Q()
    for field in fields:
        held &= Q(**{f"{field}__range": (-MOST_COUNTED_NANOS, MOST_COUNTED_NANOS)})
    return CheckConstraint(condition=held, name=f"{name}{COUNTABLE}")


def at_most(name: str, most: int, *fields: str) -> CheckConstraint:
    """The database refuses an amount above `most`; empty fields have none."""
    held = Q()
    for field in fields:
        held &= Q(**{f"{field}__lte": most}) | Q(**{f"{field}__isnull": True})
    return CheckConstraint(condition=held, name=name)


@deconstructible
class AtMost(MaxValueValidator):
    """Refuse nano-USD above a bound at their field, in dollars as well: who types them
    has mostly slipped by a few zeros.
    """

    def __call__(self, value: Any) -> None:
        if value <= self.limit_value:
            return
        raise ValidationError(
            _(
                "That would be %(amount)s. The most is %(most)s, which is %(nanos)s "
                "nano-USD."
            ),
            code=self.code,
            params={
                "amount": format_usd(value),
                "most": format_usd(self.limit_value),
                "nanos": self.limit_value,
            },
        )
