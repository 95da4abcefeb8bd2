"""Prices with their history: to read. What changes them is a step, which adds a row."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing.models import ModelPrice
from billing.models.prices import RATE_FIELDS
from billing.prices.admin.rate_steps import RateStep
from billing.prices.admin.steps import CatalogPages, CatalogStep
from billing.prices.queries.listing import Listing, listing_of, prices_listed
from billing.prices.rules import PricedModel
from billing.prices.words import rate_text
from config.kit.filters import happened


class ListingFilter(admin.SimpleListFilter):
    """Prices in force by whether the package still stands behind them."""

    title = _("in genai-prices")
    parameter_name = "listing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each way a model may be listed."""
        return [(str(value), str(label)) for value, label in Listing.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ModelPrice]
    ) -> QuerySet[ModelPrice]:
        """Those that are in force and listed so; all where none is chosen."""
        listing = self.value()
        if listing not in Listing.values:
            return queryset
        return prices_listed(queryset, Listing(str(listing)))


@admin.register(ModelPrice)
class ModelPriceAdmin(CatalogPages):
    steps = (RateStep,)
    list_steps = (RateStep,)
    list_display = (
        "name",
        "provider",
        "starts_on",
        "context_above",
        "input_usd",
        "output_usd",
        "source",
        "listing",
        "created_at",
        "superseded_at",
    )
    list_filter = (
        happened(
            "superseded_at",
            title=_("in force"),
            yes=_("Superseded"),
            no=_("In force"),
        ),
        ListingFilter,
        "source",
        "provider",
    )
    search_fields = ("provider", "model")
    fields = (
        "provider",
        "model",
        "starts_on",
        "context_above",
        *RATE_FIELDS,
        "source",
        "created_at",
        "superseded_at",
    )

    @admin.display(description=_("Model"), ordering="model")
    def name(self, price: ModelPrice) -> str:
        return price.model or str(_("Fallback rate"))

    @admin.display(description=_("Input, USD per million"), ordering="input_nanos")
    def input_usd(self, price: ModelPrice) -> str:
        return rate_text(price.input_nanos)

    @admin.display(description=_("Output, USD per million"), ordering="output_nanos")
    def output_usd(self, price: ModelPrice) -> str:
        return rate_text(price.output_nanos)

    @admin.display(description=_("In genai-prices"), empty_value="–")
    def listing(self, price: ModelPrice) -> str | None:
        """How the package lists the model of a price in force."""
        if price.superseded_at is not None:
            return None
        model = PricedModel(price.provider, price.model)
        return str(listing_of(model, price.source).label)

    def row_steps(
        self, row: ModelPrice
    ) -> list[tuple[type[CatalogStep], dict[str, Any]]]:
        """Its rates, where it is in force."""
        if row.superseded_at is not None:
            return []
        about = ("provider", "model", "context_above")
        return [(RateStep, {name: getattr(row, name) for name in about})]
