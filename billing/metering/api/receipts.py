"""The receipt of an event. Scope `read`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router

from accounts.api_access import KeyAuth, organization_of
from accounts.models import Scope
from billing.metering.api.receipt_schemas import EventOut
from billing.metering.receipts import receipt_of
from billing.models import UsageEvent
from config.kit.api import ERRORS
from config.kit.errors import BusinessError
from config.kit.money import to_decimal_text

router = Router(tags=["Reading"], auth=KeyAuth(Scope.READ))


@router.get(
    "/events/{path:event_id}",
    response={200: EventOut, **ERRORS},
    summary="The receipt of an event",
)
def event(request: HttpRequest, event_id: str) -> dict[str, Any]:
    """Tokens × rates, the rounding, who paid and why, and what was booked later."""
    events = UsageEvent.objects.select_related(
        "price", "membership__user"
    ).prefetch_related("adjustments")
    found = events.filter(
        organization=organization_of(request), event_id=event_id.replace("\0", "")
    ).first()
    if found is None:
        raise BusinessError(
            _("No event “%(id)s” in this organization.") % {"id": event_id[:200]},
            code="event_not_found",
            status=404,
        )
    return _event_json(found)


def _event_json(event: UsageEvent) -> dict[str, Any]:
    receipt = receipt_of(event)
    exact = sum(
        (Decimal(line.count) * line.rate_nanos / line.per for line in receipt.lines),
        Decimal(0),
    )
    return {
        "id": event.event_id,
        "member": event.membership_id,
        "email": event.membership.user.email,
        "surface": event.surface,
        "model": event.model,
        "seat_tier": event.seat_tier or None,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "month": f"{event.month_on:%Y-%m}",
        "lines": [
            {
                "kind": line.kind,
                "count": line.count,
                "rate_usd": line.rate_usd,
                "per": line.per,
            }
            for line in receipt.lines
        ],
        "exact_usd": f"{exact / 10**9:.15f}",
        "cost_usd": to_decimal_text(event.cost_nanos),
        "adjustments": [
            {
                "amount_usd": to_decimal_text(one.amount_nanos),
                "reason": one.reason,
                "month": f"{one.month_on:%Y-%m}",
                "created_at": one.created_at,
            }
            for one in event.adjustments.all()
        ],
        "estimated": event.estimated,
        "funding": event.funding,
        "funding_why": event.funding_why,
        "refusal_reason": event.refusal_reason or None,
        "labels": event.labels,
    }
