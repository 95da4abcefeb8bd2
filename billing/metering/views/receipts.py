"""Receipts: one event on its own page, and all of a member's as CSV. Reads only."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import member_page
from accounts.models import Membership, Role
from billing.metering.queries.unattributed import payers_of
from billing.metering.receipts import receipt_of
from billing.models import UsageEvent
from billing.reports.queries.own import organization_receipts, receipts
from config.kit.csv_files import Amount, streamed
from config.kit.later import much_to_make


@member_page()
@require_safe
def own_receipt(
    request: HttpRequest, membership: Membership, event_pk: int
) -> HttpResponse:
    """One event with everything behind its cost, of the reader or assigned to them.
    Admins may open those of every member; keys are the owners' business.
    """
    event = (
        organization_receipts(membership.organization_id).filter(pk=event_pk).first()
    )
    if event is None or (
        payers_of([event])[event.pk] != membership.pk
        and not membership.is_at_least(Role.ADMIN)
    ):
        raise Http404
    context = {
        "receipt": receipt_of(event),
        "organization": membership.organization,
        "person": event.membership.user,
        "reporting_key": event.api_key if membership.is_at_least(Role.OWNER) else None,
        "zone": membership.organization.zone_at(timezone.now()),
    }
    return render(request, "billing/metering/receipt.html", context)


HEAD = [
    "id",
    "occurred_at",
    "surface",
    "model",
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "web_searches",
    "cost_usd",
    "adjusted_usd",
    "paid_by",
    "estimated",
    "counted_month",
]


@member_page()
@require_safe
@much_to_make
def own_receipts_csv(
    request: HttpRequest, membership: Membership
) -> StreamingHttpResponse:
    """Every event of the reader, streamed."""
    events = receipts(membership.pk).iterator(chunk_size=500)
    return streamed(
        chain([HEAD], map(_csv_cells, events)),
        name=f"{membership.organization.slug}-receipts",
    )


def _csv_cells(event: UsageEvent) -> list[Any]:
    adjusted = sum(row.amount_nanos for row in event.adjustments.all())
    return [
        event.event_id,
        event.occurred_at,
        event.surface,
        event.model,
        event.input_tokens,
        event.output_tokens,
        event.cache_write_5m_tokens,
        event.cache_write_1h_tokens,
        event.cache_read_tokens,
        event.web_searches,
        Amount(event.cost_nanos),
        Amount(adjusted),
        event.funding,
        event.estimated,
        f"{event.month_on:%Y-%m}",
    ]
