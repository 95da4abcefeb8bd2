"""The operators' page of numbers that no document has: to look at."""

from __future__ import annotations

from django.contrib import admin

from billing.models import NumberGap
from config.kit.admin import ReadOnly


@admin.register(NumberGap)
class NumberGapAdmin(ReadOnly, admin.ModelAdmin):
    """What `manage.py skip_numbers` left out, and why."""

    list_display = ("numbers", "organization", "skipped_at", "skipped_by", "reason")
    list_filter = ("series",)
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)
