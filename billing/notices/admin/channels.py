"""Operators' pages of channels and their deliveries, to read; without addresses and
secrets, which are the customer's alone.
"""

from __future__ import annotations

from django.contrib import admin

from billing.models import Channel, ChannelDelivery
from config.kit.admin import ReadOnly
from config.kit.large_tables import LargeTable


@admin.register(Channel)
class ChannelAdmin(ReadOnly, admin.ModelAdmin):
    """Where customers' events go, by host."""

    list_display = (
        "created_at",
        "organization",
        "kind",
        "name",
        "host",
        "paused_at",
        "paused_why",
        "removed_at",
    )
    list_filter = ("kind", "paused_why")
    list_select_related = ("organization",)
    fields = (
        "organization",
        "kind",
        "name",
        "host",
        "events",
        "created_by",
        "created_at",
        "secret_made_at",
        "paused_at",
        "paused_why",
        "removed_at",
    )


@admin.register(ChannelDelivery)
class ChannelDeliveryAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    """Each event on its way to each channel, with the last answer."""

    list_display = (
        "created_at",
        "channel",
        "event",
        "tries",
        "status_code",
        "fault",
        "sent_at",
        "failed_at",
        "next_try_at",
    )
    list_filter = (
        ("created_at", admin.DateFieldListFilter),
        ("failed_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("channel__organization", "event")
    found_by = ("message_id", "channel__organization__slug")
    fields = (
        "channel",
        "event",
        "message_id",
        "tries",
        "status_code",
        "fault",
        "answer",
        "took_ms",
        "created_at",
        "tried_at",
        "next_try_at",
        "sent_at",
        "failed_at",
        "overtaken_at",
        "resent_at",
    )
