"""Owners read in their activity which prices changed of what their people used (C8)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from accounts.actions.audit import Actor, record_for_many
from billing.prices.audit import price_values
from billing.prices.queries import organizations_using
from billing.prices.queries.listed import PriceKey
from billing.prices.rules import PricedModel


class RateChange(NamedTuple):
    """The rates of one row before (None: there was none) and after."""

    key: PriceKey
    before: dict[str, int] | None
    after: dict[str, int]


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
