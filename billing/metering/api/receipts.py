"""The receipt of an event. Scope `read`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router

from accounts.api_access import KeyAuth, organization_of, own_membership_id
from accounts.models import Scope
from billing.metering.api.receipt_schemas import EventOut
from billing.metering.receipts import Receipt, ReceiptLine, ReceiptPart, receipt_of
from billing.metering.rules.pricing import counts_of
from billing.models import UsageAdjustment, UsageEvent
from billing.prices.rules import Applied
from billing.prices.words import correction_reason_in_english, times_text
from billing.reports.queries.own import PARTS, events_of
from config.kit.api import ERRORS
from config.kit.errors import BusinessError
from config.kit.money import NANOS_PER_USD, to_decimal_text

router = Router(tags=["Reading"], auth=KeyAuth(Scope.READ))


@router.get(
    "/events/{any:event_id}",
    auth=KeyAuth(Scope.READ, Scope.SELF),
    response={200: EventOut, **ERRORS},
    summary="The receipt of an event",
)
def event(request: HttpRequest, event_id: str) -> dict[str, Any]:
    """Tokens × rates, the rounding, who paid and why, and what was booked later. A
    personal token reads its own member's events alone, without the key, which is the
    owners' business.
    """
    events = UsageEvent.objects.select_related(
        "price", "membership__user", "api_key", "unattributed"
    ).prefetch_related("adjustments", PARTS)
    own_id = own_membership_id(request)
    if own_id is not None:
        events = events.filter(events_of(own_id))
    usage_event = events.filter(
        organization=organization_of(request), event_id=event_id.replace("\0", "")
    ).first()
    if usage_event is None:
        raise BusinessError(
            _("No event “%(id)s” in this organization.") % {"id": event_id[:200]},
            code="event_not_found",
            status=404,
        )
    told = _receipt_json(receipt_of(usage_event))
    return told if own_id is None else {**told, "api_key": None}


def _receipt_json(receipt: Receipt) -> dict[str, Any]:
    event = receipt.event
    adjustments = event.adjustments.all()
    return {
        "id": event.event_id,
        **_whose(event),
        "surface": event.surface,
        "model": event.model,
        "provider": event.provider or None,
        "source": event.source,
        "request_id": event.request_id or None,
        "seat_tier": event.seat_tier or None,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "month": f"{event.month_on:%Y-%m}",
        "lines": [_line_json(line) for line in receipt.lines],
        "parts": [_part_json(part) for part in receipt.parts],
        "exact_usd": f"{receipt.exact_nanos / NANOS_PER_USD:.15f}",
        "cost_usd": to_decimal_text(event.cost_nanos),
        "adjustments": [
            _adjustment_json(adjustment, event) for adjustment in adjustments
        ],
        "estimated": event.estimated,
        "funding": event.funding,
        "funding_why": event.funding_why,
        "api_key": _key_json(event),
        "authorization_used_by": receipt.promise_used_by,
        "refusal_reason": event.refusal_reason or None,
        "labels": event.labels,
    }


def _key_json(event: UsageEvent) -> dict[str, str] | None:
    key = event.api_key
    return {"name": key.name, "prefix": key.prefix} if key else None


def _whose(event: UsageEvent) -> dict[str, Any]:
    """The member, or the name of somebody unknown (X2)."""
    if event.unattributed:
        return {"member": None, "email": None, "sent_as": event.unattributed.sent_as}
    email = event.membership.user.email
    return {"member": event.membership_id, "email": email, "sent_as": None}


def _part_json(part: ReceiptPart) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "model": part.model,
        "lines": [_line_json(line) for line in part.lines],
        "factors": [_factor_json(factor) for factor in part.factors],
        "cost_usd": to_decimal_text(part.cost_nanos),
        "estimated": part.estimated,
        "free_of_charge": part.is_free,
    }


def _factor_json(factor: Applied) -> dict[str, Any]:
    known = factor.millionths is not None
    return {
        "condition": factor.condition,
        "value": factor.value,
        "factor": times_text(factor.millionths) if known else None,  # type: ignore[arg-type]
    }


def _line_json(line: ReceiptLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "count": line.count,
        "rate_usd": line.rate_usd,
        "per": line.per,
    }


def _adjustment_json(adjustment: UsageAdjustment, event: UsageEvent) -> dict[str, Any]:
    is_nobodys = (
        event.unattributed_id and adjustment.membership_id == event.membership_id
    )
    return {
        "amount_usd": to_decimal_text(adjustment.amount_nanos),
        "member": None if is_nobodys else adjustment.membership_id,
        "reason": correction_reason_in_english(adjustment.reason),
        "counted": counts_of(adjustment.counted) if adjustment.counted else None,
        "month": f"{adjustment.month_on:%Y-%m}",
        "created_at": adjustment.created_at,
    }
