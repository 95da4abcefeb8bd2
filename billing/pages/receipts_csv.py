"""Receipts as CSV: a row an event in the reader's words, its time as the organization's
clock showed it, written as spreadsheets read it. Exact to nine places of USD.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import UsageEvent
from billing.reports.queries.receipts import (
    ReceiptsAsked,
    counted_nanos,
    receipts_asked,
)
from config.kit.csv_files import Amount, streamed
from config.kit.dates import zone_city_text

CHUNK = 500


def receipts_csv(
    asked: ReceiptsAsked, organization: Organization
) -> StreamingHttpResponse:
    """Every receipt of the filter, the newest first."""
    zone = organization.zone_at(timezone.now())
    return streamed(_rows(asked, zone), name=f"{organization.slug}-receipts")


def _rows(asked: ReceiptsAsked, zone: str) -> Iterator[list[Any]]:
    city = zone_city_text(zone)
    yield [
        _("Event"),
        _("Time (%(city)s)") % {"city": city},
        _("Surface"),
        _("Model"),
        _("Input"),
        _("Output"),
        _("Cache write 5 min"),
        _("Cache write 1 h"),
        _("Cache read"),
        _("Web searches"),
        _("Paid by"),
        _("Cost (USD)"),
        _("Corrections (USD)"),
        _("Of these days (USD)"),
        _("Estimated"),
        _("Billing month"),
        _("Labels"),
    ]
    events = receipts_asked(asked).iterator(chunk_size=CHUNK)
    while piece := list(islice(events, CHUNK)):
        counted = counted_nanos(asked, piece)
        for event in piece:
            yield _cells(event, ZoneInfo(zone), counted[event.pk])


def _cells(event: UsageEvent, zone: ZoneInfo, counted: int) -> list[Any]:
    corrections = sum(row.amount_nanos for row in event.adjustments.all())
    return [
        event.event_id,
        f"{event.occurred_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        str(event.surface_label),
        event.model,
        event.input_tokens,
        event.output_tokens,
        event.cache_write_5m_tokens,
        event.cache_write_1h_tokens,
        event.cache_read_tokens,
        event.web_searches,
        str(event.get_funding_display()),
        Amount(event.cost_nanos),
        Amount(corrections),
        Amount(counted),
        _("yes") if event.estimated else "",
        f"{event.month_on:%Y-%m}",
        ", ".join(f"{key}={text}" for key, text in event.labels.items()),
    ]
