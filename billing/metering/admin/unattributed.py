"""Names under which usage came of people nobody knows, to look at only (X2)."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from billing.models import UnattributedName
from config.kit.admin import ReadOnly
from config.kit.columns import dollars
from config.kit.large_tables import LargeTable


@admin.register(UnattributedName)
class UnattributedNameAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = (
        "sent_as",
        "organization",
        "events",
        "extra",
        "unbilled",
        "first_seen_at",
        "last_seen_at",
    )
    list_select_related = ("organization",)
    found_by = ("organization__slug", "sent_as")

    @admin.display(description=_("Extra usage"), ordering="extra_nanos")
    def extra(self, name: UnattributedName) -> str:
        return dollars(name.extra_nanos)

    @admin.display(description=_("Unbilled"), ordering="unbilled_nanos")
    def unbilled(self, name: UnattributedName) -> str:
        return dollars(name.unbilled_nanos)
