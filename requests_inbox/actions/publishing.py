"""What channels are told of requests (N3), inside the transaction of the act.

Amounts in payloads are decimal strings of USD: spend with 9 places, caps with 2.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from billing.models import EventType
from billing.notices.actions.publishing import cap_usd, publish
from config.kit.money import to_decimal_text
from requests_inbox.models import UsageRequest

DECIDED = (UsageRequest.Status.APPROVED, UsageRequest.Status.DISMISSED)


def publish_created(
    request: UsageRequest, *, now: dt.datetime, again: bool = False
) -> None:
    """Somebody asks, or waits `again` since a decision was taken back."""
    data = {**_facts(request), "reason": request.reason}
    mark = f":{now.isoformat()}" if again else ""
    _publish(request, EventType.REQUEST_CREATED, data, now=now, mark=mark)


def publish_ended(request: UsageRequest, *, now: dt.datetime) -> None:
    """A reviewer decided, or it ended without."""
    data = {**_facts(request), "status": str(request.status)}
    if request.status not in DECIDED:
        _publish(request, EventType.REQUEST_ENDED, data, now=now)
        return
    # Decided anew after it was taken back, it is told anew.
    decision = request.ended_at.isoformat() if request.ended_at else ""
    data |= {
        "amount_usd": cap_usd(request.granted_nanos),
        "this_month_only": request.granted_month_only,
        "seat_tier": request.granted_tier or None,
    }
    _publish(request, EventType.REQUEST_DECIDED, data, now=now, mark=f":{decision}")


def _facts(request: UsageRequest) -> dict[str, Any]:
    return {
        "id": request.pk,
        "member": {"id": request.membership_id},
        "spent_usd": to_decimal_text(request.spent_nanos),
        "cap_usd": cap_usd(request.cap_nanos),
        "month": f"{request.month_on:%Y-%m}",
    }


def _publish(
    request: UsageRequest,
    event_type: EventType,
    data: dict[str, Any],
    *,
    now: dt.datetime,
    mark: str = "",
) -> None:
    publish(
        request.organization,
        event_type,
        key=f"{event_type.value}:{request.pk}{mark}",
        data=data,
        now=now,
    )
