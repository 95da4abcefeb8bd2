"""What seats include."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import operator_of
from accounts.actions.audit import Actor, record_change
from billing.models import SeatAllowance
from config.kit.money import format_usd


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
        before = (
            SeatAllowance.objects.filter(pk=obj.pk)
            .values("length_seconds", "amount_nanos")
            .first()
        )
        super().save_model(request, obj, form, change)
        record_change(
            None,
            actor=Actor.person(operator_of(request)),
            action="allowance.edit",
            subject=str(obj),
            now=timezone.now(),
            from_value=before,
            to_value={
                "length_seconds": obj.length_seconds,
                "amount_nanos": obj.amount_nanos,
            },
        )
