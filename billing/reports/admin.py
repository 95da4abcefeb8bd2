"""Operators' page of reports that are mailed monthly, to read."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import ReportMail
from billing.reports.actions.mailing import addresses_of
from config.kit.admin import ReadOnly


@admin.register(ReportMail)
class ReportMailAdmin(ReadOnly, admin.ModelAdmin):
    """Which reports customers have mailed, and to whom."""

    list_display = ("created_at", "organization", "query", "mailed_month_on")
    list_select_related = ("organization",)
    fields = (
        "organization",
        "query",
        "addresses",
        "created_by",
        "created_at",
        "mailed_month_on",
    )
    readonly_fields = ("addresses",)

    @admin.display(description=_("to"))
    def addresses(self, report_mail: ReportMail) -> str:
        """To whom it goes."""
        return ", ".join(addresses_of(report_mail))
