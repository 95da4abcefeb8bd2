"""Prices with their history, and what seats include.

A price is corrected by a new row, never in place.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change, record_for_many
from accounts.models import Organization, User
from billing.models import ModelPrice, SeatAllowance
from billing.models.prices import RATE_FIELDS
from billing.prices.actions import correct_price
from billing.prices.words import rate_text
from config.kit.admin import NoDelete
from config.kit.money import format_usd


@admin.register(ModelPrice)
class ModelPriceAdmin(NoDelete, admin.ModelAdmin):
    list_display = (
        "name",
        "starts_on",
        "context_above",
        "input_usd",
        "output_usd",
        "source",
        "created_at",
        "superseded_at",
    )
    list_filter = (("superseded_at", admin.EmptyFieldListFilter), "source")
    search_fields = ("model",)
    fields = (
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
        fixed = (*self.readonly_fields, "model", "starts_on", "context_above")
        return fixed if obj.superseded_at is None else (*fixed, *RATE_FIELDS)

    def save_model(
        self, request: HttpRequest, obj: ModelPrice, form: Any, change: bool
    ) -> None:
        """Saving enters a new row; the one that was open is superseded and kept."""
        if change and not form.changed_data:
            return
        rates = {name: getattr(obj, name) for name in RATE_FIELDS}
        key = (obj.model, obj.starts_on, obj.context_above)
        price = correct_price(
            key,
            rates=rates,
            actor=Actor.person(operator_of(request)),
            now=timezone.now(),
        )
        obj.pk, obj._state.adding = price.pk, False


@admin.register(SeatAllowance)
class SeatAllowanceAdmin(admin.ModelAdmin):
    list_display = ("plan", "seat_tier", "name", "hours", "included")
    list_filter = ("plan", "seat_tier")
    fields = ("plan", "seat_tier", "name", "length_seconds", "amount_nanos")

    @admin.display(description=_("Hours"), ordering="length_seconds")
    def hours(self, allowance: SeatAllowance) -> str:
        hours, rest = divmod(allowance.length_seconds, 3600)
        return f"{hours}:{rest // 60:02d}" if rest else str(hours)

    @admin.display(description=_("Included"), ordering="amount_nanos")
    def included(self, allowance: SeatAllowance) -> str:
        return format_usd(allowance.amount_nanos)

    def save_model(
        self, request: HttpRequest, obj: SeatAllowance, form: Any, change: bool
    ) -> None:
        """Works at the next check, and is kept in the audit."""
        before = SeatAllowance.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        _audit(obj, before=before, after=obj, operator=operator_of(request))

    def delete_model(self, request: HttpRequest, obj: SeatAllowance) -> None:
        """A window that no seat has any more is a change like another."""
        _audit(obj, before=obj, after=None, operator=operator_of(request))
        super().delete_model(request, obj)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[SeatAllowance]
    ) -> None:
        """One by one, each with its audit."""
        for allowance in queryset:
            self.delete_model(request, allowance)


def _audit(
    allowance: SeatAllowance,
    *,
    before: SeatAllowance | None,
    after: SeatAllowance | None,
    operator: User,
) -> None:
    """Keep what a seat includes, for operators and for each organization on that plan;
    None where there was or is no such window.
    """
    values = [
        row and {"length_seconds": row.length_seconds, "amount_nanos": row.amount_nanos}
        for row in (before, after)
    ]
    change: dict[str, Any] = {
        "actor": Actor.person(operator),
        "action": "allowance.edit",
        "now": timezone.now(),
        "from_value": values[0],
        "to_value": values[1],
    }
    record_change(None, subject=str(allowance), **change)
    on_plan = Organization.objects.filter(plan=allowance.plan)
    subject = f"{allowance.seat_tier} {allowance.name}"
    record_for_many(on_plan.values_list("pk", flat=True), subject=subject, **change)
