"""What multiplies prices (M3a) and which names mean a model (M4a): to read. What changes
them are steps.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import ModelAlias, PriceFactor
from billing.prices.admin.factor_steps import FactorStep
from billing.prices.admin.name_steps import EndNameStep, NameStep
from billing.prices.admin.steps import CatalogPages, CatalogStep
from billing.prices.words import times_text
from config.kit.filters import happened


@admin.register(PriceFactor)
class PriceFactorAdmin(CatalogPages):
    steps = (FactorStep,)
    list_steps = (FactorStep,)
    list_display = (
        "condition",
        "value",
        "pattern",
        "starts_on",
        "times",
        "source",
        "superseded_at",
    )
    list_filter = (
        happened(
            "superseded_at",
            title=_("in force"),
            yes=_("Superseded"),
            no=_("In force"),
        ),
        "condition",
        "source",
    )
    search_fields = ("value", "pattern")
    fields = (
        "condition",
        "value",
        "pattern",
        "starts_on",
        "times",
        "reference",
        "source",
        "created_at",
        "superseded_at",
    )

    @admin.display(description=_("Factor"), ordering="millionths")
    def times(self, factor: PriceFactor) -> str:
        """`× 1.1`."""
        return f"× {times_text(factor.millionths)}"

    def row_steps(
        self, row: PriceFactor
    ) -> list[tuple[type[CatalogStep], dict[str, Any]]]:
        """It, where it is in force."""
        if row.superseded_at is not None:
            return []
        about = ("condition", "value", "pattern")
        return [(FactorStep, {name: getattr(row, name) for name in about})]


@admin.register(ModelAlias)
class ModelAliasAdmin(CatalogPages):
    """Names in force."""

    steps = (NameStep, EndNameStep)
    list_steps = (NameStep,)
    list_display = ("name", "provider", "model", "source", "created_at")
    search_fields = ("name", "model")

    def row_steps(
        self, row: ModelAlias
    ) -> list[tuple[type[CatalogStep], dict[str, Any]]]:
        """Another model, or none."""
        about = {"name": row.name}
        return [(NameStep, about), (EndNameStep, about)]
