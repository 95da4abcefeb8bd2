"""What operators decide about prices: a rate, a factor, a name (M2, M3a, M4a).

Each is a new row, kept in the audit; `sync_prices` leaves it alone from then on.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from billing.models import ModelAlias, ModelPrice, PriceFactor, PriceSource
from billing.models.prices import RATE_FIELDS
from billing.prices.actions.syncing import factor_row, price_row
from billing.prices.actions.telling import RateChange, tell_who_pays
from billing.prices.actions.version import count_version_up, lock_price_list
from billing.prices.queries.listed import PriceKey
from billing.prices.queries.published import PublishedFactor
from billing.prices.rules import FALLBACK, PricedModel
from billing.prices.rules.names import canonical
from config.kit.errors import BusinessError


@transaction.atomic
def correct_price(
    key: PriceKey, *, rates: dict[str, int], actor: Actor, now: dt.datetime
) -> ModelPrice:
    """An operator's price for a provider's model, start date and context tier: a new
    row; the one in force is superseded.

    Rates are nano-USD per million tokens (per thousand searches).
    """
    lock_price_list()
    provider, model, starts_on, context_above = key
    in_force = ModelPrice.objects.in_force().filter(
        provider=provider,
        model=model,
        starts_on=starts_on,
        context_above=context_above,
    )
    old_rates: dict[str, Any] | None = in_force.values(*RATE_FIELDS).first()
    in_force.update(superseded_at=now)
    price = price_row(key, rates=rates, source=PriceSource.OPERATOR, now=now)
    price.save()
    count_version_up()
    name = f"{provider}/{model or 'fallback'}"
    record_change(
        None,
        actor=actor,
        action="prices.correct",
        subject=f"{name} from {starts_on} above {context_above} tokens"[:150],
        now=now,
        from_value=old_rates,
        to_value=rates,
    )
    change = RateChange(key, old_rates, rates)
    tell_who_pays([change], action="prices.correct", actor=actor, now=now)
    return price


@transaction.atomic
def enter_factor(
    factor: PublishedFactor, *, actor: Actor, now: dt.datetime
) -> PriceFactor:
    """An operator's factor: a new row; the one in force for the same condition, value,
    pattern and start is superseded.
    """
    lock_price_list()
    condition, value, pattern, starts_on = factor[:4]
    in_force = PriceFactor.objects.in_force().filter(
        condition=condition, value=value, pattern=pattern, starts_on=starts_on
    )
    old = in_force.values_list("millionths", flat=True).first()
    in_force.update(superseded_at=now)
    row = factor_row(factor, source=PriceSource.OPERATOR, now=now)
    row.save()
    count_version_up()
    record_change(
        None,
        actor=actor,
        action="prices.factor",
        subject=f"{condition}={value} {pattern} from {starts_on}"[:150],
        now=now,
        from_value=old,
        to_value=factor.millionths,
    )
    return row


@transaction.atomic
def map_name(
    name: str, *, same_as: PricedModel, actor: Actor, now: dt.datetime
) -> ModelAlias:
    """From now on a reported name is priced as `same_as`; again with another model, as
    that.

    Raises BusinessError `unknown_price` where the price list has no such model.
    """
    lock_price_list()
    prices = ModelPrice.objects.in_force().filter(
        provider=same_as.provider, model=same_as.model
    )
    if same_as.model == FALLBACK or not prices.exists():
        raise BusinessError(
            _("The price list has no model “%(model)s”.") % {"model": same_as.path},
            code="unknown_price",
            status=422,
            field="same_as",
        )
    plain = canonical(name)
    old = ModelAlias.objects.filter(name=plain).first()
    from_value = f"{old.provider}/{old.model}" if old else None
    if old and from_value == same_as.path:
        return old
    alias, _is_new = ModelAlias.objects.update_or_create(
        name=plain,
        defaults={
            "provider": same_as.provider,
            "model": same_as.model,
            "source": PriceSource.OPERATOR,
            "created_at": now,
        },
    )
    count_version_up()
    record_change(
        None,
        actor=actor,
        action="prices.name",
        subject=plain[:150],
        now=now,
        from_value=from_value,
        to_value=same_as.path,
    )
    return alias
