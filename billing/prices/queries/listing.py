"""Whether the installed `genai-prices` still stands behind a price in force (M2).

A model that it ended or no longer has keeps its last price, so that late events are not
priced as unknown; operators are told.
"""

from __future__ import annotations

from functools import lru_cache

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from billing.models import ModelPrice, PriceSource
from billing.prices.queries.package import providers
from billing.prices.rules import FALLBACK, PricedModel


class Listing(TextChoices):
    """How the package lists the model of a price."""

    CURRENT = "current", _("Current")
    ENDED = "ended", _("Ended")
    DROPPED = "dropped", _("No longer listed")


def listing_of(priced: PricedModel, source: str) -> Listing:
    """How the package lists a model; what operators entered is always current."""
    if source == PriceSource.OPERATOR:
        return Listing.CURRENT
    listed = _listed()
    if priced not in listed:
        return Listing.DROPPED
    return Listing.ENDED if listed[priced] else Listing.CURRENT


def is_listed(priced: PricedModel) -> bool:
    """Whether the package has the model, at a price or not; of fallbacks, the provider."""
    return priced in _listed()


@lru_cache(maxsize=1)
def _listed() -> dict[PricedModel, bool]:
    """Every model of the package, and whether it ended; its providers' fallbacks too."""
    models = {
        PricedModel(provider.id, model.id): bool(model.deprecated)
        for provider in providers()
        for model in provider.models
    }
    return models | {PricedModel(one.id, FALLBACK): False for one in providers()}


def prices_listed(
    prices: QuerySet[ModelPrice], listing: Listing
) -> QuerySet[ModelPrice]:
    """Those of the prices that are in force and listed so."""
    rows = ModelPrice.objects.in_force().values_list(
        "pk", "provider", "model", "source"
    )
    ids = [
        pk
        for pk, provider, model, source in rows
        if listing_of(PricedModel(provider, model), source) == listing
    ]
    return prices.filter(pk__in=ids)
