"""Operators' page of what was booked later for events, to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.operators.steps import Chosen, LeadsToSteps
from billing.metering.admin.events import events_called
from billing.models import UsageAdjustment, UsageEvent
from billing.prices.words import correction_reason_text
from config.kit.admin import ReadOnly
from config.kit.large_tables import MOST_FOUND, LargeTable


@admin.register(UsageAdjustment)
class UsageAdjustmentAdmin(LeadsToSteps, ReadOnly, LargeTable, admin.ModelAdmin):
    """Corrections, to read; each leads to the next one of its event."""

    list_display = (
        "event",
        "organization",
        "amount_nanos",
        "source",
        "why",
        "actor",
        "month_on",
        "created_at",
    )
    list_filter = (
        "source",
        ("created_at", admin.DateFieldListFilter),
    )
    list_select_related = ("event", "organization", "actor")
    found_by = (
        "event__event_id",
        "organization__slug",
        "membership__user__email",
    )
    sortable_by = ()

    def _found(self, model: type[Model], path: str, word: str) -> Q:
        """By the ID of their event, and as everywhere."""
        if path == "event__event_id":
            events = UsageEvent.objects.filter(events_called(word))
            numbers = list(events.values_list("pk", flat=True)[:MOST_FOUND])
            return Q(event_id__in=numbers) if numbers else Q(pk__in=[])
        return super()._found(model, path, word)

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, adjustment: UsageAdjustment) -> str:
        return correction_reason_text(adjustment.reason)

    def steps_on(self, row: UsageAdjustment) -> Iterator[Chosen]:
        """One more of the same event."""
        yield "adjust", {"event": row.event.event_id}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The row's, with the reason in words."""
        columns = [name for name in super().get_fields(request, obj) if name != "why"]
        columns[columns.index("reason")] = "why"
        return columns

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Words are no column."""
        return [*super().get_readonly_fields(request, obj), "why"]
