"""What seats include."""

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
