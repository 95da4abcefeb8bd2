"""What seats include: to read. What changes it are steps; no row is deleted by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import SeatAllowance
from billing.prices.admin.allowance_steps import EndAllowance, SetAllowance
from billing.prices.admin.steps import CatalogPages, CatalogStep
from config.kit.columns import dollars, hours


@admin.register(SeatAllowance)
class SeatAllowanceAdmin(CatalogPages):
    steps = (SetAllowance, EndAllowance)
    list_steps = (SetAllowance,)
    list_display = ("plan", "seat_tier", "name", "lasts", "included")
    list_filter = ("plan", "seat_tier")
    fields = ("plan", "seat_tier", "name", "lasts", "included")

    @admin.display(description=_("A window lasts"), ordering="length_seconds")
    def lasts(self, allowance: SeatAllowance) -> str:
        """`5 h`."""
        return hours(allowance.length_seconds)

    @admin.display(description=_("Included"), ordering="amount_nanos")
    def included(self, allowance: SeatAllowance) -> str:
        """`$48.00`."""
        return dollars(allowance.amount_nanos)

    def row_steps(
        self, row: SeatAllowance
    ) -> list[tuple[type[CatalogStep], dict[str, Any]]]:
        """How much, or none."""
        about = {name: getattr(row, name) for name in ("plan", "seat_tier", "name")}
        return [(SetAllowance, about), (EndAllowance, about)]
