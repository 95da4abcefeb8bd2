"""Which caps held at a moment, and what had been spent before one event: for its receipt
(C8, E5). Never writes; amounts are nano-USD.

Caps are read off the audit of their changes. Where entries of that time may be gone, by
what the settings keep, nothing is said rather than guessed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from accounts.models import AuditEntry
from accounts.models.privacy import RetentionMark
from billing.models import CapLevel, Funding, SpendCap, UsageAdjustment, UsageEvent


@dataclass(frozen=True, slots=True)
class CapBefore:
    """A member's cap as an event met it: None is unlimited, `is_from_seat` where their
    seat tier's held. `spent_nanos` is what their extra usage of the month came to before
    it; `organization_nanos` is the cap of all.
    """

    amount_nanos: int | None
    is_from_seat: bool
    organization_nanos: int | None
    spent_nanos: int


def cap_before(event: UsageEvent) -> CapBefore | None:
    """None where what the caps were is not known any more."""
    gone = RetentionMark.objects.filter(kind="audit", before_at__gt=event.recorded_at)
    if gone.exists():
        return None
    own = _held(event, CapLevel.MEMBER, membership_id=event.membership_id)
    seat = None
    if event.organization.plan == "enterprise_seat" and event.seat_tier:
        seat = _held(event, CapLevel.SEAT_TIER, subject=event.seat_tier)
    return CapBefore(
        own if own is not None else seat,
        own is None and seat is not None,
        _held(event, CapLevel.ORGANIZATION),
        _spent_before(event),
    )


def _spent_before(event: UsageEvent) -> int:
    """The member's extra usage of the event's month, recorded before it."""
    events = UsageEvent.objects.filter(
        membership_id=event.membership_id,
        month_on=event.month_on,
        funding=Funding.EXTRA_USAGE,
        pk__lt=event.pk,
    )
    booked = UsageAdjustment.objects.filter(
        membership_id=event.membership_id,
        month_on=event.month_on,
        event__funding=Funding.EXTRA_USAGE,
        created_at__lt=event.recorded_at,
    )
    spent = events.aggregate(sum=Sum("cost_nanos"))["sum"] or 0
    return spent + (booked.aggregate(sum=Sum("amount_nanos"))["sum"] or 0)


def _held(event: UsageEvent, level: CapLevel, **whose: Any) -> int | None:
    """What one cap was when the event was recorded: set by the last change before, else
    what the first change after set it from, else as it is.
    """
    at, month_on = event.recorded_at, event.month_on
    entries = AuditEntry.objects.filter(
        organization_id=event.organization_id, action=f"cap.{level}", **whose
    )
    last = entries.filter(at__lte=at).order_by("-at", "-pk").first()
    if last is not None:
        return _amount(last.to_value, month_on)
    first = entries.filter(at__gt=at).order_by("at", "pk").first()
    if first is not None:
        return _amount(first.from_value, month_on)
    names = {"subject": "seat_tier", "membership_id": "membership_id"}
    cap = SpendCap.objects.filter(
        organization_id=event.organization_id,
        level=level,
        **{names[key]: value for key, value in whose.items()},
    ).first()
    return cap.amount_in(month_on) if cap else None


def _amount(value: dict[str, Any] | None, month_on: dt.date) -> int | None:
    """What an audited value says of one month; nothing where it says that a member's cap
    was their seat's.
    """
    if not value:
        return None
    only = value.get("month_only")
    if only is not None and only != month_on.isoformat():
        return None if "then_seat_tier" in value else value.get("then_nanos")
    return None if "seat_tier" in value else value.get("amount_nanos")
