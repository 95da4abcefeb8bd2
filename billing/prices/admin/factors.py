"""What multiplies prices: fast mode, regions, tiers of service (M3a).

A factor is corrected by a new row, never in place.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import operator_of
from accounts.actions.audit import Actor
from billing.models import ModelAlias, PriceFactor
from billing.prices.actions import enter_factor
from billing.prices.queries.published import PublishedFactor
from billing.prices.words import times_text
from config.kit.admin import NoDelete, ReadOnly


@admin.register(PriceFactor)
class PriceFactorAdmin(NoDelete, admin.ModelAdmin):
    list_display = (
        "condition",
        "value",
        "pattern",
        "starts_on",
        "times",
        "source",
        "superseded_at",
    )
    list_filter = (("superseded_at", admin.EmptyFieldListFilter), "condition", "source")
    search_fields = ("value", "pattern")
    fields = ("condition", "value", "pattern", "starts_on", "millionths", "reference")

    @admin.display(description=_("Factor"), ordering="millionths")
    def times(self, factor: PriceFactor) -> str:
        return f"× {times_text(factor.millionths)}"

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> tuple[str, ...]:
        """What a row is for stays; only a factor in force can be corrected."""
        if obj is None:
            return ()
        fixed = ("condition", "value", "pattern", "starts_on")
        in_force = obj.superseded_at is None
        return fixed if in_force else (*fixed, "millionths", "reference")

    def save_model(
        self, request: HttpRequest, obj: PriceFactor, form: Any, change: bool
    ) -> None:
        """Saving enters a new row; the one that was open is superseded and kept."""
        if change and not form.changed_data:
            return
        factor = PublishedFactor(
            obj.condition,
            obj.value.strip().lower(),
            obj.pattern.strip().lower(),
            obj.starts_on,
            obj.millionths,
            obj.reference,
        )
        actor = Actor.person(operator_of(request))
        row = enter_factor(factor, actor=actor, now=timezone.now())
        obj.pk, obj._state.adding = row.pk, False


@admin.register(ModelAlias)
class ModelAliasAdmin(ReadOnly, admin.ModelAdmin):
    """Names in force; new ones are entered where unknown models are listed."""

    list_display = ("name", "provider", "model", "source", "created_at")
    search_fields = ("name", "model")
