"""Booking differences of events later: visible rows that count to the open month, never
an edit (M4).

Amounts are nano-USD; the side that paid the event pays its difference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.actions.audit import Actor, record_change
from accounts.actions.organizations import lock_organization
from accounts.actions.reasons import check_reason
from accounts.models import Organization, User
from billing.ledger.actions import add_pending
from billing.metering.actions.rows import add_counts
from billing.metering.rules.recording import DayKey, Spend, Tally
from billing.models import (
    AdjustmentSource,
    EntryKind,
    Funding,
    UsageAdjustment,
    UsageEvent,
)
from config.kit.errors import BusinessError
from config.kit.money import format_usd


def book_adjustments(locked: Organization, rows: Sequence[UsageAdjustment]) -> None:
    """Write adjustments with their counters and, for prepaid events, let them move the
    balance; in the caller's lock.
    """
    UsageAdjustment.objects.bulk_create(rows)
    tally = Tally()
    for row in rows:
        event = row.event
        key = DayKey(
            row.membership_id, row.day_on, event.surface, event.model, event.seat_tier
        )
        tally.correct(
            key, month_on=row.month_on, spend=Spend.of(event.funding, row.amount_nanos)
        )
    add_counts(tally, organization_id=locked.pk)
    for row in rows:
        if row.prepaid:
            add_pending(
                locked,
                membership_id=row.membership_id,
                day_on=row.day_on,
                kind=EntryKind.ADJUSTMENT,
                amount_nanos=row.amount_nanos,
            )


@transaction.atomic
def adjust_event(
    event: UsageEvent,
    *,
    amount_nanos: int,
    reason: str,
    operator: User,
    key: str = "",
    now: dt.datetime,
) -> UsageAdjustment:
    """An operator's decision to charge an event more, or (negative) less; a line of the
    open month's bill.

    `key` names the press of the button: the same again answers the first adjustment.

    Raises BusinessError `not_extra_usage` for an event nobody pays, `adjustment_amount`
    for zero or for more than the event cost, `reason_missing`.
    """
    locked = lock_organization(event.organization_id)
    known = (
        UsageAdjustment.objects.filter(event=event, key=key).first() if key else None
    )
    if known is not None:
        return known
    booked = event.adjustments.aggregate(sum=Sum("amount_nanos"))["sum"] or 0
    if event.funding != Funding.EXTRA_USAGE:
        raise BusinessError(
            _(
                "%(event)s wasn't extra usage, so no one pays for it and there is "
                "nothing to adjust."
            )
            % {"event": event.event_id},
            code="not_extra_usage",
            status=422,
            field="event",
        )
    if amount_nanos == 0 or event.cost_nanos + booked + amount_nanos < 0:
        words = {"event": event.event_id, "cost": format_usd(event.cost_nanos + booked)}
        raise BusinessError(
            _(
                "%(event)s currently costs %(cost)s. Enter an amount other than zero "
                "that deducts no more than that."
            )
            % words,
            code="adjustment_amount",
            status=422,
            field="amount",
        )
    said = check_reason(reason, most=200)
    month = locked.calendar.month_at(now)
    row = UsageAdjustment(
        organization=locked,
        membership_id=event.membership_id,
        event=event,
        amount_nanos=amount_nanos,
        price_id=event.price_id,
        prepaid=event.prepaid,
        source=AdjustmentSource.OPERATOR,
        reason=said,
        key=key or None,
        actor=operator,
        created_at=now,
        month_on=month.first_on,
        day_on=month.day_of(now),
    )
    book_adjustments(locked, [row])
    record_change(
        locked,
        actor=Actor.person(operator),
        action="usage.adjustment",
        subject=event.event_id[:150],
        now=now,
        from_value=event.cost_nanos + booked,
        to_value=event.cost_nanos + booked + amount_nanos,
    )
    return row
