"""Prices with their history.

A price is corrected by a new row, never in place.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import operator_of
from accounts.actions.audit import Actor
from billing.models import ModelPrice
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import correct_price
from billing.prices.words import rate_text
from config.kit.admin import NoDelete


@admin.register(ModelPrice)
class ModelPriceAdmin(NoDelete, admin.ModelAdmin):
    list_display = (
        "name",
        "provider",
        "starts_on",
        "context_above",
        "input_usd",
        "output_usd",
        "source",
        "created_at",
        "superseded_at",
    )
    list_filter = (("superseded_at", admin.EmptyFieldListFilter), "source", "provider")
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
    readonly_fields = ("source", "created_at", "superseded_at")

    @admin.display(description=_("Model"), ordering="model")
    def name(self, price: ModelPrice) -> str:
        return price.model or str(_("Fallback rate"))

    @admin.display(description=_("Input, USD per million"), ordering="input_nanos")
    def input_usd(self, price: ModelPrice) -> str:
        return rate_text(price.input_nanos)

    @admin.display(description=_("Output, USD per million"), ordering="output_nanos")
    def output_usd(self, price: ModelPrice) -> str:
        return rate_text(price.output_nanos)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> tuple[str, ...]:
        """What a row is for stays; only the rates in force can be corrected."""
        if obj is None:
            return self.readonly_fields
        fixed = (
            *self.readonly_fields,
            "provider",
            "model",
            "starts_on",
            "context_above",
        )
        return fixed if obj.superseded_at is None else (*fixed, *RATE_FIELDS)

    def save_model(
        self, request: HttpRequest, obj: ModelPrice, form: Any, change: bool
    ) -> None:
        """Saving enters a new row; the one that was open is superseded and kept."""
        if change and not form.changed_data:
            return
        rates = {name: getattr(obj, name) for name in RATE_FIELDS}
        key = (obj.provider, obj.model, obj.starts_on, obj.context_above)
        price = correct_price(
            key,
            rates=rates,
            actor=Actor.person(operator_of(request)),
            now=timezone.now(),
        )
        obj.pk, obj._state.adding = price.pk, False
