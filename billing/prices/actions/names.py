"""What operators say a reported name is the same as (M4a), kept in the audit."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from billing.models import ModelAlias, ModelPrice, PriceSource
from billing.prices.actions.telling import NameChange, tell_of_names
from billing.prices.actions.version import count_version_up, lock_price_list
from billing.prices.queries.published import SAME_PRICES
from billing.prices.rules import FALLBACK, PricedModel
from billing.prices.rules.names import canonical
from config.kit.errors import BusinessError


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
    _keep(NameChange(plain, from_value, same_as.path), actor=actor, now=now)
    return alias


@transaction.atomic
def end_name(name: str, *, actor: Actor, now: dt.datetime) -> None:
    """From now on a reported name is looked up as if nobody had said what it means; what
    it meant stays in the audit, and events keep what they were priced as.

    Raises BusinessError `unknown_name` for one that has no row, and `published_name` for
    one that the next synchronisation would bring back.
    """
    lock_price_list()
    plain = canonical(name)
    alias = ModelAlias.objects.filter(name=plain).first()
    if alias is None:
        raise BusinessError(
            _("Nobody has said what “%(name)s” is the same as.") % {"name": name},
            code="unknown_name",
            status=422,
            field="name",
        )
    if plain in SAME_PRICES:
        raise BusinessError(
            _(
                "“%(name)s” is a published name: the next synchronisation would bring it "
                "back. Say what it is the same as instead."
            )
            % {"name": plain},
            code="published_name",
            field="name",
        )
    was = f"{alias.provider}/{alias.model}"
    alias.delete()
    _keep(NameChange(plain, was, None), actor=actor, now=now)


def _keep(change: NameChange, *, actor: Actor, now: dt.datetime) -> None:
    """Let processes read it, keep it for operators, and tell those who used the name."""
    count_version_up()
    record_change(
        None,
        actor=actor,
        action="prices.name",
        subject=change.name,
        now=now,
        from_value=change.before,
        to_value=change.after,
    )
    tell_of_names([change], actor=actor, now=now)
