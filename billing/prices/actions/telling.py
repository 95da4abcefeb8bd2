"""Owners read in their activity which prices, factors and names changed of what their
people used (C8).
"""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from typing import NamedTuple

from accounts.actions.audit import Actor, record_for_many
from billing.prices.audit import factor_value, price_values
from billing.prices.queries import models_in_use, organizations_using
from billing.prices.queries.listed import PriceKey
from billing.prices.rules import PricedModel
from billing.prices.rules.names import canonical


class RateChange(NamedTuple):
    """The rates of one row before (None: there was none) and after."""

    key: PriceKey
    before: dict[str, int] | None
    after: dict[str, int]


class FactorChange(NamedTuple):
    """What a factor was (None: there was none) and is (None: there is none any more), in
    millionths.
    """

    condition: str
    value: str
    pattern: str
    starts_on: dt.date
    before: int | None
    after: int | None


class NameChange(NamedTuple):
    """Which model a name in its canonical spelling was priced as by its own row (None:
    there was none), and is (None: there is none any more).
    """

    name: str
    before: str | None
    after: str | None


def tell_who_pays(
    changes: list[RateChange], *, action: str, actor: Actor, now: dt.datetime
) -> None:
    """Those who used a model read what changed; others are not bothered."""
    users = organizations_using({PricedModel(*change.key[:2]) for change in changes})
    for (provider, model, starts_on, context_above), before, after in changes:
        from_value, to_value = price_values(
            starts_on, context_above, before=before, after=after
        )
        record_for_many(
            users.get(PricedModel(provider, model), ()),
            actor=actor,
            action=action,
            subject=model or "fallback",
            now=now,
            from_value=from_value,
            to_value=to_value,
        )


def tell_of_factors(
    changes: list[FactorChange], *, actor: Actor, now: dt.datetime
) -> None:
    """Those who used a model that a factor is for read what it was and is."""
    used = models_in_use() if changes else []
    for condition, value, pattern, starts_on, before, after in changes:
        record_for_many(
            sorted(
                {
                    one.organization_id
                    for one in used
                    if fnmatchcase(one.priced.path, pattern)
                }
            ),
            actor=actor,
            action="prices.factor",
            subject=f"{condition}={value} {pattern}",
            now=now,
            from_value=before and factor_value(before, starts_on),
            to_value=after and factor_value(after, starts_on),
        )


def tell_of_names(changes: list[NameChange], *, actor: Actor, now: dt.datetime) -> None:
    """Those whose gateway reported the name, however spelled, read what it is priced as."""
    used = models_in_use() if changes else []
    for name, before, after in changes:
        record_for_many(
            sorted(
                {one.organization_id for one in used if canonical(one.called) == name}
            ),
            actor=actor,
            action="prices.name",
            subject=name,
            now=now,
            from_value=before,
            to_value=after,
        )
